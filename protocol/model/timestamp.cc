#include "protocol/model/timestamp.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "protocol/model/ascii.h"

namespace protocol {
namespace {

/// Takes exactly `count` digits off the front; nullopt: they are not there, or are more than `most`.
std::optional<int> TakeNumber(std::string_view& text, std::size_t count, int most) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, count)) {
    if (!ascii::IsDigit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  if (value > most) return std::nullopt;
  return value;
}

bool Take(std::string_view& text, char upper) {
  if (text.empty() || (text[0] != upper && text[0] != ascii::ToLower(upper))) return false;
  text.remove_prefix(1);
  return true;
}

// time-offset = "Z" / (("+" / "-") time-hour ":" time-minute)
std::optional<int> TakeZoneMinutes(std::string_view& text) {
  if (Take(text, 'Z')) return 0;
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!Take(text, '+') && !Take(text, '-')) return std::nullopt;
  const auto hours = TakeNumber(text, 2, 23);
  if (!hours || !Take(text, ':')) return std::nullopt;
  const auto minutes = TakeNumber(text, 2, 59);
  if (!minutes) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

// date-time = full-date "T" full-time
// full-time = 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*DIGIT] time-offset
std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  constexpr std::size_t kLongest = 40;  // with a fraction that means something
  if (text.size() > kLongest) return std::nullopt;
  const auto year = TakeNumber(text, 4, 9999);
  if (!year || !Take(text, '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2, 12);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2, 31);
  if (!day || !Take(text, 'T')) return std::nullopt;
  const auto hour = TakeNumber(text, 2, 23);
  if (!hour || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2, 59);
  if (!minute || !Take(text, ':')) return std::nullopt;
  const auto second = TakeNumber(text, 2, 60);
  if (!second) return std::nullopt;
  if (Take(text, '.')) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
  }
  const auto zone = TakeZoneMinutes(text);
  if (!zone || !text.empty()) return std::nullopt;

  namespace chrono = std::chrono;
  const chrono::year_month_day date{chrono::year(*year), chrono::month(static_cast<unsigned>(*month)),
                                    chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = chrono::sys_days(date).time_since_epoch().count();
  const std::int64_t instant = days * 86'400 + *hour * 3600 + (*minute - *zone) * 60 + std::min(*second, 59);
  // A zone may lead out of the years that can be written.
  constexpr std::int64_t kFirst = -62'167'219'200;
  constexpr std::int64_t kLast = 253'402'300'799;
  if (instant < kFirst || instant > kLast) return std::nullopt;
  return instant;
}

std::string FormatTimestamp(std::int64_t unix_seconds) {
  namespace chrono = std::chrono;
  const chrono::sys_seconds instant{chrono::seconds(unix_seconds)};
  const auto day = chrono::floor<chrono::days>(instant);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss time(instant - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace protocol
