#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "protocol/model/internal_date.h"

namespace protocol::mime {

/// The RFC 2047 words in an unfolded header value decoded, the rest as it stands: UTF-8. 8-bit octets are
/// read as UTF-8, else as Windows-1252.
std::string DecodeWords(std::string_view value);

/// date-time of RFC 5322 §3.3 and §4.3, in an unfolded value; what is not that is tried by GMime's tolerant
/// reader. The day must exist and lie in the years 1 to 9999.
std::optional<InternalDate> ParseHeaderDate(std::string_view value);

/// The day of a date whose time or zone makes no sense, at 00:00:00 UTC (RFC 5256 §2.2). For what
/// ParseHeaderDate() does not take.
std::optional<InternalDate> ParseHeaderDay(std::string_view value);

}  // namespace protocol::mime
