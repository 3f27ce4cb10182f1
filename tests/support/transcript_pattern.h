#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tests::transcript {

/// What "$name" stands for.
using Bindings = std::map<std::string, std::string, std::less<>>;

/// "\x0d" becomes the octet 13; every other backslash stays, because flags have one.
std::string Unescape(std::string_view text);

/// The inverse for messages to people: octets that do not print become "\x..".
std::string Escape(std::string_view octets);

/// "$name" replaced by what it is bound to; unbound names are left. Names begin with a lower-case letter, so
/// that the keyword $Forwarded stays what it is.
std::string Substitute(std::string_view text, const Bindings& bindings);

/// Matches `line` (octets without CRLF) against `pattern`:
///
///   ...     any run of octets, also none
///   $name   a token: octets but space, quote and brackets; after a quote, everything up to the next quote.
///           The first time it binds, afterwards it must be the same.
///   \x0d    that octet
///
/// All else is itself. True: `bindings` has what was bound; false: it is unchanged.
bool Matches(std::string_view pattern, std::string_view line, Bindings& bindings);

/// Matches `lines` against as many patterns, in whichever order fits.
bool MatchesInAnyOrder(const std::vector<std::string>& patterns, const std::vector<std::string>& lines,
                       Bindings& bindings);

/// The words of `words` (separated by spaces and parentheses) are all among the line's, in any order; a word
/// after '!' is not. Nullopt: they fit; else the word that is at fault.
std::optional<std::string> MissingWord(std::string_view words, std::string_view line,
                                       const Bindings& bindings);

}  // namespace tests::transcript
