#include "protocol/cpm/html_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>

#include <libxml/HTMLparser.h>

namespace protocol::cpm {
namespace {

/// Elements that do not part the words around them.
constexpr std::array<std::string_view, 22> kInline{
    "a",    "abbr", "b",     "bdi",  "bdo",    "big",    "cite", "code", "em", "font", "i",
    "mark", "s",    "small", "span", "strike", "strong", "sub",  "sup",  "tt", "u",    "wbr"};

/// Elements whose content is not shown.
constexpr std::array<std::string_view, 5> kHidden{"head", "title", "style", "script", "template"};

struct Reader {
  std::string text;
  std::size_t hidden = 0;  ///< open elements of kHidden

  void Part(std::string_view name) {
    if (std::ranges::find(kInline, name) == kInline.end()) text += '\n';
  }
};

std::string_view View(const xmlChar* text) { return reinterpret_cast<const char*>(text); }

void OnStart(void* user, const xmlChar* name, const xmlChar** /*attributes*/) {
  auto& reader = *static_cast<Reader*>(user);
  reader.hidden += static_cast<std::size_t>(std::ranges::count(kHidden, View(name)));
  reader.Part(View(name));
}

void OnEnd(void* user, const xmlChar* name) {
  auto& reader = *static_cast<Reader*>(user);
  if (std::ranges::find(kHidden, View(name)) != kHidden.end() && reader.hidden > 0) --reader.hidden;
  reader.Part(View(name));
}

void OnText(void* user, const xmlChar* text, int size) {
  auto& reader = *static_cast<Reader*>(user);
  if (reader.hidden == 0)
    reader.text.append(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

/// Of scripts and styles; without it they would be text.
void OnCdata(void* /*user*/, const xmlChar* /*text*/, int /*size*/) {}

}  // namespace

std::string HtmlText(std::string_view utf8) {
  static const bool initialized [[maybe_unused]] =
      (xmlInitParser(), true);  // once, whichever thread is first
  Reader reader;
  htmlSAXHandler handler{};
  handler.startElement = &OnStart;
  handler.endElement = &OnEnd;
  handler.characters = &OnText;
  handler.ignorableWhitespace = &OnText;
  handler.cdataBlock = &OnCdata;
  const std::unique_ptr<htmlParserCtxt, decltype(&htmlFreeParserCtxt)> parser(
      htmlCreatePushParserCtxt(&handler, &reader, nullptr, 0, nullptr, XML_CHAR_ENCODING_UTF8),
      &htmlFreeParserCtxt);
  if (!parser) return {};
  htmlCtxtUseOptions(parser.get(), HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                       HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
  htmlParseChunk(parser.get(), utf8.data(), static_cast<int>(utf8.size()), /*terminate=*/1);
  return std::move(reader.text);
}

}  // namespace protocol::cpm
