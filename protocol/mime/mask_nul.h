#pragma once

#include <cstring>
#include <span>
#include <string_view>

namespace protocol::mime {

inline bool HoldsNul(std::string_view octets) {
  return !octets.empty() && std::memchr(octets.data(), '\0', octets.size()) != nullptr;
}

/// NUL, which no literal may hold (RFC 3501 §9), becomes %x80.
inline void MaskNul(std::span<char> octets) {
  if (!HoldsNul({octets.data(), octets.size()})) return;  // nearly always
  // Each is stored, changed or not: so the compiler takes many at once, which it does not for std::replace.
  for (char& c : octets) c = c == '\0' ? '\x80' : c;
}

}  // namespace protocol::mime
