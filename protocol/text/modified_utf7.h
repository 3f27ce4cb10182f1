#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Mailbox names on the wire (RFC 3501 §5.1.3).
namespace protocol::text {

/// UTF-8 to modified UTF-7. Octets that are no UTF-8 become U+FFFD; names in the store are checked, so none
/// are.
std::string ToModifiedUtf7(std::string_view utf8);
void AppendModifiedUtf7(std::string& out, std::string_view utf8);

/// The inverse; nullopt for 8-bit octets, bad or needlessly encoded base64, unpaired surrogates, and shifts
/// that are not closed. "&AGE-" (an encoded "a") is refused: the same name would have two spellings (RFC 3501
/// §5.1.3).
std::optional<std::string> FromModifiedUtf7(std::string_view name);

}  // namespace protocol::text
