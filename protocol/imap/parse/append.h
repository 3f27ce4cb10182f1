#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "protocol/imap/command/append.h"
#include "protocol/imap/parse/parser.h"

/// APPEND and REPLACE up to their messages' literals; CommandReader asks.
namespace protocol::parse {

/// The command up to and with the first message's "{n}CRLF".
struct AppendHead {
  command::AppendBegin begin;
  command::AppendMessage message;
};

/// What follows the name APPEND.
Parsed<AppendHead> ParseAppend(Cursor& in);
/// What follows the name REPLACE.
Parsed<AppendHead> ParseReplace(Cursor& in, NumberKind numbers);

/// Like ParseCommand for a line that ends in a literal's announcement. An `incomplete` error: accept that
/// literal and ask again once its octets are there.
tl::expected<std::variant<TaggedCommand, AppendHead>, ParseFailure> ParseHead(std::string_view octets);

/// What follows a message's octets: the next message, or nothing at the command's end.
Parsed<std::optional<command::AppendMessage>> ParseAfterMessage(std::string_view line);

}  // namespace protocol::parse
