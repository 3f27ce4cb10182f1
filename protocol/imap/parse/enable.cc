#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {

// enable = "ENABLE" 1*(SP capability)                                ; RFC 5161 §4
Parsed<command::Enable> ParseEnable(Cursor& in) {
  command::Enable cmd;
  in.Space();
  do {
    if (cmd.capabilities.size() == limits::kCapabilityNames) {
      in.Fail("fewer capabilities");
      break;
    }
    cmd.capabilities.push_back(ascii::Upper(grammar::ParseAtom(in, limits::kFlagName, "capability")));
  } while (in.Accept(' '));
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
