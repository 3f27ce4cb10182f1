#include "protocol/mime/reencode.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"
#include "protocol/text/base64_lines.h"

namespace protocol::mime {
namespace {

constexpr std::string_view kField = "Content-Transfer-Encoding: base64\r\n";
constexpr std::uint64_t kOctetsALine = 57;  // text::Base64Lines
constexpr std::uint64_t kLine = 78;         // with its CRLF
constexpr std::uint64_t kLinesAtOnce = 512;

/// Each line has its end, the last one too: the line end before a boundary is the boundary's own, and a body
/// that reaches up to one (a message/cpim that ends within a header does) would take it along.
std::uint64_t Base64Size(std::uint64_t octets) {
  return (octets + 2) / 3 * 4 + (octets + kOctetsALine - 1) / kOctetsALine * 2;
}

bool ReadAll(Source& source, std::uint64_t offset, std::span<char> out) {
  while (!out.empty()) {
    const std::int64_t got = source.Read(offset, out);
    if (got <= 0) return false;
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

tl::expected<bool, SourceFailed> HasNul(Source& source, std::uint64_t begin, std::uint64_t end) {
  std::vector<char> space(std::min<std::uint64_t>(end - begin, 64U * 1024));
  while (begin < end) {
    const auto piece = std::span(space).first(std::min<std::uint64_t>(space.size(), end - begin));
    if (!ReadAll(source, begin, piece)) return tl::unexpected<SourceFailed>(SourceFailed{});
    if (std::memchr(piece.data(), '\0', piece.size()) != nullptr) return true;
    begin += piece.size();
  }
  return false;
}

/// Every field of the name is replaced by one: which of several counts is the client's guess. What lies
/// beyond `max_header` was not read by Inspect() either, and comes after the field that is put first.
tl::expected<std::vector<Replacement>, SourceFailed> ReplaceField(Source& source, const Part& part,
                                                                  std::size_t max_header) {
  const std::uint64_t whole = part.body_begin - part.header_begin;
  std::string header(std::min<std::uint64_t>(whole, max_header), '\0');
  if (!ReadAll(source, part.header_begin, header)) return tl::unexpected<SourceFailed>(SourceFailed{});
  std::vector<Replacement> out;
  HeaderReader reader(header);
  while (const auto field = reader.Next()) {
    const bool cut =
        whole > max_header && field->lines.data() + field->lines.size() == header.data() + header.size();
    if (cut || !ascii::EqualNoCase(field->name, "content-transfer-encoding")) continue;
    const auto at = static_cast<std::uint64_t>(field->lines.data() - header.data());
    out.push_back({part.header_begin + at, field->lines.size(), false});
  }
  if (out.empty()) out.push_back({part.header_begin, 0, false});
  return out;
}

}  // namespace

tl::expected<std::optional<Reencoded>, SourceFailed> Reencode(Source& appended, const Parts& parts,
                                                              const InspectLimits& limits) {
  Reencoded out;
  auto& replacements = out.served.replacements;
  for (const Part& part : parts) {
    // A part without a header has none that could say so: the text of a multipart without a boundary line.
    if (part.kind != PartKind::kLeaf || part.encoding > Encoding::kBinary ||
        part.header_begin == part.body_begin)
      continue;
    const auto nul = HasNul(appended, part.body_begin, part.body_end);
    if (!nul) return tl::unexpected<SourceFailed>(nul.error());
    if (!*nul) continue;
    const auto field = ReplaceField(appended, part, limits.max_header);
    if (!field) return tl::unexpected<SourceFailed>(field.error());
    replacements.insert(replacements.end(), field->begin(), field->end());
    replacements.push_back({part.body_begin, part.body_end - part.body_begin, true});
  }
  if (replacements.empty()) return std::nullopt;
  // What is said of the message as served is found as of any other.
  ReencodedSource served(appended, replacements);
  auto found = Inspect(served, limits);
  if (!found) return tl::unexpected<SourceFailed>(found.error());
  out.served.size = served.size();
  out.served.parts = std::move(found->parts);
  out.body = std::move(found->body);
  out.body_structure = std::move(found->body_structure);
  return out;
}

ReencodedSource::ReencodedSource(Source& appended, const std::vector<Replacement>& replacements)
    : appended_(appended) {
  std::uint64_t at = 0;
  for (const Replacement& replacement : replacements) {
    Add(Kind::kAsAppended, at, replacement.begin - at);
    Add(replacement.body ? Kind::kBase64 : Kind::kField, replacement.begin, replacement.length);
    at = replacement.begin + replacement.length;
  }
  if (at < appended.size()) Add(Kind::kAsAppended, at, appended.size() - at);
}

void ReencodedSource::Add(Kind kind, std::uint64_t begin, std::uint64_t length) {
  const std::uint64_t served = kind == Kind::kField    ? kField.size()
                               : kind == Kind::kBase64 ? Base64Size(length)
                                                       : length;
  if (served == 0) return;
  stretches_.push_back({size_, begin, length, kind});
  size_ += served;
}

std::int64_t ReencodedSource::Read(std::uint64_t offset, std::span<char> out) {
  if (offset >= size_ || out.empty()) return 0;
  const auto next = std::upper_bound(stretches_.begin(), stretches_.end(), offset,
                                     [](std::uint64_t at, const Stretch& one) { return at < one.at; });
  const Stretch& stretch = *std::prev(next);
  const std::uint64_t skip = offset - stretch.at;
  if (stretch.kind == Kind::kBase64) return ReadBase64(stretch, skip, out);
  if (stretch.kind == Kind::kField) {
    const auto piece = kField.substr(skip, out.size());
    std::memcpy(out.data(), piece.data(), piece.size());
    return static_cast<std::int64_t>(piece.size());
  }
  return appended_.Read(stretch.begin + skip,
                        out.first(std::min<std::uint64_t>(out.size(), stretch.length - skip)));
}

std::int64_t ReencodedSource::ReadBase64(const Stretch& stretch, std::uint64_t skip, std::span<char> out) {
  const std::uint64_t line = skip / kLine;
  const std::uint64_t lines = std::min<std::uint64_t>((skip % kLine + out.size()) / kLine + 1, kLinesAtOnce);
  const std::uint64_t from = line * kOctetsALine;
  std::string octets(std::min(lines * kOctetsALine, stretch.length - from), '\0');
  if (!ReadAll(appended_, stretch.begin + from, octets)) return -1;
  std::string text;
  text::Base64Lines encoder;
  encoder.Add(text, octets);
  encoder.End(text);
  text += "\r\n";
  const auto piece = std::string_view(text).substr(skip % kLine, out.size());
  std::memcpy(out.data(), piece.data(), piece.size());
  return static_cast<std::int64_t>(piece.size());
}

}  // namespace protocol::mime
