#pragma once

#include <string_view>

namespace protocol::sasl {

/// The same account in whatever spelling: "ann@Example.com" is "sip:ann@example.com" (RFC 4422 §3.4.1).
bool SameIdentity(std::string_view a, std::string_view b);

/// A name, a password or an authorization identity that is worth a look: not empty, no NUL, not endless.
bool IsAcceptable(std::string_view field);

}  // namespace protocol::sasl
