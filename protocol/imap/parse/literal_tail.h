#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol::parse {

/// A literal's announcement at the end of a line, found without parsing what stands before.
struct LiteralTail {
  std::uint64_t size = 0;  ///< all ones if the number does not fit
  bool synchronizing = true;
};

/// `line` ends with LF. "{5}CRLF", "{5+}CRLF"; nullopt for any other end.
std::optional<LiteralTail> FindLiteralTail(std::string_view line);

/// No tail is longer: "{", 20 digits, "+}", CRLF, and one octet that shows that the number is too long.
inline constexpr std::size_t kLongestLiteralTail = 26;

}  // namespace protocol::parse
