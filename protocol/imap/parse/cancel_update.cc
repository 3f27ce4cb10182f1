#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {

// cancelupdate = "CANCELUPDATE" 1*(SP quoted)                        ; RFC 5267 §5
Parsed<command::CancelUpdate> ParseCancelUpdate(Cursor& in) {
  command::CancelUpdate cmd;
  do {
    in.Space();
    if (!in.Peek('"')) in.Fail("quoted");
    if (cmd.tags.size() == limits::kCancelledTags) in.Fail("fewer tags");
    if (in.failed()) break;
    cmd.tags.push_back(grammar::ParseString(in, limits::kTag));
  } while (in.Peek(' '));
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
