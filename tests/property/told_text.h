#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/model/ascii.h"

// What a naive client reads out of a server's lines. Nothing here doubts them.

namespace tests {

using FlagWords = std::set<std::string>;

/// 0 if there is none.
template <class Number = std::uint64_t>
Number NumberAt(std::string_view text) {
  Number value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

inline std::optional<std::uint64_t> NumberAfter(std::string_view line, std::string_view word) {
  const auto at = line.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  return NumberAt(line.substr(at + word.size()));
}

/// "5,2:4" in its order.
inline std::vector<std::uint32_t> ParseSet(std::string_view text) {
  std::vector<std::uint32_t> out;
  while (!text.empty()) {
    const auto end = text.find(',');
    const std::string_view part = text.substr(0, end);
    const auto colon = part.find(':');
    const std::uint64_t first = NumberAt(part);
    const std::uint64_t last = colon == std::string_view::npos ? first : NumberAt(part.substr(colon + 1));
    for (std::uint64_t n = first; n <= last; ++n) out.push_back(static_cast<std::uint32_t>(n));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return out;
}

/// In lower case, without Recent.
inline FlagWords ParseFlags(std::string_view list) {
  FlagWords out;
  while (!list.empty()) {
    const auto end = list.find(' ');
    std::string name = protocol::ascii::Lower(list.substr(0, end));
    if (!name.empty() && name != "\\recent") out.insert(std::move(name));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
  return out;
}

}  // namespace tests
