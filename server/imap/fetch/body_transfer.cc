#include "server/imap/fetch/body_transfer.h"

#include <algorithm>
#include <span>

#include "protocol/mime/mask_nul.h"

namespace server::imap {

using protocol::FetchItem;
using protocol::Section;
using protocol::mime::DecodeError;
using protocol::mime::Decoder;
using protocol::mime::Extent;
using Begun = BodyTransfer::Begun;

namespace {

constexpr std::uint64_t kPiece = 256 * 1024;        ///< octets read at once, and the most of a first piece
constexpr std::uint64_t kFilteredHeader = 1 << 20;  ///< HEADER.FIELDS sees no more of a header than this

Section SectionOf(const FetchItem& item) {
  Section section = item.section;
  if (item.kind == FetchItem::Kind::kRfc822Header) section.kind = Section::Kind::kHeader;
  if (item.kind == FetchItem::Kind::kRfc822Text) section.kind = Section::Kind::kText;
  return section;
}

Extent Clip(Extent extent, const std::optional<protocol::Partial>& partial) {
  if (!partial) return extent;
  const std::uint64_t skip = std::min<std::uint64_t>(partial->offset, extent.length);
  return {extent.offset + skip, std::min<std::uint64_t>(partial->count, extent.length - skip)};
}

Begun FailureOf(const DecodeError& error) {
  return error.kind == DecodeError::Kind::kUnknownEncoding ? Begun::kUnknownCte : Begun::kUnreadable;
}

}  // namespace

bool BodyTransfer::Take(std::string& to, std::uint64_t count) {
  std::uint64_t want = std::min(count, left_);
  const std::size_t before = to.size();
  to.resize(before + want);
  std::size_t at = before;
  while (want > 0) {
    const std::span<char> space(to.data() + at, want);
    std::int64_t got = 0;
    if (decoder_) {
      const auto decoded = decoder_->Read(space);
      got = decoded ? static_cast<std::int64_t>(*decoded) : -1;
    } else {
      got = source_.Read(offset_, space);
    }
    if (got <= 0) {
      to.resize(before);
      return false;
    }
    at += static_cast<std::size_t>(got);
    want -= static_cast<std::uint64_t>(got);
    offset_ += static_cast<std::uint64_t>(got);
    left_ -= static_cast<std::uint64_t>(got);
  }
  if (mask_nul_) protocol::mime::MaskNul(std::span(to).subspan(before));
  return true;
}

Begun BodyTransfer::Begin(const FetchItem& item, protocol::write::FetchResponse& response, std::string& out) {
  if (item.kind == FetchItem::Kind::kBinarySize) return WriteBinarySize(item, response);
  if (item.kind == FetchItem::Kind::kBinary && !item.section.part.empty())
    return BeginBinary(item, response, out);
  const bool binary = item.kind == FetchItem::Kind::kBinary;
  const Section section = SectionOf(item);
  const auto extent = protocol::mime::Locate(parts_, section);
  if (!extent) {
    response.Nil(item);
    return Begun::kWhole;
  }
  if (section.kind == Section::Kind::kHeaderFields || section.kind == Section::Kind::kHeaderFieldsNot) {
    return BeginFields(item, *extent, response, out);
  }
  return BeginRaw(item, Clip(*extent, item.partial), binary, response, out);
}

Begun BodyTransfer::BeginRaw(const FetchItem& item, Extent extent, bool binary,
                             protocol::write::FetchResponse& response, std::string& out) {
  offset_ = extent.offset;
  left_ = extent.length;
  mask_nul_ = !binary;
  // The first octets are read before anything is promised.
  std::string first;
  if (!Take(first, kPiece)) return Begun::kUnreadable;
  const bool nul = binary && (left_ > 0 || first.find('\0') != std::string::npos);
  if (nul) {
    response.Literal8Header(item, extent.length);
  } else {
    response.LiteralHeader(item, extent.length);
  }
  out += first;
  return left_ > 0 ? Begun::kMore : Begun::kWhole;
}

Begun BodyTransfer::BeginFields(const FetchItem& item, Extent header,
                                protocol::write::FetchResponse& response, std::string& out) {
  static_cast<void>(out);
  offset_ = header.offset;
  left_ = std::min(header.length, kFilteredHeader);
  std::string text;
  if (!Take(text, left_)) return Begun::kUnreadable;
  const bool keep = item.section.kind == Section::Kind::kHeaderFields;
  std::string filtered = protocol::mime::FilterHeader(text, item.section.fields, keep);
  if (item.partial) {
    const Extent part = Clip({0, filtered.size()}, item.partial);
    filtered = filtered.substr(part.offset, part.length);
  }
  response.Literal(item, filtered);
  return Begun::kWhole;
}

tl::expected<std::uint64_t, DecodeError> BodyTransfer::DecodedSize(const protocol::mime::Part& part) {
  if (const auto known = sizes_.find(&part); known != sizes_.end()) return known->second;
  const auto size = protocol::mime::DecodedSize(source_, part);
  if (!size) return tl::unexpected(size.error());
  sizes_.emplace(&part, *size);
  return *size;
}

Begun BodyTransfer::BeginBinary(const FetchItem& item, protocol::write::FetchResponse& response,
                                std::string& out) {
  const auto* part = protocol::mime::FindPart(parts_, item.section.part);
  if (part == nullptr) {
    response.Nil(item);
    return Begun::kWhole;
  }
  const auto size = DecodedSize(*part);
  if (!size) return FailureOf(size.error());
  auto decoder = Decoder::Open(source_, *part);
  if (!decoder) return FailureOf(decoder.error());
  decoder_.emplace(*std::move(decoder));
  const Extent extent = Clip({0, *size}, item.partial);
  // What stands before a partial is decoded and dropped.
  mask_nul_ = false;
  std::string skipped;
  for (std::uint64_t skip = extent.offset; skip > 0; skip -= skipped.size()) {
    skipped.clear();
    left_ = skip;
    if (!Take(skipped, kPiece)) return Begun::kUnreadable;
  }
  return BeginRaw(item, {0, extent.length}, /*binary=*/true, response, out);
}

Begun BodyTransfer::WriteBinarySize(const FetchItem& item, protocol::write::FetchResponse& response) {
  if (item.section.part.empty()) {
    response.BinarySize(item, source_.size());
    return Begun::kWhole;
  }
  const auto* part = protocol::mime::FindPart(parts_, item.section.part);
  std::uint64_t octets = 0;  // of a part that is not there
  if (part != nullptr) {
    const auto size = DecodedSize(*part);
    if (!size) return FailureOf(size.error());
    octets = *size;
  }
  response.BinarySize(item, octets);
  return Begun::kWhole;
}

Begun BodyTransfer::Continue(std::string& out, std::size_t limit) {
  while (left_ > 0) {
    if (out.size() >= limit) return Begun::kMore;
    if (!Take(out, std::min<std::uint64_t>(kPiece, std::max<std::size_t>(limit - out.size(), 4096)))) {
      return Begun::kUnreadable;
    }
  }
  return Begun::kWhole;
}

}  // namespace server::imap
