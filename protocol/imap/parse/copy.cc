#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {
namespace {

template <class Command>
Parsed<Command> ParseTransfer(Cursor& in, NumberKind numbers) {
  Command cmd{.numbers = numbers};
  in.Space();
  cmd.set = grammar::ParseSequenceSet(in);
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  return in.Finish(std::move(cmd));
}

}  // namespace

// copy = "COPY" SP sequence-set SP mailbox                           ; RFC 3501 §9
Parsed<command::Copy> ParseCopy(Cursor& in, NumberKind numbers) {
  return ParseTransfer<command::Copy>(in, numbers);
}

// move = "MOVE" SP sequence-set SP mailbox                           ; RFC 6851 §5
Parsed<command::Move> ParseMove(Cursor& in, NumberKind numbers) {
  return ParseTransfer<command::Move>(in, numbers);
}

}  // namespace protocol::parse
