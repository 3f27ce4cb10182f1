#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "protocol/imap/command.h"
#include "protocol/imap/parse/cursor.h"

namespace protocol {

/// Why a command is not one.
struct ParseFailure {
  ParseError error;
  std::string tag;  ///< empty if it could not be read
};

/// Parses one whole command except APPEND: the line with its CRLF, in which "{n}CRLF" is followed by n
/// octets.
tl::expected<TaggedCommand, ParseFailure> ParseCommand(std::string_view octets);

/// "expected nz-number at column 7": what the client is told.
std::string Describe(const ParseError& error);

}  // namespace protocol
