#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {

// list = "LIST" SP mailbox SP list-mailbox                           ; RFC 3501 §9
Parsed<command::List> ParseList(Cursor& in) {
  command::List cmd;
  in.Space();
  if (in.Peek('(')) in.Fail("mailbox (selection options need LIST-EXTENDED)");
  cmd.reference = grammar::ParseListReference(in);
  in.Space();
  if (in.Peek('(')) in.Fail("list-mailbox (several patterns need LIST-EXTENDED)");
  cmd.patterns.push_back(grammar::ParseListMailbox(in));
  if (in.PeekWord(" RETURN")) in.Fail("CRLF (return options need LIST-EXTENDED)");
  return in.Finish(std::move(cmd));
}

// lsub = "LSUB" SP mailbox SP list-mailbox
Parsed<command::Lsub> ParseLsub(Cursor& in) {
  command::Lsub cmd;
  in.Space();
  cmd.reference = grammar::ParseListReference(in);
  in.Space();
  cmd.pattern = grammar::ParseListMailbox(in);
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
