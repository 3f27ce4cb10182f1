#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace protocol {

inline constexpr char kHierarchyDelimiter = '/';
inline constexpr std::size_t kMaxNameComponent = 255;  ///< octets of UTF-8 (spec note 1.2)
inline constexpr std::size_t kMaxNameTotal = 1000;     ///< octets of UTF-8 (spec note 1.2)

/// What is wrong with a mailbox name that a client wants to create.
enum class NameFault { kNone, kEmpty, kEmptyComponent, kTooLong, kControlCharacter, kNotUtf8 };

/// A mailbox name inside the server is a UTF-8 path with '/' between components. "INBOX" in any case, alone
/// or as the first component, is spelled "INBOX" (RFC 3501 §5.1); all else is case-sensitive.
std::string CanonicalMailboxName(std::string_view utf8);

/// Checks a canonical name. A trailing '/' must have been removed before (RFC 3501 §6.3.3).
NameFault CheckMailboxName(std::string_view name);

/// "a/b" for "a/b/c"; empty for a top-level name.
std::string_view ParentName(std::string_view name);

/// A pattern of LIST, made ready for many names (RFC 3501 §6.3.8): '*' matches anything, '%' anything but
/// '/'. A leading "INBOX" component of the pattern matches without regard to case.
class ListPattern {
 public:
  explicit ListPattern(std::string_view utf8_pattern);

  /// The work is at most about (size of the name)^2 / 16, whatever the pattern; for what clients mostly send
  /// ("*", "a/%", a plain name) it is one comparison.
  bool Matches(std::string_view name) const;

  /// Every name that matches begins so.
  std::string_view literal_prefix() const { return std::string_view(pattern_).substr(0, prefix_); }
  /// "%" hides what is below it: LSUB then shows superiors instead (RFC 3501 §6.3.9).
  bool has_percent() const { return has_percent_; }

 private:
  enum class Rest : std::uint8_t { kNothing, kStar, kPercent, kAny };

  std::string pattern_;     ///< canonical
  std::size_t prefix_ = 0;  ///< octets before the first wildcard
  std::size_t literals_ = 0;
  Rest rest_ = Rest::kNothing;  ///< after the prefix
  bool has_percent_ = false;
};

}  // namespace protocol
