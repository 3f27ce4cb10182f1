#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {

// expunge     = "EXPUNGE"                                            ; RFC 3501 §9
// uid-expunge = "UID" SP "EXPUNGE" SP sequence-set                   ; RFC 4315 §4
Parsed<command::Expunge> ParseExpunge(Cursor& in, NumberKind numbers) {
  command::Expunge cmd;
  if (numbers == NumberKind::kUid) {
    in.Space();
    cmd.uids = grammar::ParseSequenceSet(in);
  }
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
