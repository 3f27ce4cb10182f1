#include "protocol/imap/parse/literal_tail.h"

#include <charconv>
#include <limits>

#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

constexpr std::size_t kMostDigits = 20;  // of any 64-bit number

}  // namespace

std::optional<LiteralTail> FindLiteralTail(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (!line.ends_with('}')) return std::nullopt;
  line.remove_suffix(1);
  LiteralTail tail;
  if (line.ends_with('+')) {
    tail.synchronizing = false;
    line.remove_suffix(1);
  }
  std::size_t begin = line.size();
  while (begin > 0 && ascii::IsDigit(line[begin - 1]) && line.size() - begin <= kMostDigits) --begin;
  if (line.size() - begin > kMostDigits) {
    tail.size = std::numeric_limits<std::uint64_t>::max();
    return tail;
  }
  if (begin == line.size() || begin == 0 || line[begin - 1] != '{') return std::nullopt;
  const std::string_view digits = line.substr(begin);
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), tail.size);
  if (ec != std::errc{}) tail.size = std::numeric_limits<std::uint64_t>::max();
  return tail;
}

}  // namespace protocol::parse
