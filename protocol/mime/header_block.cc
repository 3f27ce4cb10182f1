#include "protocol/mime/header_block.h"

#include <cstring>

namespace protocol::mime {
namespace {

constexpr bool IsSpace(char c) { return c == ' ' || c == '\t'; }

/// Octets up to and with the next LF.
std::size_t LineLength(std::string_view text) {
  const void* lf = std::memchr(text.data(), '\n', text.size());
  return lf == nullptr ? text.size()
                       : static_cast<std::size_t>(static_cast<const char*>(lf) - text.data()) + 1;
}

bool IsEmptyLine(std::string_view text) { return text.starts_with('\n') || text.starts_with("\r\n"); }

}  // namespace

std::optional<HeaderField> HeaderReader::Next() {
  if (rest_.empty() || IsEmptyLine(rest_)) return std::nullopt;

  std::size_t length = LineLength(rest_);
  const std::string_view first = rest_.substr(0, length);
  while (length < rest_.size() && IsSpace(rest_[length])) length += LineLength(rest_.substr(length));

  HeaderField field{.lines = rest_.substr(0, length)};
  rest_.remove_prefix(length);
  if (const std::size_t colon = first.find(':'); colon != std::string_view::npos) {
    field.name = Trim(first.substr(0, colon));
    field.value = field.lines.substr(colon + 1);
  }
  return field;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string Unfold(std::string_view value) {
  value = Trim(value);
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\n') {
      while (!out.empty() && IsSpace(out.back())) out.pop_back();
      while (i + 1 < value.size() && IsSpace(value[i + 1])) ++i;
      out.push_back(' ');
    } else if (c != '\0' && c != '\r') {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace protocol::mime
