#include "protocol/cpm/http_file.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "protocol/cpm/limits.h"
#include "protocol/cpm/xml.h"

namespace protocol::cpm {
namespace {

std::string TextOf(const XmlElement& parent, std::string_view name) {
  const XmlElement* child = parent.Child(name);
  return child == nullptr ? std::string() : std::string(child->trimmed());
}

std::string AttributeOf(const XmlElement& element, std::string_view name) {
  const std::string* value = element.Attribute(name);
  return value == nullptr ? std::string() : *value;
}

tl::expected<HttpFile::Info, Fault> ReadInfo(const XmlElement& element) {
  HttpFile::Info out{.type = AttributeOf(element, "type"),
                     .name = TextOf(element, "file-name"),
                     .content_type = TextOf(element, "content-type")};
  const std::string size = TextOf(element, "file-size");
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), out.size);
  if (error != std::errc{} || end != size.data() + size.size()) {
    return Fail("a file-info has no file-size, or one that is no number");
  }
  if (out.content_type.empty()) return Fail("a file-info has no content-type");
  const XmlElement* data = element.Child("data");
  if (data != nullptr) {
    out.url = AttributeOf(*data, "url");
    out.until = AttributeOf(*data, "until");
  }
  if (out.url.empty()) return Fail("a file-info has no data with a url");
  return out;
}

}  // namespace

const HttpFile::Info* HttpFile::Find(std::string_view type) const {
  const auto found =
      std::find_if(infos.begin(), infos.end(), [&](const Info& info) { return info.type == type; });
  return found == infos.end() ? nullptr : &*found;
}

tl::expected<HttpFile, Fault> ReadHttpFile(std::string_view xml) {
  const auto root = ParseXmlDocument(xml, "file");
  if (!root) return tl::unexpected<Fault>(root.error());
  HttpFile out;
  for (const XmlElement& child : root->children) {
    if (child.name != "file-info") continue;
    auto info = ReadInfo(child);
    if (!info) return tl::unexpected<Fault>(info.error());
    out.infos.push_back(*std::move(info));
  }
  if (out.Find("file") == nullptr) return Fail("the file description has no file-info of type file");
  return out;
}

tl::expected<std::string, Fault> WriteHttpFile(const HttpFile& file) {
  if (file.Find("file") == nullptr) return Fail("the file description has no file-info of type file");
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<file "
      "xmlns=\"urn:gsma:params:xml:ns:rcs:rcs:fthttp\">\r\n";
  for (const HttpFile::Info& info : file.infos) {
    if (info.content_type.empty()) return Fail("a file-info has no content-type");
    if (info.url.empty()) return Fail("a file-info has no data with a url");
    for (const std::string_view text :
         {std::string_view(info.type), std::string_view(info.name), std::string_view(info.content_type),
          std::string_view(info.url), std::string_view(info.until)}) {
      if (!FitsXmlElement(text) || text.find_first_of("\t\r\n") != std::string_view::npos) {
        return Fail("a value of the file description has white space around it, or is no text for XML");
      }
    }
    const auto element = [&](std::string_view name, std::string_view text) {
      out.append("    <").append(name).append(">");
      AppendXmlText(out, text);
      out.append("</").append(name).append(">\r\n");
    };
    const auto attribute = [&](std::string_view name, std::string_view text) {
      out.append(" ").append(name).append("=\"");
      AppendXmlText(out, text, /*attribute=*/true);
      out += '"';
    };
    out += "  <file-info";
    attribute("type", info.type);
    out += ">\r\n";
    element("file-size", std::to_string(info.size));
    if (!info.name.empty()) element("file-name", info.name);
    element("content-type", info.content_type);
    out += "    <data";
    attribute("url", info.url);
    if (!info.until.empty()) attribute("until", info.until);
    out += "/>\r\n  </file-info>\r\n";
  }
  out += "</file>\r\n";
  if (out.size() > kMaxXml) return Fail(fmt::format("the file description exceeds {} octets", kMaxXml));
  return out;
}

}  // namespace protocol::cpm
