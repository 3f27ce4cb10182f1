#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace protocol::text {

/// SASLprep (RFC 4013) as for a query (RFC 3454 §7): code points that Unicode 3.2 did not know pass. nullopt:
/// `utf8` is malformed or holds what is prohibited, such as a control character.
std::optional<std::string> SaslPrep(std::string_view utf8);

}  // namespace protocol::text
