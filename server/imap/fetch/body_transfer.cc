#include "server/imap/fetch/body_transfer.h"

#include <algorithm>
#include <utility>

#include "protocol/mime/mask_nul.h"

namespace server::imap {

using protocol::FetchItem;
using protocol::Section;
using protocol::mime::DecodeError;
using protocol::mime::Extent;
using protocol::mime::OctetReader;
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

Begun BodyTransfer::Begin(const FetchItem& item, protocol::write::FetchResponse& response, Output& out) {
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
    return WriteFields(item, *extent, response);
  }
  octets_ = OctetReader(source_, Clip(*extent, item.partial), /*mask_nul=*/!binary && may_hold_nul_);
  return BeginOctets(item, binary, response, out);
}

Begun BodyTransfer::BeginOctets(const FetchItem& item, bool binary, protocol::write::FetchResponse& response,
                                Output& out) {
  const std::uint64_t size = octets_.left();
  // The first octets are read before anything is promised.
  protocol::mime::Octets first;
  if (!octets_.ReadSome(first, kPiece)) return Begun::kUnreadable;
  const bool nul = binary && (octets_.left() > 0 || protocol::mime::HoldsNul(first.view()));
  if (nul) {
    response.Literal8Header(item, size);
  } else {
    response.LiteralHeader(item, size);
  }
  out.Append(std::move(first));
  return octets_.left() > 0 ? Begun::kMore : Begun::kWhole;
}

Begun BodyTransfer::WriteFields(const FetchItem& item, Extent header,
                                protocol::write::FetchResponse& response) {
  OctetReader octets(source_, {header.offset, std::min(header.length, kFilteredHeader)}, may_hold_nul_);
  std::string text;
  if (!octets.Read(text, kFilteredHeader)) return Begun::kUnreadable;
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
                                Output& out) {
  const auto* part = protocol::mime::FindPart(parts_, item.section.part);
  if (part == nullptr) {
    response.Nil(item);
    return Begun::kWhole;
  }
  const auto size = DecodedSize(*part);
  if (!size) return FailureOf(size.error());
  auto octets = OctetReader::Decoded(source_, *part, Clip({0, *size}, item.partial));
  if (!octets) return FailureOf(octets.error());
  octets_ = *std::move(octets);
  return BeginOctets(item, /*binary=*/true, response, out);
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

Begun BodyTransfer::Continue(Output& out) {
  for (protocol::mime::Octets piece; octets_.left() > 0; out.Append(std::exchange(piece, {}))) {
    if (out.HasStep()) return Begun::kMore;
    if (!octets_.ReadSome(piece, kPiece)) return Begun::kUnreadable;
  }
  return Begun::kWhole;
}

}  // namespace server::imap
