#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace server::http {

/// Undoes percent-encoding; nullopt for broken escapes and for NUL.
std::optional<std::string> PercentDecode(std::string_view text);

/// Encodes all but RFC 3986's unreserved characters.
std::string PercentEncode(std::string_view text);

/// What is wrong with a query, as a sentence; empty: nothing. `known`: the names that it may have, each once,
/// with spaces between them; kAnyNames: any.
inline constexpr std::string_view kAnyNames = "*";
std::string FaultOfQuery(std::string_view query, std::string_view known);

/// The decoded value of `name` in "a=1&b=2"; nullopt if absent or broken. '+' stands for itself (addresses
/// are full of it).
std::optional<std::string> QueryValue(std::string_view query, std::string_view name);

/// The same of every "name=", in their order, but for broken ones.
std::vector<std::string> QueryValues(std::string_view query, std::string_view name);

/// Matches "/v1/accounts/{address}/folders" segment by segment and collects what the names in braces stand
/// for, decoded.
std::optional<std::map<std::string, std::string, std::less<>>> MatchPath(std::string_view pattern,
                                                                         std::string_view path);

}  // namespace server::http
