#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {

// store           = "STORE" SP sequence-set SP store-att-flags
// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP
//                   (flag-list / (flag *(SP flag)))                  ; RFC 3501 §9
Parsed<command::Store> ParseStore(Cursor& in, NumberKind numbers) {
  command::Store cmd{.numbers = numbers};
  in.Space();
  cmd.set = grammar::ParseSequenceSet(in);
  in.Space();
  if (in.Peek('(')) in.Fail("FLAGS (STORE has no modifiers here)");
  if (in.Accept('+')) {
    cmd.change.op = FlagChange::Op::kAdd;
  } else if (in.Accept('-')) {
    cmd.change.op = FlagChange::Op::kRemove;
  }
  in.Word("FLAGS");
  cmd.silent = in.AcceptWord(".SILENT");
  in.Space();
  if (in.Peek('(')) {
    cmd.change.flags = grammar::ParseFlagList(in);
  } else {
    std::size_t count = 0;
    do {
      const std::string_view flag = grammar::ParseFlag(in);
      if (++count > limits::kFlags) in.Fail("fewer flags");
      if (!in.failed()) cmd.change.flags.Insert(flag);
    } while (in.Accept(' '));
  }
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
