#include "protocol/cpm/body.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocol/cpm/limits.h"
#include "protocol/mime/fields.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/section.h"
#include "protocol/model/ascii.h"

namespace protocol::cpm {
namespace {

std::optional<std::string> ReadPartHeader(const mime::Part& part, mime::Source& source) {
  return ReadOctets(source, part.header_begin, std::min(part.body_begin, part.header_begin + kMaxPartHeader));
}

/// Indices of the direct parts of parts[0], at most kMaxRelatedParts.
std::vector<std::size_t> Children(const mime::Parts& parts) {
  std::vector<std::size_t> out;
  for (std::size_t i = 1; i < parts.size() && out.size() < kMaxRelatedParts; i += parts[i].subtree) {
    out.push_back(i);
  }
  return out;
}

}  // namespace

tl::expected<std::string, Fault> ReadBody(const mime::Part& part, mime::Source& source, std::size_t most) {
  auto decoder = mime::Decoder::Open(source, part);
  if (!decoder) return Fail("its Content-Transfer-Encoding is unknown");
  constexpr std::size_t kPiece = 4096;
  std::string out;
  for (;;) {
    const std::size_t begin = out.size();
    out.resize(std::min(most, begin + kPiece));
    if (out.size() == begin) return out;
    const auto got = decoder->Read({out.data() + begin, out.size() - begin});
    if (!got) return Fail("its octets could not be read");
    out.resize(begin + *got);
    if (*got == 0) return out;
  }
}

tl::expected<std::string, Fault> ReadXmlBody(const mime::Part& part, mime::Source& source) {
  auto xml = ReadBody(part, source, kMaxXml + 1);
  if (xml && xml->size() > kMaxXml) return Fail(fmt::format("the XML exceeds {} octets", kMaxXml));
  return xml;
}

std::optional<std::string> ReadOctets(mime::Source& source, std::uint64_t begin, std::uint64_t end) {
  std::string out(end - begin, '\0');
  for (std::size_t have = 0; have < out.size();) {
    const std::int64_t got = source.Read(begin + have, {out.data() + have, out.size() - have});
    if (got <= 0) return std::nullopt;
    have += static_cast<std::size_t>(got);
  }
  return out;
}

std::string_view StripCid(std::string_view cid) {
  cid = mime::Trim(cid);
  if (ascii::EqualNoCase(cid.substr(0, 4), "cid:")) cid = mime::Trim(cid.substr(4));
  if (cid.starts_with('<')) cid.remove_prefix(1);
  if (cid.ends_with('>')) cid.remove_suffix(1);
  return mime::Trim(cid);
}

bool IsType(std::string_view content_type, std::string_view type) {
  content_type = mime::Trim(content_type.substr(0, content_type.find(';')));
  return ascii::EqualNoCase(content_type, type);
}

std::optional<std::size_t> FindPartOfType(const mime::Parts& parts, mime::Source& source,
                                          std::string_view type) {
  if (parts.empty()) return std::nullopt;
  if (parts[0].kind != mime::PartKind::kMultipart) return 0;
  for (const std::size_t i : Children(parts)) {
    const auto header = ReadPartHeader(parts[i], source);
    if (!header) return std::nullopt;
    if (IsType(mime::Unfold(mime::FindMimeFields(*header).type), type)) return i;
  }
  return std::nullopt;
}

std::optional<ContentIds> FindContentIds(const mime::Parts& parts, mime::Source& source) {
  ContentIds ids;
  if (parts.empty() || parts[0].kind != mime::PartKind::kMultipart) return ids;
  for (const std::size_t i : Children(parts)) {
    const auto header = ReadPartHeader(parts[i], source);
    if (!header) return std::nullopt;
    const std::string id = mime::Unfold(mime::FindMimeFields(*header).id);
    if (!id.empty()) ids.emplace_back(i, StripCid(id));
  }
  return ids;
}

std::optional<std::size_t> PartOf(const ContentIds& ids, std::string_view cid) {
  const auto found = std::find_if(ids.begin(), ids.end(), [&](const auto& id) { return id.second == cid; });
  if (cid.empty() || found == ids.end()) return std::nullopt;
  return found->first;
}

}  // namespace protocol::cpm
