#include "protocol/cpm/related_xml.h"

#include <algorithm>

#include <fmt/format.h>

#include "protocol/cpm/body.h"
#include "protocol/cpm/limits.h"

namespace protocol::cpm {
namespace {

// addresses separated by ";": a URI with parameters cannot stand there
std::vector<std::string> SplitParticipants(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    std::string_view one = text.substr(0, end);
    const std::size_t begin = one.find_first_not_of(" \t\r\n");
    if (begin != std::string_view::npos) {
      out.emplace_back(one.substr(begin, one.find_last_not_of(" \t\r\n") - begin + 1));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// Text of an element that lies on its own lines.
void AppendElement(std::string& out, std::string_view name, std::string_view text) {
  out.append("<").append(name).append(">");
  AppendXmlText(out, text);
  out.append("</").append(name).append(">\r\n");
}

void AppendSdp(std::string& out, std::string_view sdp) {
  out += "<sdp>\r\n";
  while (!sdp.empty()) {
    const std::size_t end = std::min(sdp.find('\n'), sdp.size());
    AppendXmlText(out, sdp.substr(0, end));
    out += "\r\n";
    sdp.remove_prefix(std::min(end + 1, sdp.size()));
  }
  out += "</sdp>\r\n";
}

bool IsLines(std::string_view text) {
  return FitsXmlElement(text) && text.find('\r') == std::string_view::npos;
}

bool IsLine(std::string_view text) { return IsLines(text) && text.find('\n') == std::string_view::npos; }

}  // namespace

tl::expected<RelatedXml, Fault> ReadRelatedXml(std::string_view xml, const RelatedNames& names) {
  const auto content = ParseXml(xml);
  if (!content) return tl::unexpected<Fault>(content.error());
  if (!content->trimmed().empty())
    return Fail(fmt::format("the {} has text outside of its elements", names.object));
  const bool document = content->children.size() == 1 && content->children[0].name == names.root;
  const XmlElement& holder = document ? content->children[0] : *content;

  RelatedXml out;
  const XmlElement* type = holder.Child(names.type);
  if (type == nullptr || type->trimmed().empty())
    return Fail(fmt::format("the {} has no {}", names.object, names.type));
  out.type = type->trimmed();
  const XmlElement* participants = holder.Child("invited-participants");
  if (participants == nullptr) return Fail(fmt::format("the {} has no invited-participants", names.object));
  out.participants = SplitParticipants(participants->trimmed());
  if (const XmlElement* sdp = holder.Child("sdp")) out.sdp = sdp->trimmed();
  for (const XmlElement& child : holder.children) {
    if (child.name != names.item) continue;
    const XmlElement* cid = child.Child("cid");
    if (cid == nullptr || StripCid(cid->text).empty()) {
      return Fail(fmt::format("a {} of the {} has no cid", names.item, names.object));
    }
    const XmlElement* sdp = child.Child("sdp");
    out.items.push_back(
        {std::string(StripCid(cid->text)), sdp == nullptr ? std::string() : std::string(sdp->trimmed())});
  }
  return out;
}

tl::expected<std::string, Fault> WriteRelatedXml(const RelatedXml& value, const RelatedNames& names,
                                                 Layout layout) {
  const auto unfit = [&](std::string_view what) {
    return Fail(fmt::format("the {}'s {} cannot be written", names.object, what));
  };
  if (value.type.empty() || !IsLine(value.type)) return unfit(names.type);
  if (!IsLines(value.sdp)) return unfit("sdp");
  std::string participants;
  for (const std::string& one : value.participants) {
    if (one.empty() || !IsLine(one) || one.find(';') != std::string::npos)
      return unfit("invited-participants");
    participants.append(participants.empty() ? "" : ";").append(one);
  }
  std::string out;
  if (layout == Layout::k2x) {
    out = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<{}>\r\n", names.root);
  }
  AppendElement(out, names.type, value.type);
  if (layout == Layout::k2x && !value.sdp.empty()) AppendSdp(out, value.sdp);
  AppendElement(out, "invited-participants", participants);
  for (const RelatedXml::Item& item : value.items) {
    if (item.cid.empty() || !IsLine(item.cid) || StripCid(item.cid) != item.cid) return unfit("cid");
    if (!IsLines(item.sdp)) return unfit("sdp");
    out.append("<").append(names.item).append(">\r\n");
    AppendElement(out, "cid", "cid:" + item.cid);
    AppendSdp(out, item.sdp);
    out.append("</").append(names.item).append(">\r\n");
  }
  if (layout == Layout::k2x) out += fmt::format("</{}>\r\n", names.root);
  if (out.size() > kMaxXml) return Fail(fmt::format("the {} exceeds {} octets", names.object, kMaxXml));
  return out;
}

}  // namespace protocol::cpm
