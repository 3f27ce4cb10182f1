#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "protocol/imap/command/append.h"
#include "protocol/imap/parse/parser.h"

/// APPEND and REPLACE between their messages' octets; CommandReader asks.
namespace protocol::parse {

using AppendStep = std::variant<command::AppendMessage, command::CatenateUrl, command::CatenateText>;

/// What an APPEND says up to where the octets of a message, or of a part of one, are to come, or to its end.
struct AppendFragment {
  std::vector<AppendStep> steps;
  bool literal = false;      ///< the octets of the last step's literal follow; else the command has ended
  bool in_catenate = false;  ///< the list of a message's parts is not closed yet
};

/// The command up to and with the first literal of a message.
struct AppendHead {
  command::AppendBegin begin;
  AppendFragment fragment;
};

/// What follows the name APPEND.
Parsed<AppendHead> ParseAppend(Cursor& in);
/// What follows the name REPLACE.
Parsed<AppendHead> ParseReplace(Cursor& in, NumberKind numbers);

/// Like ParseCommand for a line that ends in a literal's announcement. An `incomplete` error: accept that
/// literal and ask again once its octets are there.
tl::expected<std::variant<TaggedCommand, AppendHead>, ParseFailure> ParseHead(std::string_view octets);

/// What follows a literal's octets; `in_catenate`: those were a part's. `incomplete` as above.
Parsed<AppendFragment> ParseAfterMessage(std::string_view octets, bool in_catenate);

}  // namespace protocol::parse
