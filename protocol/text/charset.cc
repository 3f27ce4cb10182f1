#include "protocol/text/charset.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include <unicode/ucnv.h>
#include <unicode/utf8.h>

#include "protocol/model/ascii.h"

namespace protocol::text {
namespace {

struct CloseConverter {
  void operator()(UConverter* converter) const { ucnv_close(converter); }
};
using Converter = std::unique_ptr<UConverter, CloseConverter>;

/// ICU takes options behind a comma and answers an empty name with a default; neither is for peers to choose.
bool IsPlausibleName(std::string_view name) {
  return !name.empty() && name.size() <= 60 && std::all_of(name.begin(), name.end(), [](char c) {
    return ascii::IsAlpha(c) || ascii::IsDigit(c) || c == '-' || c == '_' || c == '.' || c == ':' || c == '+';
  });
}

Converter OpenConverter(std::string_view name) {
  if (!IsPlausibleName(name)) return nullptr;
  UErrorCode status = U_ZERO_ERROR;
  Converter converter(ucnv_open(std::string(name).c_str(), &status));
  if (U_FAILURE(status)) return nullptr;
  return converter;
}

bool IsUtf8Name(std::string_view name) {
  return name.empty() || ascii::EqualNoCase(name, "utf-8") || ascii::EqualNoCase(name, "us-ascii") ||
         ascii::EqualNoCase(name, "utf8") || ascii::EqualNoCase(name, "ascii");
}

void AppendCodePoint(UChar32 c, std::string& out) {
  std::array<std::uint8_t, U8_MAX_LENGTH> octets{};
  std::int32_t length = 0;
  U8_APPEND_UNSAFE(octets.data(), length, c);
  out.append(reinterpret_cast<const char*>(octets.data()), static_cast<std::size_t>(length));
}

void AppendWindows1252(unsigned char octet, std::string& out) {
  constexpr std::array<char16_t, 32> kHigh{0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                           0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                           0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                           0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};
  AppendCodePoint(octet < 0xA0 ? kHigh[octet - 0x80U] : octet, out);
}

/// How many octets at the end begin a UTF-8 sequence that more octets could complete.
std::size_t UnfinishedTail(std::string_view octets) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, octets.size()); ++back) {
    const auto octet = static_cast<unsigned char>(octets[octets.size() - back]);
    if (octet < 0x80) return 0;
    if (octet >= 0xC0) return static_cast<std::size_t>(U8_COUNT_TRAIL_BYTES(octet)) + 1 > back ? back : 0;
  }
  return 0;
}

void AppendUtf8OrWindows1252(std::string_view octets, std::string& out) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(octets.data());
  for (std::size_t at = 0; at < octets.size();) {
    // U8_NEXT counts in 32 bits, and looks at four octets.
    const auto rest = static_cast<std::int32_t>(std::min<std::size_t>(octets.size() - at, U8_MAX_LENGTH));
    std::int32_t length = 0;
    UChar32 c = 0;
    U8_NEXT(data + at, length, rest, c);
    if (c >= 0) {
      out += octets.substr(at, static_cast<std::size_t>(length));
    } else {
      length = 1;
      AppendWindows1252(data[at], out);
    }
    at += static_cast<std::size_t>(length);
  }
}

void Convert(UConverter* converter, std::string_view octets, bool last, std::string& out) {
  std::array<UChar, 2048> units{};
  const char* source = octets.data();
  const char* const end = source + octets.size();
  UErrorCode status = U_ZERO_ERROR;
  do {
    status = U_ZERO_ERROR;
    UChar* target = units.data();
    ucnv_toUnicode(converter, &target, units.data() + units.size(), &source, end, nullptr, last, &status);
    const auto count = static_cast<std::int32_t>(target - units.data());
    for (std::int32_t i = 0; i < count;) {
      UChar32 c = 0;
      U16_NEXT(units.data(), i, count, c);
      // A pair may be cut by the end of `units` only if ICU cut it, which it does not.
      AppendCodePoint(U_IS_SURROGATE(c) ? 0xFFFD : c, out);
    }
  } while (status == U_BUFFER_OVERFLOW_ERROR);
}

}  // namespace

bool IsValidUtf8(std::string_view octets) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(octets.data());
  for (std::size_t at = 0; at < octets.size();) {
    if (data[at] < 0x80) {
      ++at;
      continue;
    }
    const auto rest = static_cast<std::int32_t>(std::min<std::size_t>(octets.size() - at, U8_MAX_LENGTH));
    std::int32_t length = 0;
    UChar32 c = 0;
    U8_NEXT(data + at, length, rest, c);
    if (c < 0) return false;
    at += static_cast<std::size_t>(length);
  }
  return true;
}

bool IsKnownCharset(std::string_view charset) {
  return (!charset.empty() && IsUtf8Name(charset)) || OpenConverter(charset) != nullptr;
}

std::span<const std::string_view> CommonCharsets() {
  static constexpr std::array<std::string_view, 16> kNames{
      "UTF-8",        "US-ASCII",     "ISO-8859-1",   "ISO-8859-2", "ISO-8859-15", "windows-1250",
      "windows-1251", "windows-1252", "windows-1256", "KOI8-R",     "ISO-2022-JP", "Shift_JIS",
      "EUC-JP",       "EUC-KR",       "GB18030",      "Big5"};
  return kNames;
}

std::optional<std::string> ToUtf8(std::string_view octets, std::string_view charset) {
  // A converter of ICU for UTF-8 too: it replaces what is malformed.
  const Converter converter = OpenConverter(charset);
  if (!converter) return std::nullopt;
  std::string out;
  out.reserve(octets.size());
  Convert(converter.get(), octets, /*last=*/true, out);
  return out;
}

struct Utf8Converter::State {
  Converter converter;  ///< null: UTF-8
  std::string pending;  ///< the beginning of a UTF-8 sequence
};

Utf8Converter::Utf8Converter(std::string_view charset) : state_(std::make_unique<State>()) {
  if (!IsUtf8Name(charset)) state_->converter = OpenConverter(charset);
}
Utf8Converter::Utf8Converter(Utf8Converter&&) noexcept = default;
Utf8Converter& Utf8Converter::operator=(Utf8Converter&&) noexcept = default;
Utf8Converter::~Utf8Converter() = default;

void Utf8Converter::Append(std::string_view octets, bool last, std::string& out) {
  if (state_->converter) return Convert(state_->converter.get(), octets, last, out);

  std::string joined;
  if (!state_->pending.empty()) {
    joined = std::exchange(state_->pending, {});
    joined += octets;
    octets = joined;
  }
  if (!last) {
    const std::size_t tail = UnfinishedTail(octets);
    state_->pending = octets.substr(octets.size() - tail);
    octets.remove_suffix(tail);
  }
  if (IsValidUtf8(octets)) {
    out += octets;
  } else {
    AppendUtf8OrWindows1252(octets, out);
  }
}

}  // namespace protocol::text
