#include "protocol/cpm/object_head.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "protocol/cpm/limits.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/words.h"
#include "protocol/model/ascii.h"
#include "protocol/text/base64.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

/// A value that a reader gives back as it was: one line, no controls, no space around it.
bool IsExact(std::string_view value) {
  return mime::Trim(value) == value && std::none_of(value.begin(), value.end(), IsControl);
}

std::size_t CharacterSize(std::string_view utf8) {
  const auto first = static_cast<unsigned char>(utf8.front());
  const std::size_t size = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  return std::min(size, utf8.size());
}

/// RFC 2047 §2 words of at most 75 octets, folded between them (`fold`) or one word however long.
std::string EncodeWords(std::string_view utf8, bool fold) {
  constexpr std::size_t kOctetsAWord = 45;  // 60 of base64, 12 around it
  std::string out;
  while (!utf8.empty()) {
    std::size_t size = 0;
    while (size < utf8.size()) {
      const std::size_t next = CharacterSize(utf8.substr(size));
      if (fold && size + next > kOctetsAWord) break;
      size += next;
    }
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?b?";
    text::AppendBase64(out, utf8.substr(0, size));
    out += "?=";
    utf8.remove_prefix(size);
  }
  return out;
}

/// As it stands when a reader would give that back and it fits on a line, else as words.
std::string EncodeText(std::string_view utf8, std::size_t line, bool fold) {
  const bool plain =
      IsExact(utf8) && utf8.size() <= line && utf8.find("=?") == std::string_view::npos &&
      std::none_of(utf8.begin(), utf8.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; });
  return plain ? std::string(utf8) : EncodeWords(utf8, fold);
}

/// Year, month, day from days since 1970-01-01 (H. Hinnant's formula).
struct Civil {
  std::int64_t year;
  unsigned month;
  unsigned day;
};
Civil CivilFromDays(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto day_of_era = static_cast<unsigned>(days - era * 146097);
  const unsigned year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const unsigned shifted = (5 * day_of_year + 2) / 153;
  const unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {static_cast<std::int64_t>(year_of_era) + era * 400 + (month <= 2 ? 1 : 0), month,
          day_of_year - (153 * shifted + 2) / 5 + 1};
}

struct Split {
  std::int64_t days;
  std::int64_t second;  ///< of the day
};
Split SplitSeconds(std::int64_t seconds) {
  constexpr std::int64_t kDay = 86400;
  const std::int64_t second = ((seconds % kDay) + kDay) % kDay;
  return {(seconds - second) / kDay, second};
}

}  // namespace

std::string_view ToString(Direction direction) { return direction == Direction::kSent ? "sent" : "received"; }

ObjectHead ReadObjectHead(std::string_view header) {
  ObjectHead out;
  const auto fields = std::to_array<std::pair<std::string_view, std::string*>>({
      {"From", &out.from},
      {"To", &out.to},
      {"Subject", &out.subject},
      {"Message-ID", &out.message_id},
      {"Conversation-ID", &out.conversation_id},
      {"Contribution-ID", &out.contribution_id},
      {"InReplyTo-Contribution-ID", &out.in_reply_to_contribution_id},
      {"IMDN-Message-ID", &out.imdn_message_id},
      {"Message-Correlator", &out.correlator},
      {"Message-Context", &out.context},
      {"P-Asserted-Service", &out.asserted_service},
  });
  mime::HeaderReader reader(header);
  while (const auto field = reader.Next()) {
    if (ascii::EqualNoCase(field->name, "Date")) {
      if (!out.date) out.date = mime::ParseHeaderDate(mime::Unfold(field->value));
    } else if (ascii::EqualNoCase(field->name, "Message-Direction")) {
      const std::string value = mime::Unfold(field->value);
      if (ascii::EqualNoCase(value, "sent") && !out.direction) out.direction = Direction::kSent;
      if (ascii::EqualNoCase(value, "received") && !out.direction) out.direction = Direction::kReceived;
    } else {
      const auto found = std::find_if(fields.begin(), fields.end(), [&](const auto& known) {
        return ascii::EqualNoCase(field->name, known.first);
      });
      if (found != fields.end() && found->second->empty()) *found->second = mime::Unfold(field->value);
    }
  }
  out.subject = mime::DecodeWords(out.subject);
  out.correlator = mime::DecodeWords(out.correlator);
  std::erase(out.context, '"');  // clients send it in quotes
  out.context = ascii::Lower(mime::Trim(out.context));
  return out;
}

std::string CorrelatorOf(std::string_view utf8) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < kCorrelatorCharacters && size < utf8.size(); ++i)
    size += CharacterSize(utf8.substr(size));
  std::string out(utf8.substr(0, size));
  std::replace_if(out.begin(), out.end(), [](char c) { return c == '\r' || c == '\n'; }, ' ');
  std::erase(out, '\0');
  return out;
}

std::string CpmService(std::string_view asserted_service) {
  constexpr std::string_view kPrefix = "urn:urn-7:3gpp-service.ims.icsi.oma.cpm.";
  const std::string value = ascii::Lower(mime::Trim(asserted_service));
  return value.starts_with(kPrefix) ? value.substr(kPrefix.size()) : std::string();
}

std::string EncodeHeaderText(std::string_view utf8) { return EncodeText(utf8, 60, /*fold=*/true); }

tl::expected<std::string, Fault> WriteObjectHead(const ObjectHead& head, const EntityFields& entity) {
  if (head.subject.size() > kMaxSubject)
    return Fail(fmt::format("the Subject exceeds {} octets", kMaxSubject));
  if (!text::IsValidUtf8(head.subject)) return Fail("the Subject is not UTF-8");
  if (!text::IsValidUtf8(head.correlator)) return Fail("the Message-Correlator is not UTF-8");
  if (head.correlator.size() > kMaxCorrelator) {
    return Fail(fmt::format("the Message-Correlator exceeds {} octets", kMaxCorrelator));
  }
  if (head.subject.find('\0') != std::string::npos) return Fail("the Subject holds a NUL");
  if (head.correlator.find('\0') != std::string::npos) return Fail("the Message-Correlator holds a NUL");

  std::string out;
  Fault fault;
  const auto line = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) out.append(name).append(": ").append(value).append("\r\n");
  };
  const auto exact = [&](std::string_view name, std::string_view value, std::size_t most) {
    if (!IsExact(value))
      fault.text = fmt::format("{} holds a control character or begins or ends with a space", name);
    if (value.size() > most) fault.text = fmt::format("{} exceeds {} octets", name, most);
    line(name, value);
  };
  if (head.date) line("Date", FormatHeaderDate(*head.date));
  exact("From", head.from, kMaxHeaderValue);
  exact("To", head.to, kMaxHeaderValue);
  exact("Message-ID", head.message_id, kMaxId);
  line("Subject", EncodeHeaderText(head.subject));
  line("MIME-Version", "1.0");
  exact("Content-Type", entity.content_type, kMaxHeaderValue);
  exact("Content-Transfer-Encoding", entity.transfer_encoding, kMaxHeaderValue);
  exact("Content-Disposition", entity.content_disposition, kMaxHeaderValue);
  exact("Conversation-ID", head.conversation_id, kMaxId);
  exact("Contribution-ID", head.contribution_id, kMaxId);
  exact("InReplyTo-Contribution-ID", head.in_reply_to_contribution_id, kMaxId);
  exact("IMDN-Message-ID", head.imdn_message_id, kMaxId);
  if (head.direction) line("Message-Direction", ToString(*head.direction));
  // One word, as clients compare the field octet by octet; 160 characters of four octets make 866.
  line("Message-Correlator", EncodeText(head.correlator, kMaxCorrelator, /*fold=*/false));
  exact("Message-Context", head.context, kMaxId);
  exact("P-Asserted-Service", head.asserted_service, kMaxId);
  if (!fault.text.empty()) return tl::unexpected<Fault>(std::move(fault));
  out += "\r\n";
  return out;
}

std::optional<std::int64_t> ParseIsoDateTime(std::string_view text) {
  const auto digits = [&](std::size_t count) -> std::optional<int> {
    if (text.size() < count ||
        !std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(count), ascii::IsDigit))
      return std::nullopt;
    int value = 0;
    for (const char c : text.substr(0, count)) value = value * 10 + (c - '0');
    text.remove_prefix(count);
    return value;
  };
  const auto accept = [&](char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  };
  const auto two = [&](char before) -> std::optional<int> {
    return accept(before) ? digits(2) : std::nullopt;
  };

  const auto year = digits(4);
  const auto month = two('-');
  const auto day = two('-');
  const auto hour = two('T');
  const auto minute = two(':');
  const auto second = two(':');
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok() || *hour > 24 || *minute > 59 || *second > 60) return std::nullopt;

  int milliseconds = 0;
  if (accept('.')) {
    int weight = 100;
    if (text.empty() || !ascii::IsDigit(text.front())) return std::nullopt;
    for (; !text.empty() && ascii::IsDigit(text.front()); text.remove_prefix(1), weight /= 10)
      milliseconds += (text.front() - '0') * weight;
  }
  int zone = 0;
  if (!text.empty() && !accept('Z')) {
    const int sign = text.front() == '-' ? -1 : 1;
    const auto hours = two(text.front() == '-' ? '-' : '+');
    const auto minutes = two(':');
    if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
    zone = sign * (*hours * 60 + *minutes);
  }
  if (!text.empty()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute - zone) * 60'000 + *second * 1'000 + milliseconds;
}

std::string FormatIsoDateTime(const InternalDate& date) {
  const Split at = SplitSeconds(date.unix_seconds);
  const Civil civil = CivilFromDays(at.days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z", civil.year, civil.month, civil.day,
                     at.second / 3600, at.second / 60 % 60, at.second % 60);
}

std::string FormatHeaderDate(const InternalDate& date) {
  constexpr std::array<std::string_view, 7> kDays{"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Split at = SplitSeconds(date.unix_seconds + std::int64_t{date.zone_minutes} * 60);
  const Civil civil = CivilFromDays(at.days);
  const int zone = date.zone_minutes < 0 ? -date.zone_minutes : date.zone_minutes;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02}",
                     kDays[static_cast<std::size_t>(((at.days % 7) + 7) % 7)], civil.day,
                     kMonths[civil.month - 1], civil.year, at.second / 3600, at.second / 60 % 60,
                     at.second % 60, date.zone_minutes < 0 ? '-' : '+', zone / 60, zone % 60);
}

}  // namespace protocol::cpm
