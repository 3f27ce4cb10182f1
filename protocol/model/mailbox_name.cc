#include "protocol/model/mailbox_name.h"

#include <array>

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

bool MatchesListPattern(std::string_view name, std::string_view pattern) {
  const std::string canonical = CanonicalMailboxName(pattern);
  // Greedy matching with two restart points. A '*' met later makes all earlier ones irrelevant; a '%' may
  // fail at '/', and then the last '*' is tried one octet further on.
  std::string_view p = canonical;
  std::size_t n = 0, i = 0;
  std::size_t star = std::string_view::npos, star_n = 0;
  std::size_t percent = std::string_view::npos, percent_n = 0;
  while (n < name.size()) {
    if (i < p.size() && p[i] == '*') {
      star = ++i;
      star_n = n;
      percent = std::string_view::npos;
    } else if (i < p.size() && p[i] == '%') {
      percent = ++i;
      percent_n = n;
    } else if (i < p.size() && p[i] == name[n]) {
      ++i;
      ++n;
    } else if (percent != std::string_view::npos && name[percent_n] != kHierarchyDelimiter) {
      n = ++percent_n;
      i = percent;
    } else if (star != std::string_view::npos) {
      n = ++star_n;
      i = star;
      percent = std::string_view::npos;
    } else {
      return false;
    }
  }
  while (i < p.size() && (p[i] == '*' || p[i] == '%')) ++i;
  return i == p.size();
}

}  // namespace protocol
