#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {
namespace {

/// SP mailbox, and nothing more.
template <class Command>
Parsed<Command> ParseMailboxCommand(Cursor& in) {
  Command cmd;
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  if (in.PeekWord(" (")) in.Fail("CRLF (this command has no parameters here)");
  return in.Finish(std::move(cmd));
}

}  // namespace

// select = "SELECT" SP mailbox                                       ; RFC 3501 §9
Parsed<command::Select> ParseSelect(Cursor& in) { return ParseMailboxCommand<command::Select>(in); }

// examine = "EXAMINE" SP mailbox
Parsed<command::Examine> ParseExamine(Cursor& in) { return ParseMailboxCommand<command::Examine>(in); }

// create       = "CREATE" SP mailbox [SP "(" create-param *(SP create-param) ")"]  ; RFC 4466 §2.2
// create-param = "USE" SP "(" [use-attr *(SP use-attr)] ")"          ; RFC 6154 §6
Parsed<command::Create> ParseCreate(Cursor& in) {
  command::Create cmd;
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  if (in.Accept(' ')) {
    in.Expect('(', "create-param");
    in.Word("USE");
    in.Space();
    in.Expect('(', "use-attr");
    if (!in.Peek(')')) {
      do {
        if (cmd.special_uses.size() == limits::kSpecialUses) in.Fail("fewer use-attr");
        in.Expect('\\', "use-attr");
        const std::string_view attribute = grammar::ParseAtom(in, limits::kFlagName, "use-attr");
        cmd.special_uses.push_back("\\" + std::string(attribute));
      } while (in.Accept(' '));
    }
    in.Expect(')', "\")\"");
    in.Expect(')', "\")\"");
  }
  return in.Finish(std::move(cmd));
}

// delete = "DELETE" SP mailbox
Parsed<command::Delete> ParseDelete(Cursor& in) { return ParseMailboxCommand<command::Delete>(in); }

// rename = "RENAME" SP mailbox SP mailbox
Parsed<command::Rename> ParseRename(Cursor& in) {
  command::Rename cmd;
  in.Space();
  cmd.from = grammar::ParseMailbox(in);
  in.Space();
  cmd.to = grammar::ParseMailbox(in);
  return in.Finish(std::move(cmd));
}

// subscribe = "SUBSCRIBE" SP mailbox
Parsed<command::Subscribe> ParseSubscribe(Cursor& in) { return ParseMailboxCommand<command::Subscribe>(in); }

// unsubscribe = "UNSUBSCRIBE" SP mailbox
Parsed<command::Unsubscribe> ParseUnsubscribe(Cursor& in) {
  return ParseMailboxCommand<command::Unsubscribe>(in);
}

}  // namespace protocol::parse
