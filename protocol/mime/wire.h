#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace protocol::mime {

/// Appends `value` as RFC 3501 §9 string: quoted, or a literal where it holds 8-bit octets, CR or LF. NULs
/// are dropped, octets past `max` too.
void AppendString(std::string_view value, std::size_t max, std::string& out);

}  // namespace protocol::mime
