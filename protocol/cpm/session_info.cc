#include "protocol/cpm/session_info.h"

#include <utility>

#include "protocol/cpm/body.h"
#include "protocol/cpm/related_xml.h"

namespace protocol::cpm {
namespace {

constexpr RelatedNames kNames{
    .object = "session info", .root = "session", .type = "session-type", .item = "media-object"};

}  // namespace

tl::expected<SessionInfo, Fault> ReadSessionXml(std::string_view xml) {
  auto read = ReadRelatedXml(xml, kNames);
  if (!read) return tl::unexpected<Fault>(read.error());
  SessionInfo out{.type = std::move(read->type),
                  .participants = std::move(read->participants),
                  .sdp = std::move(read->sdp)};
  for (auto& item : read->items)
    out.media.push_back({.cid = std::move(item.cid), .sdp = std::move(item.sdp)});
  return out;
}

tl::expected<SessionInfo, Fault> ReadSessionInfo(const mime::Parts& parts, mime::Source& source) {
  const auto description = FindPartOfType(parts, source, kSessionInfoType);
  if (!description) return Fail("the session info has no part of type Application/X-CPM-Session");
  const auto xml = ReadXmlBody(parts[*description], source);
  if (!xml) return tl::unexpected<Fault>(xml.error());
  auto out = ReadSessionXml(*xml);
  if (!out || out->media.empty()) return out;
  const auto ids = FindContentIds(parts, source);
  if (!ids) return Fail("its octets could not be read");
  for (auto& media : out->media) media.part = PartOf(*ids, media.cid);
  return out;
}

tl::expected<std::string, Fault> WriteSessionXml(const SessionInfo& info, Layout layout) {
  RelatedXml value{.type = info.type, .participants = info.participants, .sdp = info.sdp};
  for (const auto& media : info.media) value.items.push_back({media.cid, media.sdp});
  return WriteRelatedXml(value, kNames, layout);
}

}  // namespace protocol::cpm
