#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace protocol::parse {

/// A literal's announcement at the end of a line, found without parsing what stands before.
struct LiteralTail {
  std::uint64_t size = 0;  ///< all ones if the number does not fit
  bool synchronizing = true;
};

/// `line` ends with LF. "{5}CRLF", "{5+}CRLF"; nullopt for any other end. 21 digits count as a number that
/// does not fit, whatever stands before them: the answer depends on the last kLongestLiteralTail octets only.
std::optional<LiteralTail> FindLiteralTail(std::string_view line);

inline constexpr std::size_t kLongestLiteralTail = 25;  ///< 21 digits, "+}", CRLF

}  // namespace protocol::parse
