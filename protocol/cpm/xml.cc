#include "protocol/cpm/xml.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <libxml/parser.h>

#include "protocol/cpm/limits.h"
#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

std::string_view View(const xmlChar* text) {
  return text == nullptr ? std::string_view{} : std::string_view(reinterpret_cast<const char*>(text));
}

/// Where entities are not expanded, libxml2 gives each '&' of an attribute's value as "&#38;".
std::string Ampersands(std::string_view value) {
  constexpr std::string_view kAmpersand = "&#38;";
  std::string out;
  while (!value.empty()) {
    const bool escaped = value.starts_with(kAmpersand);
    out += value.front();
    value.remove_prefix(escaped ? kAmpersand.size() : 1);
  }
  return out;
}

/// Builds the elements; the first fault ends the parser.
struct Builder {
  xmlParserCtxtPtr parser = nullptr;
  XmlElement root;
  std::vector<XmlElement*> open;  ///< the innermost alone gets children, so what is open does not move
  std::size_t elements = 0;
  std::string fault;

  void Stop(std::string why) {
    if (fault.empty()) fault = std::move(why);
    xmlStopParser(parser);
  }

  void Start(std::string_view name, std::string_view uri, int count, const xmlChar** attributes) {
    if (!fault.empty()) return;
    if (open.empty()) {  // the element that ParseXml() puts around everything
      open.push_back(&root);
      return;
    }
    if (open.size() > kMaxXmlDepth)
      return Stop(fmt::format("XML elements nest deeper than {}", kMaxXmlDepth));
    if (++elements > kMaxXmlElements) return Stop(fmt::format("more than {} XML elements", kMaxXmlElements));
    XmlElement& element = open.back()->children.emplace_back();
    element.name = name;
    element.namespace_uri = uri;
    for (int i = 0; i < count; ++i) {  // name, prefix, URI, value, its end
      const xmlChar** attribute = attributes + static_cast<std::ptrdiff_t>(i) * 5;
      const auto* begin = reinterpret_cast<const char*>(attribute[3]);
      const auto* end = reinterpret_cast<const char*>(attribute[4]);
      element.attributes.emplace_back(View(attribute[0]), Ampersands({begin, end}));
    }
    open.push_back(&element);
  }
};

void OnStart(void* user, const xmlChar* name, const xmlChar* /*prefix*/, const xmlChar* uri,
             int /*namespaces*/, const xmlChar** /*bindings*/, int attributes, int /*defaulted*/,
             const xmlChar** values) {
  static_cast<Builder*>(user)->Start(View(name), View(uri), attributes, values);
}

void OnEnd(void* user, const xmlChar* /*name*/, const xmlChar* /*prefix*/, const xmlChar* /*uri*/) {
  auto& builder = *static_cast<Builder*>(user);
  if (builder.fault.empty() && !builder.open.empty()) builder.open.pop_back();
}

void OnText(void* user, const xmlChar* text, int size) {
  auto& builder = *static_cast<Builder*>(user);
  if (!builder.fault.empty() || builder.open.empty()) return;
  builder.open.back()->text.append(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

void OnDoctype(void* user, const xmlChar* /*name*/, const xmlChar* /*id*/, const xmlChar* /*system*/) {
  static_cast<Builder*>(user)->Stop("the XML has a document type declaration");
}

/// libxml2 would write to stderr otherwise.
void OnError(void* user, xmlErrorPtr error) {
  auto& builder = *static_cast<Builder*>(user);
  if (!builder.fault.empty() || error->level == XML_ERR_WARNING) return;
  std::string message;
  for (const char c : std::string_view(error->message == nullptr ? "" : error->message).substr(0, 120)) {
    if (c >= 0x20 && c < 0x7f) message += c;  // a fault is a clause of printable ASCII, the input may not be
  }
  builder.fault = fmt::format("the XML is not well-formed at line {}: {}", error->line, TrimXml(message));
}

/// Takes the XML declaration off and makes UTF-8 of the rest.
std::optional<std::string> ToUtf8(std::string_view octets) {
  std::string utf16;
  if (octets.starts_with("\xFE\xFF") || octets.starts_with("\xFF\xFE")) {
    auto converted = text::ToUtf8(octets.substr(2), octets.starts_with("\xFE\xFF") ? "UTF-16BE" : "UTF-16LE");
    if (!converted) return std::nullopt;
    utf16 = *std::move(converted);
    octets = utf16;
  } else if (octets.starts_with("\xEF\xBB\xBF")) {
    octets.remove_prefix(3);
  }
  octets = TrimXml(octets);
  std::string charset = "utf-8";
  const std::size_t end = octets.find("?>");
  // Not a processing instruction such as <?xml-stylesheet.
  if (end != std::string_view::npos && octets.starts_with("<?xml") &&
      kSpace.find(octets[5]) != std::string_view::npos) {
    const std::string_view declaration = octets.substr(0, end);
    if (const std::size_t at = declaration.find("encoding"); at != std::string_view::npos) {
      const std::size_t open = declaration.find_first_of("\"'", at);
      if (open == std::string_view::npos) return std::nullopt;
      const std::size_t close = declaration.find(declaration[open], open + 1);
      if (close == std::string_view::npos) return std::nullopt;
      charset = ascii::Lower(declaration.substr(open + 1, close - open - 1));
    }
    octets.remove_prefix(end + 2);
  }
  // What is not UTF-8 is libxml2's to refuse, not ours to repair.
  if (!utf16.empty() || charset == "utf-8" || charset == "utf8" || charset == "us-ascii") {
    return std::string(octets);
  }
  return text::ToUtf8(octets, charset);
}

/// What AppendXmlText() puts for the character at the beginning of `text`; consumes it.
std::string_view TakeXml(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t wanted = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  const std::string_view character = text.substr(0, wanted);
  if (wanted == 1) {
    text.remove_prefix(1);
    return first < 0x20 && first != '\t' && first != '\n' && first != '\r' ? kReplacement : character;
  }
  if (!text::IsValidUtf8(character)) {
    text.remove_prefix(1);
    return kReplacement;
  }
  text.remove_prefix(wanted);
  return character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF" ? kReplacement : character;
}

}  // namespace

std::string_view TrimXml(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

const XmlElement* XmlElement::Child(std::string_view child) const {
  const auto found =
      std::find_if(children.begin(), children.end(), [&](const XmlElement& e) { return e.name == child; });
  return found == children.end() ? nullptr : &*found;
}

const std::string* XmlElement::Attribute(std::string_view attribute) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const auto& a) { return a.first == attribute; });
  return found == attributes.end() ? nullptr : &found->second;
}

std::string_view XmlElement::trimmed() const { return TrimXml(text); }

tl::expected<XmlElement, Fault> ParseXml(std::string_view octets) {
  if (octets.size() > kMaxXml) return Fail(fmt::format("the XML exceeds {} octets", kMaxXml));
  const auto content = ToUtf8(octets);
  if (!content) return Fail("the XML is in an unknown character encoding");
  if (content->find('\0') != std::string::npos) return Fail("the XML holds a NUL");

  [[maybe_unused]] static const bool initialised =
      (xmlInitParser(), true);  // once, whichever thread is first
  xmlSAXHandler handler{};
  handler.initialized = XML_SAX2_MAGIC;
  handler.startElementNs = &OnStart;
  handler.endElementNs = &OnEnd;
  handler.characters = &OnText;
  handler.cdataBlock = &OnText;
  handler.ignorableWhitespace = &OnText;
  handler.internalSubset = &OnDoctype;
  handler.serror = &OnError;

  Builder builder;
  const std::unique_ptr<xmlParserCtxt, decltype(&xmlFreeParserCtxt)> parser(
      xmlCreatePushParserCtxt(&handler, &builder, nullptr, 0, nullptr), &xmlFreeParserCtxt);
  if (!parser) return Fail("the XML could not be parsed: no memory");
  builder.parser = parser.get();
  // No option that would expand entities, load a DTD or lift libxml2's own limits.
  xmlCtxtUseOptions(parser.get(), XML_PARSE_NONET);
  // A fragment may have several elements at the top: one is put around them. A document type declaration
  // inside an element is not well-formed.
  constexpr std::string_view kOpen = "<c>";
  constexpr std::string_view kClose = "</c>";
  xmlParseChunk(parser.get(), kOpen.data(), kOpen.size(), 0);
  xmlParseChunk(parser.get(), content->data(), static_cast<int>(content->size()), 0);
  xmlParseChunk(parser.get(), kClose.data(), kClose.size(), 1);
  if (!builder.fault.empty() && content->find("<!DOCTYPE") != std::string::npos) {
    return Fail("the XML has a document type declaration");
  }
  if (!builder.fault.empty()) return Fail(std::move(builder.fault));
  if (parser->wellFormed == 0 || !builder.open.empty()) return Fail("the XML is not well-formed");
  return std::move(builder.root);
}

tl::expected<XmlElement, Fault> ParseXmlDocument(std::string_view octets, std::string_view root) {
  auto content = ParseXml(octets);
  if (!content) return content;
  if (content->children.size() != 1 || content->children[0].name != root || !content->trimmed().empty()) {
    return Fail(fmt::format("the XML document is no <{}>", root));
  }
  XmlElement element = std::move(content->children[0]);
  return element;
}

void AppendXmlText(std::string& out, std::string_view utf8, bool attribute) {
  while (!utf8.empty()) {
    switch (utf8.front()) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += attribute ? "&quot;" : "\""; break;
      case '\r': out += "&#13;"; break;
      default: out += TakeXml(utf8); continue;
    }
    utf8.remove_prefix(1);
  }
}

bool FitsXml(std::string_view utf8) {
  while (!utf8.empty()) {
    const char* at = utf8.data();
    if (TakeXml(utf8).data() != at) return false;
  }
  return true;
}

bool FitsXmlElement(std::string_view utf8) { return FitsXml(utf8) && TrimXml(utf8).size() == utf8.size(); }

}  // namespace protocol::cpm
