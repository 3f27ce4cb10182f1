#pragma once

#include <optional>
#include <string>
#include <string_view>

/// RFC 4648 §4: the standard alphabet with padding, on one line.
namespace protocol::text {

std::string EncodeBase64(std::string_view octets);
void AppendBase64(std::string& out, std::string_view octets);

/// Strict: whole groups of four, canonical padding, no white space. The empty text is the empty string.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace protocol::text
