#include "protocol/imap/parse/append.h"

#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {
namespace {

// append         = "APPEND" SP mailbox 1*append-message              ; RFC 3502 §6
// append-message = [SP flag-list] [SP date-time] SP literal
// literal        =/ "~{" number ["+"] "}" CRLF *OCTET                ; literal8, RFC 3516 §7
command::AppendMessage ParseAppendMessage(Cursor& in) {
  command::AppendMessage message;
  in.Space();
  if (in.Peek('(')) {
    message.flags = grammar::ParseFlagList(in);
    in.Space();
  }
  if (in.Peek('"')) {
    message.date = grammar::ParseDateTime(in);
    in.Space();
  }
  message.binary = in.Accept('~');
  const grammar::LiteralHead head = grammar::ParseLiteralHead(in);
  message.size = head.size;
  message.synchronizing = head.synchronizing;
  if (!in.rest().empty()) in.Fail("message");
  return message;
}

/// The mailbox and the first message.
Parsed<AppendHead> ParseTarget(Cursor& in, AppendHead head) {
  in.Space();
  head.begin.mailbox = grammar::ParseMailbox(in);
  head.message = ParseAppendMessage(in);
  if (in.failed()) return tl::unexpected<ParseError>(in.error());
  return head;
}

}  // namespace

Parsed<AppendHead> ParseAppend(Cursor& in) { return ParseTarget(in, {}); }

// replace = "REPLACE" SP seq-number SP mailbox append-message        ; RFC 8508 §5
// uid     =/ "UID" SP replace
Parsed<AppendHead> ParseReplace(Cursor& in, NumberKind numbers) {
  AppendHead head;
  in.Space();
  const std::size_t start = in.offset();
  command::Replaced replaced{numbers, grammar::ParseSequenceSet(in)};
  const auto& ranges = replaced.message.ranges;
  if (ranges.size() != 1 || ranges.front().first != ranges.front().last) in.FailAt(start, "message number");
  head.begin.replaces = std::move(replaced);
  return ParseTarget(in, std::move(head));
}

Parsed<std::optional<command::AppendMessage>> ParseAfterMessage(std::string_view line) {
  Cursor in(line);
  if (!in.Peek(' ')) return in.Finish(std::optional<command::AppendMessage>());
  auto message = ParseAppendMessage(in);
  if (in.failed()) return tl::unexpected<ParseError>(in.error());
  return message;
}

}  // namespace protocol::parse
