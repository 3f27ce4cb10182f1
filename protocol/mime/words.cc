#include "protocol/mime/words.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include <gmime/gmime.h>

#include "protocol/mime/gmime.h"
#include "protocol/mime/header_block.h"
#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"

namespace protocol::mime {
namespace {

constexpr std::size_t kLongestDayName = 9;  // Wednesday

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<signed char>(c) >= 0; });
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar (H. Hinnant's formula).
constexpr std::int64_t DaysFromCivil(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int era = (year >= 0 ? year : year - 399) / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<std::int64_t>(era) * 146097 + day_of_era - 719468;
}

constexpr int DaysInMonth(int year, int month) {
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

class DateParser {
 public:
  explicit DateParser(std::string_view text) : text_(text) {}

  // date-time = [ day-of-week "," ] day month year hour ":" minute [ ":" second ] zone
  std::optional<InternalDate> Parse() {
    Space();
    if (!AtEnd() && ascii::IsAlpha(text_[pos_])) {
      Letters();
      Space();
      if (!Accept(',')) return std::nullopt;
      Space();
    }
    const auto day = Number(1, 2);
    Space();
    const auto month = Month();
    Space();
    auto year = Number(2, 4);
    const auto hour = Clock(/*colon=*/false);
    const auto minute = Clock(/*colon=*/true);
    if (!day || !month || !year || !hour || !minute) return std::nullopt;
    Space();
    std::optional<int> second = 0;
    if (Accept(':')) second = Number(1, 2);
    if (*year < 50) {  // RFC 5322 §4.3
      *year += 2000;
    } else if (*year < 1000) {
      *year += 1900;
    }
    const auto zone = Zone();
    if (!second || !zone || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    if (*day < 1 || *day > DaysInMonth(*year, *month)) return std::nullopt;
    const std::int64_t seconds =
        DaysFromCivil(*year, *month, *day) * 86400 + *hour * 3600 + *minute * 60 + *second;
    return InternalDate{.unix_seconds = seconds - *zone * 60,
                        .zone_minutes = static_cast<std::int16_t>(*zone)};
  }

 private:
  bool AtEnd() const { return pos_ >= text_.size(); }
  bool Accept(char c) {
    if (AtEnd() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  void Space() {
    while (!AtEnd() && (text_[pos_] == ' ' || text_[pos_] == '\t')) ++pos_;
  }
  std::string_view Letters() {
    const std::size_t begin = pos_;
    while (!AtEnd() && ascii::IsAlpha(text_[pos_])) ++pos_;
    return text_.substr(begin, pos_ - begin);
  }
  std::optional<int> Number(std::size_t least, std::size_t most) {
    int value = 0;
    std::size_t digits = 0;
    for (; !AtEnd() && digits < most && ascii::IsDigit(text_[pos_]); ++pos_, ++digits) {
      value = value * 10 + (text_[pos_] - '0');
    }
    if (digits < least || (!AtEnd() && ascii::IsDigit(text_[pos_]))) return std::nullopt;
    return value;
  }
  std::optional<int> Clock(bool colon) {
    Space();
    if (colon && !Accept(':')) return std::nullopt;
    Space();
    return Number(1, 2);
  }
  std::optional<int> Month() {
    constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                       "jul", "aug", "sep", "oct", "nov", "dec"};
    const std::string_view name = Letters();
    for (std::size_t i = 0; i < kMonths.size(); ++i) {
      if (ascii::EqualNoCase(name, kMonths[i])) return static_cast<int>(i) + 1;
    }
    return std::nullopt;
  }

  // zone = (( "+" / "-" ) 4DIGIT) / obs-zone
  std::optional<int> Zone() {
    Space();
    if (AtEnd()) return std::nullopt;
    const bool west = text_[pos_] == '-';
    if (west || text_[pos_] == '+') {
      ++pos_;
      const auto digits = Number(4, 4);
      if (!digits || *digits % 100 > 59 || *digits > 2359) return std::nullopt;
      const int minutes = *digits / 100 * 60 + *digits % 100;
      return west ? -minutes : minutes;
    }
    struct Named {
      std::string_view name;
      int hours;
    };
    constexpr std::array kZones{Named{"ut", 0},   Named{"gmt", 0},  Named{"utc", 0},  Named{"z", 0},
                                Named{"est", -5}, Named{"edt", -4}, Named{"cst", -6}, Named{"cdt", -5},
                                Named{"mst", -7}, Named{"mdt", -6}, Named{"pst", -8}, Named{"pdt", -7}};
    const std::string_view name = Letters();
    for (const auto& zone : kZones) {
      if (ascii::EqualNoCase(name, zone.name)) return zone.hours * 60;
    }
    return std::nullopt;
  }

  std::string_view text_;
  std::size_t pos_ = 0;
};

std::optional<InternalDate> TolerantDate(std::string_view value) {
  constexpr std::size_t kLongest = 100;
  if (value.size() > kLongest) return std::nullopt;
  InitGMime();
  const std::string text(value);
  const std::unique_ptr<GDateTime, decltype(&g_date_time_unref)> date(
      g_mime_utils_header_decode_date(text.c_str()), &g_date_time_unref);
  if (!date) return std::nullopt;
  constexpr std::int64_t kMicrosecondsAMinute = 60'000'000;
  return InternalDate{.unix_seconds = g_date_time_to_unix(date.get()),
                      .zone_minutes = static_cast<std::int16_t>(g_date_time_get_utc_offset(date.get()) /
                                                                kMicrosecondsAMinute)};
}

constexpr std::string_view kSpace = " \t\r\n";

/// "=?utf-8?B?YQ==?="
bool IsPaddedWord(std::string_view token) {
  return token.starts_with("=?") && token.ends_with("=?=") &&
         (token.find("?B?") != std::string_view::npos || token.find("?b?") != std::string_view::npos);
}

/// The encoded words in `text` that GMime may see at once, from `from` on, which moves behind them. GMime
/// takes neighbours of one charset for one text, as some senders break a character between two; then it reads
/// no further than where the base64 of the first is padded. But a word is complete in itself (RFC 2047 §5),
/// and one with padding surely is. The space between two words is not text (§6.2).
std::string_view NextWords(std::string_view text, std::size_t& from) {
  const std::size_t begin = from;
  while (from < text.size()) {
    const std::size_t token = std::min(text.find_first_not_of(kSpace, from), text.size());
    const std::size_t end = std::min(text.find_first_of(kSpace, token), text.size());
    const std::size_t next = std::min(text.find_first_not_of(kSpace, end), text.size());
    from = end;
    if (next > end && IsPaddedWord(text.substr(token, end - token)) && text.substr(next).starts_with("=?")) {
      from = next;
      return text.substr(begin, end - begin);
    }
  }
  return text.substr(begin);
}

}  // namespace

void InitGMime() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

std::string DecodeWords(std::string_view value) {
  std::string text;
  if (IsAscii(value)) {
    text = value;
  } else {
    text::Utf8Converter({}).Append(value, /*last=*/true, text);
  }
  if (text.find("=?") == std::string::npos) return text;
  InitGMime();
  std::erase(text, '\0');
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string words(NextWords(text, at));
    const std::unique_ptr<char, decltype(&g_free)> decoded(
        g_mime_utils_header_decode_text(nullptr, words.c_str()), &g_free);
    out += decoded.get();
  }
  if (!text::IsValidUtf8(out)) {  // words in a charset that GMime does not know are left as octets
    text = std::exchange(out, {});
    text::Utf8Converter({}).Append(text, /*last=*/true, out);
  }
  for (char& c : out) {
    if (c == '\n' || c == '\r') c = ' ';  // an encoded line end must not end a line of ours
  }
  return out;
}

std::optional<InternalDate> ParseHeaderDate(std::string_view value) {
  value = Trim(value);
  if (auto date = DateParser(value).Parse()) return date;
  return TolerantDate(value);
}

// [ day-of-week "," ] day month year, and anything
std::optional<InternalDate> ParseHeaderDay(std::string_view value) {
  value = Trim(value);
  if (const auto comma = value.find(','); comma <= kLongestDayName) value = Trim(value.substr(comma + 1));
  std::size_t end = 0;
  for (int word = 0; word < 3 && end < value.size(); ++word) {
    end = std::min(value.find_first_not_of(" \t", end), value.size());
    end = std::min(value.find_first_of(" \t", end), value.size());
  }
  const std::string day = std::string(value.substr(0, end)) + " 00:00:00 +0000";
  return DateParser(day).Parse();
}

}  // namespace protocol::mime
