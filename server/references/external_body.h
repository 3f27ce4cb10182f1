#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/references/desk.h"

/// message/external-body with access-type URL (RFC 2017, RFC 4483).
namespace server::references {

/// The part that stands for `head`'s content, header and body, without a line end behind it. `sha1` in
/// hexadecimal; empty: none.
std::string WriteExternalBody(const ContentHead& head, std::string_view url, std::int64_t expires,
                              std::uint64_t size, std::string_view sha1);

/// The URL of a Content-Type value that says so; nullopt: it is something else.
std::optional<std::string> ExternalUrl(std::string_view content_type);

}  // namespace server::references
