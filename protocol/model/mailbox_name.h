#pragma once

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

/// LIST's matching (RFC 3501 §6.3.8): '*' matches anything, '%' anything but '/'. A leading "INBOX" component
/// of the pattern matches without regard to case. The work is at most about (size of the name)^2 / 16,
/// whatever the pattern.
bool MatchesListPattern(std::string_view name, std::string_view pattern);

/// Those superiors of `name` ("a/b" and "a" of "a/b/c") that match, innermost first, at the price of one
/// match.
std::vector<std::string_view> MatchingSuperiors(std::string_view name, std::string_view pattern);

}  // namespace protocol
