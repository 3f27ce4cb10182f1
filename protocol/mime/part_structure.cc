#include "protocol/mime/part_structure.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kBad = std::string_view::npos;

// Places of a leaf's elements (RFC 3501 §9, body-type-1part).
constexpr std::size_t kType = 0;
constexpr std::size_t kSubtype = 1;
constexpr std::size_t kEncoding = 5;
constexpr std::size_t kOctets = 6;
constexpr std::size_t kTextLines = 7;
constexpr std::size_t kMessageBody = 8;

std::size_t EndOfQuoted(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\')
      ++at;
    else if (text[at] == '"')
      return at + 1;
  }
  return kBad;
}

std::size_t EndOfLiteral(std::string_view text, std::size_t at) {
  std::size_t size = 0;
  const char* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data() + at + 1, end, size);
  constexpr std::string_view kTail = "}\r\n";
  const auto begin = static_cast<std::size_t>(after - text.data()) + kTail.size();
  if (error != std::errc{} || !std::string_view(after, end).starts_with(kTail)) return kBad;
  return size > text.size() - begin ? kBad : begin + size;
}

/// Behind the string, number, NIL or list at `at`.
std::size_t EndOfElement(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  do {
    if (at >= text.size()) return kBad;
    switch (text[at]) {
      case '(': ++depth, ++at; break;
      case ')':
        if (depth == 0) return kBad;
        --depth, ++at;
        break;
      case '"': at = EndOfQuoted(text, at); break;
      case '{': at = EndOfLiteral(text, at); break;
      case ' ': ++at; break;
      default: at = std::min(text.find_first_of(" ()", at), text.size());
    }
  } while (at != kBad && depth > 0);
  return at;
}

/// Element `index` of a list; empty: it has none.
std::string_view Element(std::string_view list, std::size_t index) {
  if (!list.starts_with('(')) return {};
  for (std::size_t at = 1; at < list.size() && list[at] != ')';) {
    if (list[at] == ' ') {
      ++at;
      continue;
    }
    const std::size_t end = EndOfElement(list, at);
    if (end == kBad) return {};
    if (index-- == 0) return list.substr(at, end - at);
    at = end;
  }
  return {};
}

bool IsMultipart(std::string_view structure) { return structure.starts_with("(("); }

bool IsMessage(std::string_view structure) {
  return ascii::EqualNoCase(Element(structure, kType), "\"message\"") &&
         ascii::EqualNoCase(Element(structure, kSubtype), "\"rfc822\"");
}

}  // namespace

std::optional<std::string_view> StructureOfMessage(std::string_view structure) {
  if (!IsMessage(structure)) return std::nullopt;
  const std::string_view body = Element(structure, kMessageBody);
  return body.starts_with('(') ? std::optional(body) : std::nullopt;
}

// The walk of Locate(): RFC 3501 §6.4.5.
std::optional<std::string_view> StructureOf(std::string_view body_structure,
                                            std::span<const std::uint32_t> path) {
  std::string_view at = body_structure;
  bool as_message = true;
  for (const std::uint32_t number : path) {
    if (number == 0) return std::nullopt;
    if (const auto inside = as_message ? std::nullopt : StructureOfMessage(at)) {
      at = *inside;
      as_message = true;
    }
    if (IsMultipart(at)) {
      at = Element(at, number - 1);
      if (!at.starts_with('(')) return std::nullopt;
    } else if (!as_message || number != 1) {
      return std::nullopt;
    }
    as_message = false;
  }
  return at;
}

std::string DecodedStructure(std::string_view structure, std::uint64_t octets, std::uint64_t lines) {
  std::string out(structure);
  if (IsMultipart(structure) || IsMessage(structure)) return out;
  const bool text = ascii::EqualNoCase(Element(structure, kType), "\"text\"");
  const std::array<std::pair<std::size_t, std::string>, 3> changes{
      {{kTextLines, std::to_string(lines)}, {kOctets, std::to_string(octets)}, {kEncoding, "\"BINARY\""}}};
  // From the last to the first, so that what is before stays where it is.
  for (const auto& [index, value] : changes) {
    const std::string_view old = Element(structure, index);
    if (old.empty() || (index == kTextLines && !text)) continue;
    out.replace(static_cast<std::size_t>(old.data() - structure.data()), old.size(), value);
  }
  return out;
}

}  // namespace protocol::mime
