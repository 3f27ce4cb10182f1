#include "protocol/model/internal_date.h"

#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

#include "protocol/model/ascii.h"

namespace protocol {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<int> Number(std::string_view text) {
  int value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

std::optional<unsigned> Month(std::string_view text) {
  for (unsigned i = 0; i < kMonths.size(); ++i) {
    if (ascii::EqualNoCase(kMonths[i], text)) return i + 1;
  }
  return std::nullopt;
}

/// date-day "-" date-month "-" date-year
std::optional<std::chrono::sys_days> ParseDate(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash > 2 || text.size() != dash + 9 ||
      text[dash + 4] != '-')
    return std::nullopt;
  const auto day = Number(text.substr(0, dash));
  const auto month = Month(text.substr(dash + 1, 3));
  const auto year = Number(text.substr(dash + 5, 4));
  if (!day || !month || !year) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{*month},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date};
}

}  // namespace

std::string FormatDateTime(const InternalDate& date) {
  using namespace std::chrono;
  const sys_seconds local{seconds{date.unix_seconds + std::int64_t{date.zone_minutes} * 60}};
  const auto day = floor<days>(local);
  const year_month_day ymd{day};
  const hh_mm_ss time{local - day};
  const int zone = date.zone_minutes < 0 ? -date.zone_minutes : date.zone_minutes;
  return fmt::format("{:2}-{}-{:04} {:02}:{:02}:{:02} {}{:02}{:02}", static_cast<unsigned>(ymd.day()),
                     kMonths[static_cast<unsigned>(ymd.month()) - 1], static_cast<int>(ymd.year()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     date.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

std::optional<InternalDate> ParseDateTime(std::string_view text) {
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const auto space = text.find(' ');
  if (space == std::string_view::npos || text.size() != space + 15) return std::nullopt;
  const auto day = ParseDate(text.substr(0, space));
  const std::string_view time = text.substr(space + 1);  // hh:mm:ss +zzzz
  if (!day || time[2] != ':' || time[5] != ':' || time[8] != ' ' || (time[9] != '+' && time[9] != '-'))
    return std::nullopt;
  const auto hour = Number(time.substr(0, 2));
  const auto minute = Number(time.substr(3, 2));
  const auto second = Number(time.substr(6, 2));
  const auto zone_hour = Number(time.substr(10, 2));
  const auto zone_minute = Number(time.substr(12, 2));
  if (!hour || !minute || !second || !zone_hour || !zone_minute) return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60 || *zone_hour > 23 || *zone_minute > 59) return std::nullopt;
  int zone = *zone_hour * 60 + *zone_minute;
  if (time[9] == '-') zone = -zone;
  const std::int64_t local =
      std::chrono::duration_cast<std::chrono::seconds>(day->time_since_epoch()).count() + *hour * 3600 +
      *minute * 60 + *second;
  return InternalDate{local - std::int64_t{zone} * 60, static_cast<std::int16_t>(zone)};
}

std::optional<Day> ParseDay(std::string_view text) {
  const auto day = ParseDate(text);
  if (!day) return std::nullopt;
  return Day{static_cast<std::int32_t>(day->time_since_epoch().count())};
}

Day DayOf(const InternalDate& date) {
  const std::int64_t local = date.unix_seconds + std::int64_t{date.zone_minutes} * 60;
  return Day{static_cast<std::int32_t>(local >= 0 ? local / 86400 : -((-local + 86399) / 86400))};
}

}  // namespace protocol
