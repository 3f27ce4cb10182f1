#include "server/http/byte_range.h"

#include <algorithm>
#include <charconv>

namespace server::http {
namespace {

/// nullopt: no digits. What is too large is as large as can be.
std::optional<std::uint64_t> Digits(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : ~std::uint64_t{0};
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

// ranges-specifier = range-unit "=" range-set
// int-range        = first-pos "-" [ last-pos ]
// suffix-range     = "-" suffix-length
std::variant<WholeOfIt, ByteRange, Unsatisfiable> ReadRange(std::string_view field, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!field.starts_with(kUnit)) return WholeOfIt{};
  const auto range = Trim(field.substr(kUnit.size()));
  const auto dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return WholeOfIt{};
  const auto left = range.substr(0, dash);
  const auto right = range.substr(dash + 1);
  if (left.empty()) {
    const auto suffix = Digits(right);
    if (!suffix) return WholeOfIt{};
    if (*suffix == 0 || size == 0) return Unsatisfiable{};
    const auto length = std::min(*suffix, size);
    return ByteRange{size - length, length};
  }
  const auto first = Digits(left);
  const auto last = right.empty() ? std::optional(~std::uint64_t{0}) : Digits(right);
  if (!first || !last || *last < *first) return WholeOfIt{};
  if (*first >= size) return Unsatisfiable{};
  return ByteRange{*first, std::min(*last, size - 1) - *first + 1};
}

bool NamesEtag(std::string_view field, std::string_view etag, Comparison comparison) {
  while (!field.empty()) {
    const auto comma = field.find(',');
    auto one = Trim(field.substr(0, comma));
    if (comparison == Comparison::kWeak && one.starts_with("W/")) one.remove_prefix(2);
    if (one == "*" || one == etag) return true;
    field.remove_prefix(comma == std::string_view::npos ? field.size() : comma + 1);
  }
  return false;
}

}  // namespace server::http
