#include "protocol/cpm/group_state.h"

#include <fmt/format.h>

#include "protocol/cpm/limits.h"
#include "protocol/cpm/xml.h"
#include "protocol/model/ascii.h"

namespace protocol::cpm {
namespace {

std::string AttributeOf(const XmlElement& element, std::string_view name) {
  const std::string* value = element.Attribute(name);
  return value == nullptr ? std::string() : *value;
}

Fault Missing(std::string_view attribute) { return {fmt::format("the group state has no {}", attribute)}; }

}  // namespace

bool GroupState::closed() const { return ascii::EqualNoCase(group_type, "closed"); }

tl::expected<GroupState, Fault> ReadGroupState(std::string_view xml) {
  const auto root = ParseXmlDocument(xml, "groupstate");
  if (!root) return tl::unexpected<Fault>(root.error());
  GroupState out{.timestamp = AttributeOf(*root, "timestamp"),
                 .last_focus_session_id = AttributeOf(*root, "lastfocussessionid"),
                 .group_type = AttributeOf(*root, "group-type"),
                 .contribution_id = AttributeOf(*root, "contributionid")};
  if (out.timestamp.empty()) return tl::unexpected<Fault>(Missing("timestamp"));
  if (out.last_focus_session_id.empty()) return tl::unexpected<Fault>(Missing("lastfocussessionid"));
  if (out.group_type.empty()) return tl::unexpected<Fault>(Missing("group-type"));
  if (const XmlElement* subject = root->Child("subject")) out.subject = subject->trimmed();
  for (const XmlElement& child : root->children) {
    if (child.name != "participant") continue;
    out.participants.push_back(
        {AttributeOf(child, "name"), AttributeOf(child, "comm-addr"), AttributeOf(child, "role")});
    if (out.participants.back().address.empty())
      return Fail("a participant of the group state has no comm-addr");
  }
  return out;
}

tl::expected<std::string, Fault> WriteGroupState(const GroupState& state) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<groupstate";
  std::string unfit;
  const auto attribute = [&](std::string_view name, std::string_view value) {
    if (!FitsXml(value) || value.find_first_of("\t\r\n") != std::string_view::npos) unfit = name;
    out.append(" ").append(name).append("=\"");
    AppendXmlText(out, value, /*attribute=*/true);
    out += '"';
  };
  if (state.timestamp.empty()) return tl::unexpected<Fault>(Missing("timestamp"));
  if (state.last_focus_session_id.empty()) return tl::unexpected<Fault>(Missing("lastfocussessionid"));
  if (state.group_type.empty()) return tl::unexpected<Fault>(Missing("group-type"));
  attribute("timestamp", state.timestamp);
  attribute("lastfocussessionid", state.last_focus_session_id);
  attribute("group-type", state.group_type);
  if (!state.contribution_id.empty()) attribute("contributionid", state.contribution_id);
  out += ">\r\n";
  if (const auto subject = TrimXml(state.subject); !subject.empty()) {
    if (!FitsXml(subject)) unfit = "subject";
    out += "  <subject>";
    AppendXmlText(out, subject);
    out += "</subject>\r\n";
  }
  for (const auto& participant : state.participants) {
    if (participant.address.empty()) return Fail("a participant of the group state has no comm-addr");
    out += "  <participant";
    if (!participant.name.empty()) attribute("name", participant.name);
    attribute("comm-addr", participant.address);
    if (!participant.role.empty()) attribute("role", participant.role);
    out += "/>\r\n";
  }
  out += "</groupstate>\r\n";
  if (!unfit.empty()) return Fail(fmt::format("the group state's {} is no text for XML", unfit));
  if (out.size() > kMaxXml) return Fail(fmt::format("the group state exceeds {} octets", kMaxXml));
  return out;
}

}  // namespace protocol::cpm
