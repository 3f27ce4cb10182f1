#include "server/references/part_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/mime/mask_nul.h"
#include "protocol/mime/part_structure.h"
#include "protocol/mime/reencode.h"
#include "server/references/rights.h"
#include "storage/memory_only.h"

namespace server::references {

using protocol::Section;
using protocol::mime::DecodeError;
using protocol::mime::Extent;
using protocol::mime::OctetReader;
using protocol::mime::Octets;
using storage::Result;
using Begun = PartReader::Begun;
using Form = PartReader::Form;

namespace {

constexpr std::uint64_t kPiece = 256 * 1024;
constexpr std::uint64_t kFilteredHeader = 1 << 20;  ///< HEADER.FIELDS sees no more of a header than this

bool IsFields(const Section& section) {
  return section.kind == Section::Kind::kHeaderFields || section.kind == Section::Kind::kHeaderFieldsNot;
}
bool IsHeader(const Section& section) {
  return section.kind == Section::Kind::kHeader || section.kind == Section::Kind::kMime || IsFields(section);
}

bool IsPlain(protocol::mime::Encoding encoding) { return encoding <= protocol::mime::Encoding::kBinary; }

Extent Clip(Extent extent, const Extent& to) {
  const std::uint64_t skip = std::min(to.offset, extent.length);
  return {extent.offset + skip, std::min(to.length, extent.length - skip)};
}

}  // namespace

Result<std::unique_ptr<PartReader>> PartReader::Open(storage::MailStore& store, MessagePart what,
                                                     CpimInsidePtr seen, storage::Actor right) {
  std::unique_ptr<PartReader> reader(new PartReader());
  reader->what_ = std::move(what);
  const auto& at = reader->what_;
  const auto folder = store.Read(at.folder, right);
  if (!folder && IsAbsence(folder.error())) return std::unique_ptr<PartReader>();
  if (!folder) return tl::unexpected<storage::Error>(folder.error());
  const storage::UidSet uid(at.uid, at.uid);
  storage::ObjectId object;
  std::uint64_t size = 0;
  std::string parts_text;
  RETURN_IF_ERROR(folder->Rows(uid, [&](storage::Uid, const storage::MessageRow& row) {
    object = row.object;
    size = row.size;
    parts_text = row.parts;
    reader->body_structure_ = row.body_structure;
    return true;
  }));
  if (object.value == 0) return std::unique_ptr<PartReader>();
  auto parts = protocol::mime::DecodeParts(parts_text);
  auto served = protocol::mime::DecodeServed(parts_text);
  if (!parts || !served) return storage::Fail(storage::Errc::kCorruption, "a part tree does not decode");
  if (!IsHeader(at.section)) {
    ASSIGN_OR_RETURN(const auto temporary, folder->Temporary(uid));
    reader->deferred_ = !temporary.empty();
  }
  reader->object_ = object;
  reader->message_nul_ = protocol::mime::NulOf(parts_text);
  reader->parts_ = *std::move(parts);
  reader->source_ = store.OpenBody(at.folder.account, object, size);
  if (*served) {
    reader->served_parts_ = std::move((*served)->parts);
    reader->served_ =
        std::make_unique<protocol::mime::ReencodedSource>(*reader->source_, (*served)->replacements);
  }
  RETURN_IF_ERROR(reader->StepInside(std::move(seen)));
  return reader;
}

Result<> PartReader::StepInside(CpimInsidePtr seen) {
  const auto* cpim = what_.section.kind == Section::Kind::kAll && what_.partial ? Part() : nullptr;
  if (cpim == nullptr || what_.section.part.empty() || cpim->media != protocol::mime::Media::kCpim) return {};
  const auto account = what_.folder.account;
  if (!seen || seen->account != account || seen->object != object_ || seen->cpim_begin != cpim->body_begin) {
    RETURN_IF_ERROR(storage::MemoryOnly::MayWait());
    auto inside = LookInside(account, object_, *source_, *cpim);
    if (!inside && inside.error().code == storage::Errc::kNotAllowed) return {};
    if (!inside) return tl::unexpected<storage::Error>(inside.error());
    seen = *std::move(inside);
  }
  looked_into_ = seen;
  auto path = PathOf(*seen, *what_.partial);
  if (!path) return {};
  inside_ = std::move(seen);
  // Counted of the CPIM, if it is more.
  if (what_.decoded_size > std::uint64_t{*what_.partial->count}) what_.decoded_size.reset();
  what_.section.part = *std::move(path);
  what_.partial.reset();
  served_.reset();
  served_parts_.clear();
  around_ = std::move(source_);
  source_ = std::make_unique<WindowSource>(*around_, inside_->entity);
  parts_ = inside_->parts;
  body_structure_ = inside_->body_structure;
  if (inside_->served) {
    served_parts_ = inside_->served->parts;
    served_ = std::make_unique<protocol::mime::ReencodedSource>(*source_, inside_->served->replacements);
  }
  return {};
}

const protocol::mime::Part* PartReader::Part() const {
  if (IsHeader(what_.section)) return nullptr;
  return protocol::mime::FindPart(parts_, what_.section.part);
}

protocol::cpm::PartHead PartReader::Head() {
  const auto* part = Part();
  if (part == nullptr) return {};
  return protocol::cpm::ReadPartHead(parts_, *source_, static_cast<std::size_t>(part - parts_.data()));
}

std::optional<std::string> PartReader::HeaderOf(std::uint64_t most) {
  const auto* part = Part();
  if (part == nullptr) return std::nullopt;
  std::string header(std::min(part->body_begin - part->header_begin, most), '\0');
  for (std::size_t at = 0; at < header.size();) {
    const auto got = source_->Read(part->header_begin + at, std::span(header).subspan(at));
    if (got <= 0) return std::nullopt;
    at += static_cast<std::size_t>(got);
  }
  return header;
}

std::optional<std::uint64_t> PartReader::DecodedSize() {
  if (!what_.decoded_size) {
    const auto partial = std::exchange(what_.partial, std::nullopt);
    const Begun begun = Begin(Form::kDecoded);
    what_.partial = partial;
    if (begun != Begun::kOpen) return std::nullopt;
    what_.decoded_size = size_;
  }
  return what_.decoded_size;
}

Extent PartReader::ClipAll(Extent extent) const {
  if (what_.partial) {
    constexpr auto kToTheEnd = ~std::uint64_t{0};
    const auto count = what_.partial->count ? std::uint64_t{*what_.partial->count} : kToTheEnd;
    extent = Clip(extent, {what_.partial->offset, count});
  }
  return of_ ? Clip(extent, *of_) : extent;
}

std::optional<Extent> PartReader::Locate(Form form) const {
  return protocol::mime::Locate(PartsOf(form), what_.section);
}

/// More than to hand the octets on.
bool PartReader::TakesLong(Form form) const {
  if (IsFields(what_.section)) return true;
  if (form == Form::kAsServed) return served_ != nullptr;
  return form == Form::kDecoded && Decodes();
}

bool PartReader::Decodes() const {
  const auto* part = what_.section.kind == Section::Kind::kAll ? Part() : nullptr;
  return part != nullptr && !what_.section.part.empty() && !IsPlain(part->encoding);
}

std::uint64_t PartReader::ToDecode() const {
  if (what_.section.kind != Section::Kind::kAll || !TakesLong(Form::kDecoded)) return 0;
  const std::uint64_t size = Part()->body_end - Part()->body_begin;
  const std::uint64_t skipped = what_.partial ? std::min<std::uint64_t>(size, what_.partial->offset) : 0;
  return what_.decoded_size ? skipped : size + skipped;
}

bool PartReader::IsCounted(Form form) const {
  return IsHeader(what_.section) || (form == Form::kDecoded && !what_.section.part.empty());
}

std::uint64_t PartReader::ToCount(Form form) const {
  const auto extent = Locate(form);
  if (!extent || !IsCounted(form)) return 0;
  const bool twice = form == Form::kDecoded && TakesLong(form) && !what_.decoded_size;
  return twice ? 2 * extent->length : extent->length;
}

/// Before anything is promised.
Begun PartReader::ReadFirst() {
  size_ = rest_.left();
  return rest_.ReadSome(first_, kPiece) ? Begun::kOpen : Begun::kUnreadable;
}

Begun PartReader::Begin(Form form, std::optional<Extent> of) {
  of_ = of;
  first_ = {};
  rest_ = {};
  nul_ = false;
  const bool served = form == Form::kAsServed;
  auto& octets = served && served_ ? *served_ : *source_;
  const auto extent = Locate(form);
  if (!extent) return Begun::kNoSuchPart;
  const Section& section = what_.section;
  if (TakesLong(form) && storage::MemoryOnly::Forbids()) return Begun::kUnreadable;
  const bool mask_nul = served && message_nul_ == protocol::mime::Nul::kMaybe;
  Begun begun = Begun::kOpen;
  if (IsFields(section)) {
    OctetReader whole(octets, {extent->offset, std::min(extent->length, kFilteredHeader)}, mask_nul);
    std::string header;
    if (!whole.Read(header, kFilteredHeader)) return Begun::kUnreadable;
    const bool keep = section.kind == Section::Kind::kHeaderFields;
    const auto filtered = protocol::mime::FilterHeader(header, section.fields, keep);
    const Extent part = ClipAll({0, filtered.size()});
    first_ = Octets(filtered.substr(part.offset, part.length));
    size_ = first_.size();
  } else if (form == Form::kDecoded && section.kind == Section::Kind::kAll && !section.part.empty()) {
    begun = BeginDecoded(*protocol::mime::FindPart(parts_, section.part));
  } else {
    rest_ = OctetReader(octets, ClipAll(*extent), mask_nul);
    begun = ReadFirst();
  }
  nul_ = !served && (rest_.left() > 0 || protocol::mime::HoldsNul(first_.view()));
  return begun;
}

Begun PartReader::BeginDecoded(const protocol::mime::Part& part) {
  tl::expected<std::uint64_t, DecodeError> size(what_.decoded_size.value_or(0));
  if (!what_.decoded_size) size = protocol::mime::DecodedSize(*source_, part);
  auto octets =
      size ? OctetReader::Decoded(*source_, part, ClipAll({0, *size})) : tl::unexpected(size.error());
  if (!octets)
    return octets.error().kind == DecodeError::Kind::kUnknownEncoding ? Begun::kUnknownEncoding
                                                                      : Begun::kUnreadable;
  what_.decoded_size = *size;
  rest_ = *std::move(octets);
  return ReadFirst();
}

void PartReader::KeepOctetsOnly() {
  // An assignment may keep what they have allocated.
  protocol::mime::Parts().swap(parts_);
  protocol::mime::Parts().swap(served_parts_);
  std::string().swap(body_structure_);
  what_.section = {};
  looked_into_.reset();
  inside_.reset();
  // A copy: it may be a few octets of a large row's, or across the border of two.
  std::string all(first_.view());
  const auto rest = rest_.left();
  if (rest > 0 && (all.size() + rest > kPiece || !rest_.Read(all, rest))) return;
  rest_ = {};
  first_ = Octets(std::move(all));
  served_.reset();
  source_.reset();
  around_.reset();
}

std::uint64_t PartReader::held() const {
  const std::uint64_t known = (parts_.capacity() + served_parts_.capacity()) * sizeof(protocol::mime::Part) +
                              body_structure_.capacity();
  // The source keeps a row of the body, or decodes it.
  return sizeof(PartReader) + known + first_.size() + (source_ ? kPiece : 0);
}

bool PartReader::Take(std::string& to, std::uint64_t count) {
  const std::uint64_t held = std::min<std::uint64_t>(count, first_.size());
  to.append(first_.view(), 0, held);
  first_ = first_.Part(held);
  return rest_.Read(to, count - held);
}

bool PartReader::TakeSome(Octets& to) {
  if (first_.empty()) return rest_.ReadSome(to, kPiece);
  to = std::exchange(first_, {});
  return true;
}

std::optional<std::string> PartReader::Structure(Form form) {
  if (!Locate(form)) return std::nullopt;
  const Section& section = what_.section;
  std::uint64_t octets = 0;
  std::uint64_t lines = 0;
  bool eight_bit = false;
  if (IsCounted(form)) {
    if (storage::MemoryOnly::Forbids()) return std::nullopt;
    // Of all of the part, whatever PARTIAL says.
    const auto partial = std::exchange(what_.partial, std::nullopt);
    const Begun begun = Begin(form);
    what_.partial = partial;
    if (begun == Begun::kUnknownEncoding) return Structure(Form::kAsServed);
    if (begun != Begun::kOpen) return std::nullopt;
    octets = size_;
    for (Octets piece; left() > 0;) {
      if (!TakeSome(piece)) return std::nullopt;
      lines += static_cast<std::uint64_t>(std::ranges::count(piece.view(), '\n'));
      eight_bit = eight_bit || std::ranges::any_of(piece.view(), [](char c) { return (c & 0x80) != 0; });
    }
  }
  if (IsHeader(section)) {
    return fmt::format(R"(("TEXT" "RFC822-HEADERS" NIL NIL NIL "{}" {} {}))", eight_bit ? "8BIT" : "7BIT",
                       octets, lines);
  }
  auto structure = protocol::mime::StructureOf(body_structure_, section.part);
  if (structure && section.kind == Section::Kind::kText && !section.part.empty())
    structure = protocol::mime::StructureOfMessage(*structure);
  if (!structure) return std::nullopt;
  const bool decoded = form == Form::kDecoded && section.kind == Section::Kind::kAll && !section.part.empty();
  return decoded ? protocol::mime::DecodedStructure(*structure, octets, lines) : std::string(*structure);
}

}  // namespace server::references
