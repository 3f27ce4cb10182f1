#include "protocol/text/modified_utf7.h"

#include <array>
#include <cstdint>

namespace protocol::text {
namespace {

// RFC 3501 §5.1.3: base64 with "," instead of "/", without padding.
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
constexpr std::uint8_t kInvalid = 0xff;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

constexpr bool IsPrintable(std::uint32_t c) { return c >= 0x20 && c <= 0x7e; }

/// The code point that starts `s`, and its length; malformed octets count as U+FFFD of length 1.
struct CodePoint {
  std::uint32_t value = 0xfffd;
  std::size_t length = 1;
};

CodePoint NextCodePoint(std::string_view s) {
  const auto at = [&](std::size_t i) -> std::uint32_t {
    return i < s.size() ? static_cast<unsigned char>(s[i]) : 0;
  };
  const std::uint32_t c = at(0);
  if (c < 0x80) return {c, 1};
  const std::size_t length = c >= 0xc2 && c < 0xe0   ? 2
                             : c >= 0xe0 && c < 0xf0 ? 3
                             : c >= 0xf0 && c < 0xf5 ? 4
                                                     : 0;
  if (length == 0) return {};
  std::uint32_t value = c & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return {};
    value = value << 6 | (at(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value < 0xe000;
  if (overlong || surrogate || value > 0x10ffff) return {};
  return {value, length};
}

void AppendUtf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xc0U | c >> 6);
    out += static_cast<char>(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xe0U | c >> 12);
    out += static_cast<char>(0x80U | (c >> 6 & 0x3fU));
    out += static_cast<char>(0x80U | (c & 0x3fU));
  } else {
    out += static_cast<char>(0xf0U | c >> 18);
    out += static_cast<char>(0x80U | (c >> 12 & 0x3fU));
    out += static_cast<char>(0x80U | (c >> 6 & 0x3fU));
    out += static_cast<char>(0x80U | (c & 0x3fU));
  }
}

/// One "&...-": UTF-16 units in, digits out.
class ShiftWriter {
 public:
  explicit ShiftWriter(std::string& out) : out_(out) { out_ += '&'; }

  void Add(std::uint32_t code_point) {
    if (code_point < 0x10000) return Unit(code_point);
    Unit(0xd800 + ((code_point - 0x10000) >> 10));
    Unit(0xdc00 + ((code_point - 0x10000) & 0x3ffU));
  }
  void End() {
    if (count_ > 0) out_ += kAlphabet[bits_ << (6 - count_) & 0x3fU];
    out_ += '-';
  }

 private:
  void Unit(std::uint32_t unit) {
    bits_ = (bits_ << 16 | unit) & 0x3fffffU;  // at most 4 bits were left over
    count_ += 16;
    while (count_ >= 6) {
      count_ -= 6;
      out_ += kAlphabet[bits_ >> count_ & 0x3fU];
    }
  }

  std::string& out_;
  std::uint32_t bits_ = 0;
  unsigned count_ = 0;
};

/// Decodes the digits between "&" and "-" into `out`.
bool DecodeShift(std::string& out, std::string_view digits) {
  std::uint32_t bits = 0;
  unsigned count = 0;
  std::uint32_t high = 0;  // a high surrogate that waits for its low one
  for (const char c : digits) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kInvalid) return false;
    bits = (bits << 6 | value) & 0x3fffffU;
    count += 6;
    if (count < 16) continue;
    count -= 16;
    const std::uint32_t unit = bits >> count & 0xffffU;
    if (high != 0) {
      if (unit < 0xdc00 || unit > 0xdfff) return false;
      AppendUtf8(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
      high = 0;
    } else if (unit >= 0xd800 && unit < 0xdc00) {
      high = unit;
    } else if ((unit >= 0xdc00 && unit < 0xe000) || IsPrintable(unit)) {
      return false;
    } else {
      AppendUtf8(out, unit);
    }
  }
  return high == 0 && count < 6 && (bits & ((1U << count) - 1)) == 0;
}

}  // namespace

void AppendModifiedUtf7(std::string& out, std::string_view utf8) {
  while (!utf8.empty()) {
    if (utf8.front() == '&') {
      out += "&-";
      utf8.remove_prefix(1);
      continue;
    }
    if (IsPrintable(static_cast<unsigned char>(utf8.front()))) {
      out += utf8.front();
      utf8.remove_prefix(1);
      continue;
    }
    ShiftWriter shift(out);
    while (!utf8.empty() && !IsPrintable(static_cast<unsigned char>(utf8.front()))) {
      const CodePoint next = NextCodePoint(utf8);
      shift.Add(next.value);
      utf8.remove_prefix(next.length);
    }
    shift.End();
  }
}

std::string ToModifiedUtf7(std::string_view utf8) {
  std::string out;
  out.reserve(utf8.size() + 8);
  AppendModifiedUtf7(out, utf8);
  return out;
}

std::optional<std::string> FromModifiedUtf7(std::string_view name) {
  std::string out;
  out.reserve(name.size() + name.size() / 2);
  for (std::size_t i = 0; i < name.size();) {
    if (!IsPrintable(static_cast<unsigned char>(name[i]))) return std::nullopt;
    if (name[i] != '&') {
      out += name[i++];
      continue;
    }
    const auto end = name.find('-', i + 1);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view digits = name.substr(i + 1, end - i - 1);
    i = end + 1;
    if (digits.empty()) {
      out += '&';
      continue;
    }
    if (!DecodeShift(out, digits)) return std::nullopt;
    // "&...-&...-" shifts out for nothing; "&...-&-" is fine.
    if (i < name.size() && name[i] == '&' && !name.substr(i).starts_with("&-")) return std::nullopt;
  }
  return out;
}

}  // namespace protocol::text
