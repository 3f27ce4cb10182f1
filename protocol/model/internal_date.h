#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace protocol {

/// RFC 3501 §2.3.3: an instant and the zone it was given in, so that it is shown as it came.
struct InternalDate {
  std::int64_t unix_seconds = 0;
  std::int16_t zone_minutes = 0;  ///< east of UTC; display only
  friend bool operator==(const InternalDate&, const InternalDate&) = default;
};

/// A calendar day, as SEARCH's date keys name it; the zone is disregarded (RFC 3501 §6.4.4).
struct Day {
  std::int32_t days_since_epoch = 0;
  friend auto operator<=>(const Day&, const Day&) = default;
};

/// " 7-Feb-1994 22:43:04 -0800" without quotes: date-time of RFC 3501 §9, always 26 characters.
std::string FormatDateTime(const InternalDate& date);

/// The inverse, tolerant of a missing leading space on the day. Rejects days that do not exist.
std::optional<InternalDate> ParseDateTime(std::string_view text);

/// date-text of RFC 3501 §9: "1-Feb-1994".
std::optional<Day> ParseDay(std::string_view text);

/// The day in the date's own zone.
Day DayOf(const InternalDate& date);

}  // namespace protocol
