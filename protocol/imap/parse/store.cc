#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {

namespace {

// store-modifiers = SP "(" store-modifier *(SP store-modifier) ")"   ; RFC 4466 §2.5
// store-modifier  = "UNCHANGEDSINCE" SP mod-sequence-valzer          ; RFC 7162 §7, at most once
ModSeq ParseModifiers(Cursor& in) {
  in.Expect('(', "\"(\"");
  in.Word("UNCHANGEDSINCE");
  in.Space();
  const ModSeq modseq = grammar::ParseModSeqOrZero(in);
  in.Expect(')', "\")\"");
  in.Space();
  return modseq;
}

}  // namespace

// store           = "STORE" SP sequence-set [store-modifiers] SP store-att-flags
// store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP
//                   (flag-list / (flag *(SP flag)))                  ; RFC 3501 §9
Parsed<command::Store> ParseStore(Cursor& in, NumberKind numbers) {
  command::Store cmd{.numbers = numbers};
  in.Space();
  cmd.set = grammar::ParseSequenceSet(in);
  in.Space();
  if (in.Peek('(')) cmd.unchanged_since = ParseModifiers(in);
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
