#include "server/references/part_reader.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "protocol/mime/mask_nul.h"
#include "protocol/mime/part_structure.h"
#include "protocol/mime/reencode.h"

namespace server::references {

using protocol::Section;
using protocol::mime::Decoder;
using protocol::mime::Extent;
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

Extent Clip(Extent extent, const Extent& to) {
  const std::uint64_t skip = std::min(to.offset, extent.length);
  return {extent.offset + skip, std::min(to.length, extent.length - skip)};
}

}  // namespace

Result<std::unique_ptr<PartReader>> PartReader::Open(storage::MailStore& store, MessagePart what,
                                                     storage::Actor actor) {
  std::unique_ptr<PartReader> reader(new PartReader());
  reader->what_ = std::move(what);
  const auto& at = reader->what_;
  const auto folder = store.Read(at.folder);
  if (!folder && folder.error().code == storage::Errc::kUnavailable)
    return tl::unexpected<storage::Error>(folder.error());
  if (!folder) return std::unique_ptr<PartReader>();
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
    if (!temporary.empty()) RETURN_IF_ERROR(store.NoteAccess(at.folder, temporary, actor));
  }
  reader->object_ = object;
  reader->parts_ = *std::move(parts);
  reader->source_ = store.OpenBody(at.folder.account, object, size);
  if (*served) {
    reader->served_parts_ = std::move((*served)->parts);
    reader->served_ =
        std::make_unique<protocol::mime::ReencodedSource>(*reader->source_, (*served)->replacements);
  }
  return reader;
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

bool PartReader::Read(std::string& to, std::uint64_t count) {
  const std::size_t before = to.size();
  to.resize(before + std::min(count, unread_));
  const bool read = Read(std::span(to).subspan(before));
  if (!read) to.resize(before);
  return read;
}

bool PartReader::Read(std::span<char> to) {
  for (std::size_t at = 0; at < to.size();) {
    const auto space = to.subspan(at);
    std::int64_t got = 0;
    if (decoder_) {
      const auto decoded = decoder_->Read(space);
      got = decoded ? static_cast<std::int64_t>(*decoded) : -1;
    } else {
      got = octets_->Read(offset_, space);
    }
    if (got <= 0) return false;
    at += static_cast<std::size_t>(got);
    offset_ += static_cast<std::uint64_t>(got);
    unread_ -= static_cast<std::uint64_t>(got);
  }
  if (mask_nul_) protocol::mime::MaskNul(to);
  return true;
}

/// Before anything is promised.
Begun PartReader::ReadFirst() {
  unread_ = size_ = left_;
  first_.clear();
  if (!Read(first_, kPiece)) return Begun::kUnreadable;
  nul_ = !mask_nul_ && (unread_ > 0 || first_.find('\0') != std::string::npos);
  return Begun::kOpen;
}

Begun PartReader::Begin(Form form, std::optional<Extent> of) {
  of_ = of;
  decoder_.reset();
  octets_ = form == Form::kAsServed && served_ ? served_.get() : source_.get();
  mask_nul_ = form == Form::kAsServed;
  const auto extent = Locate(form);
  if (!extent) return Begun::kNoSuchPart;
  const Section& section = what_.section;
  if (IsFields(section)) {
    offset_ = extent->offset;
    unread_ = std::min(extent->length, kFilteredHeader);
    std::string header;
    if (!Read(header, unread_)) return Begun::kUnreadable;
    first_ =
        protocol::mime::FilterHeader(header, section.fields, section.kind == Section::Kind::kHeaderFields);
    const Extent part = ClipAll({0, first_.size()});
    first_ = first_.substr(part.offset, part.length);
    unread_ = 0;
    size_ = left_ = first_.size();
    nul_ = !mask_nul_ && first_.find('\0') != std::string::npos;
    return Begun::kOpen;
  }
  if (form == Form::kDecoded && section.kind == Section::Kind::kAll && !section.part.empty())
    return BeginDecoded(*protocol::mime::FindPart(parts_, section.part));
  const Extent part = ClipAll(*extent);
  offset_ = part.offset;
  left_ = part.length;
  return ReadFirst();
}

Begun PartReader::BeginDecoded(const protocol::mime::Part& part) {
  tl::expected<std::uint64_t, protocol::mime::DecodeError> size(what_.decoded_size.value_or(0));
  if (!what_.decoded_size) size = protocol::mime::DecodedSize(*source_, part);
  auto decoder = size ? Decoder::Open(*source_, part) : tl::unexpected(size.error());
  if (!decoder) {
    return decoder.error().kind == protocol::mime::DecodeError::Kind::kUnknownEncoding
               ? Begun::kUnknownEncoding
               : Begun::kUnreadable;
  }
  decoder_.emplace(*std::move(decoder));
  const Extent extent = ClipAll({0, *size});
  // What stands before a partial is decoded and dropped.
  std::string skipped;
  for (unread_ = extent.offset; unread_ > 0; skipped.clear()) {
    if (!Read(skipped, kPiece)) return Begun::kUnreadable;
  }
  left_ = extent.length;
  return ReadFirst();
}

bool PartReader::Take(std::string& to, std::uint64_t count) {
  const std::uint64_t want = std::min(count, left_);
  const std::uint64_t held = std::min<std::uint64_t>(want, first_.size());
  to.append(first_, 0, held);
  first_.erase(0, held);
  if (!Read(to, want - held)) return false;
  left_ -= want;
  return true;
}

bool PartReader::Take(std::span<char> to) {
  const std::size_t held = std::min(to.size(), first_.size());
  std::ranges::copy(std::string_view(first_).substr(0, held), to.begin());
  first_.erase(0, held);
  if (!Read(to.subspan(held))) return false;
  left_ -= to.size();
  return true;
}

std::optional<std::string> PartReader::Structure(Form form) {
  if (!Locate(form)) return std::nullopt;
  const Section& section = what_.section;
  const bool counted = IsHeader(section) || (form == Form::kDecoded && !section.part.empty());
  std::uint64_t octets = 0;
  std::uint64_t lines = 0;
  bool eight_bit = false;
  if (counted) {
    // Of all of the part, whatever PARTIAL says.
    const auto partial = std::exchange(what_.partial, std::nullopt);
    const Begun begun = Begin(form);
    what_.partial = partial;
    if (begun == Begun::kUnknownEncoding) return Structure(Form::kAsServed);
    if (begun != Begun::kOpen) return std::nullopt;
    octets = size_;
    for (std::string piece; left_ > 0; piece.clear()) {
      if (!Take(piece, kPiece)) return std::nullopt;
      lines += static_cast<std::uint64_t>(std::ranges::count(piece, '\n'));
      eight_bit = eight_bit || std::ranges::any_of(piece, [](char c) { return (c & 0x80) != 0; });
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
