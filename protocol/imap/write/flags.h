#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "protocol/model/flags.h"

namespace protocol::write {

/// "(\Answered \Seen keyword)": system flags by bit in a fixed order, then keywords, then \Recent. Bit i of
/// `keyword_bits` is keyword_table[i]; bits beyond the table are disregarded.
void FlagList(std::string& out, std::uint32_t system_bits, std::uint64_t keyword_bits,
              std::span<const std::string> keyword_table, bool recent);
void FlagList(std::string& out, const FlagSet& flags, bool recent = false);

/// "* FLAGS (...)CRLF" (RFC 3501 §7.2.6).
void FlagsLine(std::string& out, const FlagSet& flags);

}  // namespace protocol::write
