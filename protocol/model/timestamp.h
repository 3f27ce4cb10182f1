#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace protocol {

/// date-time of RFC 3339 §5.6 -> Unix seconds; a fraction is cut off. Strict: a day, an hour or a zone that
/// does not exist is nullopt; a leap second is the second before it.
std::optional<std::int64_t> ParseTimestamp(std::string_view text);

/// The inverse, in UTC: "2016-03-09T00:00:00Z". For the years 0 to 9999.
std::string FormatTimestamp(std::int64_t unix_seconds);

}  // namespace protocol
