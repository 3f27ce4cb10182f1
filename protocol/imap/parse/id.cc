#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {

// id             = "ID" SP id-params-list
// id-params-list = "(" *(string SP nstring) ")" / nil                ; RFC 2971 §4
// Between two pairs stands one SP.
Parsed<command::Id> ParseId(Cursor& in) {
  command::Id cmd;
  in.Space();
  if (in.AcceptWord("NIL")) return in.Finish(std::move(cmd));
  in.Expect('(', "id-params-list");
  if (!in.Peek(')')) {
    do {
      if (cmd.fields.size() == limits::kIdPairs) {
        in.Fail("fewer fields");
        break;
      }
      auto key = grammar::ParseString(in, limits::kIdKey);
      in.Space();
      cmd.fields.emplace_back(std::move(key), grammar::ParseNstring(in, limits::kIdValue));
    } while (in.Accept(' '));
  }
  in.Expect(')', "\")\"");
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
