#include "protocol/mime/section.h"

#include <algorithm>

#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"

namespace protocol::mime {
namespace {

Extent Header(const Part& part) { return {part.header_begin, part.body_begin - part.header_begin}; }
Extent Body(const Part& part) { return {part.body_begin, part.body_end - part.body_begin}; }

/// Index of child `number` (from 1) of a multipart.
std::optional<std::size_t> Child(const Parts& parts, std::size_t index, std::uint32_t number) {
  const std::size_t end = index + parts[index].subtree;
  for (std::size_t child = index + 1; child < end; child += parts[child].subtree) {
    if (--number == 0) return child;
  }
  return std::nullopt;
}

// RFC 3501 §6.4.5: a message that is no multipart has one part, its text; the number after a message/rfc822
// part counts the parts of the message inside.
std::optional<std::size_t> Find(const Parts& parts, std::span<const std::uint32_t> path) {
  if (parts.empty()) return std::nullopt;
  std::size_t at = 0;
  bool as_message = true;
  for (const std::uint32_t number : path) {
    if (number == 0) return std::nullopt;
    if (!as_message && parts[at].kind == PartKind::kMessage) {
      ++at;
      as_message = true;
    }
    if (parts[at].kind == PartKind::kMultipart) {
      const auto child = Child(parts, at, number);
      if (!child) return std::nullopt;
      at = *child;
    } else if (!as_message || number != 1) {
      return std::nullopt;
    }
    as_message = false;
  }
  return at;
}

}  // namespace

std::optional<Extent> Locate(const Parts& parts, const Section& section) {
  const auto found = Find(parts, section.part);
  if (!found) return std::nullopt;
  const Part& part = parts[*found];
  const bool top = section.part.empty();
  const Part* message = top ? &part : part.kind == PartKind::kMessage ? &parts[*found + 1] : nullptr;
  switch (section.kind) {
    case Section::Kind::kAll:
      return top ? Extent{part.header_begin, part.body_end - part.header_begin} : Body(part);
    case Section::Kind::kMime:
      if (top) return std::nullopt;
      return Header(part);
    case Section::Kind::kHeader:
    case Section::Kind::kHeaderFields:
    case Section::Kind::kHeaderFieldsNot:
      if (message == nullptr) return std::nullopt;
      return Header(*message);
    case Section::Kind::kText:
      if (message == nullptr) return std::nullopt;
      return Body(*message);
  }
  return std::nullopt;
}

const Part* FindPart(const Parts& parts, std::span<const std::uint32_t> path) {
  const auto found = Find(parts, path);
  return found ? &parts[*found] : nullptr;
}

std::string FilterHeader(std::string_view header, std::span<const std::string> fields, bool keep) {
  std::string out;
  HeaderReader reader(header);
  while (const auto field = reader.Next()) {
    const bool named = std::any_of(fields.begin(), fields.end(), [&](const std::string& name) {
      return ascii::EqualNoCase(field->name, name);
    });
    if (named == keep) out += field->lines;
  }
  if (!out.empty() && out.back() != '\n') out += "\r\n";  // the header's last line had no end
  out += reader.rest().empty() ? "\r\n" : reader.rest();
  return out;
}

}  // namespace protocol::mime
