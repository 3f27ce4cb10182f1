#include "protocol/text/base64.h"

#include <array>
#include <cstdint>

namespace protocol::text {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kInvalid = 0xff;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

std::uint32_t Octet(std::string_view s, std::size_t i) { return static_cast<unsigned char>(s[i]); }
char Digit(std::uint32_t bits) { return kAlphabet[bits & 63U]; }

}  // namespace

void AppendBase64(std::string& out, std::string_view octets) {
  std::size_t i = 0;
  for (; i + 3 <= octets.size(); i += 3) {
    const std::uint32_t bits = Octet(octets, i) << 16 | Octet(octets, i + 1) << 8 | Octet(octets, i + 2);
    const std::array group{Digit(bits >> 18), Digit(bits >> 12), Digit(bits >> 6), Digit(bits)};
    out.append(group.data(), group.size());
  }
  if (octets.size() - i == 1) {
    const std::uint32_t bits = Octet(octets, i) << 16;
    const std::array group{Digit(bits >> 18), Digit(bits >> 12), '=', '='};
    out.append(group.data(), group.size());
  } else if (octets.size() - i == 2) {
    const std::uint32_t bits = Octet(octets, i) << 16 | Octet(octets, i + 1) << 8;
    const std::array group{Digit(bits >> 18), Digit(bits >> 12), Digit(bits >> 6), '='};
    out.append(group.data(), group.size());
  }
}

std::string EncodeBase64(std::string_view octets) {
  std::string out;
  out.reserve((octets.size() + 2) / 3 * 4);
  AppendBase64(out, octets);
  return out;
}

std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  if (text.ends_with("==")) {
    padding = 2;
  } else if (text.ends_with('=')) {
    padding = 1;
  }
  const std::string_view digits = text.substr(0, text.size() - padding);

  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : digits) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kInvalid) return std::nullopt;
    bits = (bits << 6 | value) & 0xffffU;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xffU);
    }
  }
  // Bits that belong to no octet must be zero, else one text has several spellings.
  if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return out;
}

}  // namespace protocol::text
