#include "protocol/cpm/imdn.h"

#include <array>

#include <fmt/format.h>

#include "protocol/cpm/limits.h"
#include "protocol/cpm/xml.h"

namespace protocol::cpm {
namespace {

using Type = Imdn::Type;
using Status = Imdn::Status;

constexpr std::array kTypes{std::pair{Type::kDelivery, std::string_view("delivery")},
                            std::pair{Type::kDisplay, std::string_view("display")},
                            std::pair{Type::kProcessing, std::string_view("processing")}};
constexpr std::array kStatuses{std::pair{Status::kDelivered, std::string_view("delivered")},
                               std::pair{Status::kFailed, std::string_view("failed")},
                               std::pair{Status::kForbidden, std::string_view("forbidden")},
                               std::pair{Status::kError, std::string_view("error")},
                               std::pair{Status::kDisplayed, std::string_view("displayed")},
                               std::pair{Status::kProcessed, std::string_view("processed")},
                               std::pair{Status::kStored, std::string_view("stored")}};

std::string TextOf(const XmlElement& parent, std::string_view name) {
  const XmlElement* child = parent.Child(name);
  return child == nullptr ? std::string() : std::string(child->trimmed());
}

}  // namespace

std::string_view ToString(Type type) { return kTypes[static_cast<std::size_t>(type)].second; }
std::string_view ToString(Status status) { return kStatuses[static_cast<std::size_t>(status)].second; }

bool Fits(Type type, Status status) {
  switch (status) {
    case Status::kForbidden:
    case Status::kError: return true;
    case Status::kDelivered:
    case Status::kFailed: return type == Type::kDelivery;
    case Status::kDisplayed: return type == Type::kDisplay;
    case Status::kProcessed:
    case Status::kStored: return type == Type::kProcessing;
  }
  return false;
}

tl::expected<Imdn, Fault> ReadImdn(std::string_view xml) {
  const auto root = ParseXmlDocument(xml, "imdn");
  if (!root) return tl::unexpected<Fault>(root.error());
  Imdn out{.message_id = TextOf(*root, "message-id"),
           .date_time = TextOf(*root, "datetime"),
           .recipient_uri = TextOf(*root, "recipient-uri"),
           .original_recipient_uri = TextOf(*root, "original-recipient-uri"),
           .subject = TextOf(*root, "subject")};
  if (out.message_id.empty()) return Fail("the IMDN has no message-id");
  if (out.date_time.empty()) return Fail("the IMDN has no datetime");
  for (const auto& [type, type_name] : kTypes) {
    const XmlElement* notification = root->Child(fmt::format("{}-notification", type_name));
    if (notification == nullptr) continue;
    out.type = type;
    const XmlElement* status_element = notification->Child("status");
    if (status_element == nullptr) return Fail(fmt::format("the {} notification has no status", type_name));
    for (const auto& [status, status_name] : kStatuses) {
      if (!Fits(type, status) || status_element->Child(status_name) == nullptr) continue;
      out.status = status;
      return out;
    }
    return Fail(fmt::format("the {} notification has an unknown status", type_name));
  }
  return Fail("the IMDN has no delivery, display or processing notification");
}

tl::expected<std::string, Fault> WriteImdn(const Imdn& imdn) {
  if (imdn.message_id.empty()) return Fail("the IMDN has no message-id");
  if (imdn.date_time.empty()) return Fail("the IMDN has no datetime");
  if (!Fits(imdn.type, imdn.status)) {
    return Fail(fmt::format("a {} notification cannot say {}", ToString(imdn.type), ToString(imdn.status)));
  }
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\r\n";
  for (const auto& [name, text] :
       {std::pair<std::string_view, std::string_view>{"message-id", imdn.message_id},
        {"datetime", imdn.date_time},
        {"recipient-uri", imdn.recipient_uri},
        {"original-recipient-uri", imdn.original_recipient_uri},
        {"subject", TrimXml(imdn.subject)}}) {
    if (text.empty()) continue;
    if (!FitsXmlElement(text))
      return Fail(fmt::format("the IMDN's {} has white space around it, or is no text for XML", name));
    out.append("  <").append(name).append(">");
    AppendXmlText(out, text);
    out.append("</").append(name).append(">\r\n");
  }
  const std::string_view type = ToString(imdn.type);
  out += fmt::format(
      "  <{0}-notification>\r\n    <status>\r\n      <{1}/>\r\n    </status>\r\n  "
      "</{0}-notification>\r\n</imdn>\r\n",
      type, ToString(imdn.status));
  if (out.size() > kMaxXml) return Fail(fmt::format("the IMDN exceeds {} octets", kMaxXml));
  return out;
}

}  // namespace protocol::cpm
