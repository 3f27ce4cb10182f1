#include "protocol/model/mailbox_name.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "protocol/model/ascii.h"
#include "protocol/model/special_use.h"

namespace protocol {
namespace {

constexpr std::array<std::string_view, 6> kUses{"", "\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"};

/// Octets of the UTF-8 sequence that starts `s`, 0 if it is malformed, overlong or a surrogate.
std::size_t Utf8Length(std::string_view s) {
  const auto at = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80U; };
  const unsigned c = at(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c < 0xe0) return tail(1) ? 2 : 0;
  if (c >= 0xe0 && c < 0xf0) {
    if (!tail(1) || !tail(2)) return 0;
    if (c == 0xe0 && at(1) < 0xa0) return 0;
    if (c == 0xed && at(1) >= 0xa0) return 0;
    return 3;
  }
  if (c >= 0xf0 && c < 0xf5) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (c == 0xf0 && at(1) < 0x90) return 0;
    if (c == 0xf4 && at(1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

bool StartsWithInbox(std::string_view name) {
  return name.size() >= 5 && ascii::EqualNoCase(name.substr(0, 5), "INBOX") &&
         (name.size() == 5 || name[5] == kHierarchyDelimiter);
}

/// A set of places in a name: 0 before its first octet, size() after its last. 64 of them are one operation,
/// which is why a pattern with many wildcards is no burden. Names of a store fit without the heap.
class Places {
 public:
  explicit Places(std::size_t size) : count_(size / 64 + 1) {
    if (count_ > few_.size()) many_.resize(count_);
    Clear();
  }

  void Add(std::size_t place) { words()[place / 64] |= std::uint64_t{1} << (place % 64); }
  bool Has(std::size_t place) const { return (words()[place / 64] >> (place % 64) & 1U) != 0; }
  void Clear() { std::ranges::fill(words(), 0); }
  bool empty() const {
    return std::ranges::all_of(words(), [](std::uint64_t word) { return word == 0; });
  }

  /// One octet further from the places in `before`, from all others none.
  void Step(const Places& before) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint64_t stays = words()[i] & before.words()[i];
      words()[i] = stays << 1U | carry;
      carry = stays >> 63U;
    }
  }

  /// Any number of octets further: everything from the first place on.
  void StepToEnd() {
    bool found = false;
    for (std::uint64_t& word : words()) {
      if (found) {
        word = ~std::uint64_t{0};
      } else if (word != 0) {
        word = ~((word & -word) - 1);
        found = true;
      }
    }
  }

  /// Any number of octets further, as long as each begins at a place in `open`: a carry runs through a row of
  /// ones just so.
  void StepThrough(const Places& open) {
    std::uint64_t carry = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::uint64_t row = open.words()[i];
      std::uint64_t sum = 0;
      const bool first = __builtin_add_overflow(row, words()[i] & row, &sum);
      const bool second = __builtin_add_overflow(sum, carry, &sum);
      words()[i] |= sum ^ row;
      carry = first || second ? 1 : 0;
    }
  }

 private:
  std::span<std::uint64_t> words() { return {many_.empty() ? few_.data() : many_.data(), count_}; }
  std::span<const std::uint64_t> words() const {
    return {many_.empty() ? few_.data() : many_.data(), count_};
  }

  std::size_t count_;
  std::array<std::uint64_t, kMaxNameTotal / 64 + 1> few_;
  std::vector<std::uint64_t> many_;
};

constexpr bool IsWildcard(char c) { return c == '*' || c == '%'; }

/// The places up to which the name matches the whole pattern.
Places Match(std::string_view name, std::string_view pattern) {
  Places at(name.size());
  Places open(name.size());  // before what '%' matches
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != kHierarchyDelimiter) open.Add(i);
  }
  at.Add(0);
  Places same(name.size());  // before octets like that of the pattern
  for (std::size_t p = 0; p < pattern.size() && !at.empty();) {
    if (!IsWildcard(pattern[p])) {
      same.Clear();
      for (std::size_t i = name.find(pattern[p]); i < name.size(); i = name.find(pattern[p], i + 1))
        same.Add(i);
      at.Step(same);
      ++p;
      continue;
    }
    // A row of wildcards is one: "*" if it has one.
    bool all = false;
    for (; p < pattern.size() && IsWildcard(pattern[p]); ++p) all = all || pattern[p] == '*';
    if (all) {
      at.StepToEnd();
    } else {
      at.StepThrough(open);
    }
  }
  return at;
}

}  // namespace

std::string_view Name(SpecialUse use) { return kUses[static_cast<std::size_t>(use)]; }

std::optional<SpecialUse> SpecialUseNamed(std::string_view name) {
  for (std::size_t i = 1; i < kUses.size(); ++i) {
    if (ascii::EqualNoCase(kUses[i], name)) return static_cast<SpecialUse>(i);
  }
  return std::nullopt;
}

std::string CanonicalMailboxName(std::string_view utf8) {
  std::string name(utf8);
  if (StartsWithInbox(name)) name.replace(0, 5, "INBOX");
  return name;
}

NameFault CheckMailboxName(std::string_view name) {
  if (name.empty()) return NameFault::kEmpty;
  if (name.size() > kMaxNameTotal) return NameFault::kTooLong;
  std::size_t component = 0;
  for (std::size_t i = 0; i < name.size();) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (c < 0x20 || c == 0x7f) return NameFault::kControlCharacter;
    const std::size_t n = Utf8Length(name.substr(i));
    if (n == 0) return NameFault::kNotUtf8;
    if (c == kHierarchyDelimiter) {
      if (component == 0) return NameFault::kEmptyComponent;
      component = 0;
    } else {
      component += n;
      if (component > kMaxNameComponent) return NameFault::kTooLong;
    }
    i += n;
  }
  return component == 0 ? NameFault::kEmptyComponent : NameFault::kNone;
}

std::string_view ParentName(std::string_view name) {
  const auto slash = name.rfind(kHierarchyDelimiter);
  return slash == std::string_view::npos ? std::string_view{} : name.substr(0, slash);
}

ListPattern::ListPattern(std::string_view utf8_pattern) : pattern_(CanonicalMailboxName(utf8_pattern)) {
  const auto wildcard = std::ranges::find_if(pattern_, IsWildcard);
  prefix_ = static_cast<std::size_t>(wildcard - pattern_.begin());
  literals_ = pattern_.size() - static_cast<std::size_t>(std::ranges::count_if(pattern_, IsWildcard));
  has_percent_ = pattern_.find('%') != std::string::npos;
  const std::string_view rest = std::string_view(pattern_).substr(prefix_);
  if (rest.empty())
    rest_ = Rest::kNothing;
  else if (rest == "*")
    rest_ = Rest::kStar;
  else if (rest == "%")
    rest_ = Rest::kPercent;
  else
    rest_ = Rest::kAny;
}

bool ListPattern::Matches(std::string_view name) const {
  if (!name.starts_with(literal_prefix())) return false;
  name.remove_prefix(prefix_);
  switch (rest_) {
    case Rest::kNothing: return name.empty();
    case Rest::kStar: return true;
    case Rest::kPercent: return name.find(kHierarchyDelimiter) == std::string_view::npos;
    case Rest::kAny: break;
  }
  if (literals_ - prefix_ > name.size()) return false;
  return Match(name, std::string_view(pattern_).substr(prefix_)).Has(name.size());
}

}  // namespace protocol
