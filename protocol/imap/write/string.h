#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Append-only writers. How a string goes over the wire is decided here and nowhere else (RFC 3501 §4.3, §9).
namespace protocol::write {

void Number(std::string& out, std::uint64_t value);

/// A quoted string if the octets allow one and it is short, else a literal. Octets may be anything but NUL
/// (a NUL is written as '?': it cannot be sent in a string, RFC 3501 §4.3).
void String(std::string& out, std::string_view octets);

/// An atom if it can be one, else as String().
void AString(std::string& out, std::string_view octets);

/// NIL for nullopt.
void NString(std::string& out, std::optional<std::string_view> octets);

/// A UTF-8 name in modified UTF-7, as astring.
void Mailbox(std::string& out, std::string_view utf8_name);

/// "{size}CRLF": the caller sends the octets next.
void LiteralHeader(std::string& out, std::uint64_t size);

/// "~{size}CRLF" (RFC 3516 §4.3).
void Literal8Header(std::string& out, std::uint64_t size);

/// Whether String() would quote it.
bool CanQuote(std::string_view octets);

}  // namespace protocol::write
