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

}  // namespace

Parsed<AppendHead> ParseAppend(Cursor& in) {
  AppendHead head;
  in.Space();
  head.begin.mailbox = grammar::ParseMailbox(in);
  head.message = ParseAppendMessage(in);
  if (in.failed()) return tl::unexpected<ParseError>(in.error());
  return head;
}

Parsed<std::optional<command::AppendMessage>> ParseAfterMessage(std::string_view line) {
  Cursor in(line);
  if (!in.Peek(' ')) return in.Finish(std::optional<command::AppendMessage>());
  auto message = ParseAppendMessage(in);
  if (in.failed()) return tl::unexpected<ParseError>(in.error());
  return message;
}

}  // namespace protocol::parse
