#include <algorithm>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/text/charset.h"

namespace protocol::parse {
namespace {

/// SP mailbox
template <class Command>
Command ParseMailboxOf(Cursor& in) {
  Command cmd;
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  return cmd;
}

// identifier = astring                                               ; RFC 4314 §7
// One that SASLprep would refuse is BAD (RFC 4314 §3). All that name somebody here are ASCII, which it leaves
// as it is.
std::string ParseIdentifier(Cursor& in) {
  in.Space();
  const std::size_t start = in.offset();
  std::string identifier = grammar::ParseAstring(in, limits::kAclIdentifier);
  const bool control = std::ranges::any_of(identifier, [](char c) { return c >= 0 && c < ' '; });
  if (!in.failed() && (identifier.empty() || control || !text::IsValidUtf8(identifier)))
    in.FailAt(start, "identifier of printable UTF-8");
  return identifier;
}

// mod-rights = astring ;; +rights to add, -rights to remove, rights to replace    ; RFC 4314 §7
// RFC 4314 §3.1: a right that is not known is BAD.
RightsChange ParseRightsChange(Cursor& in) {
  in.Space();
  const std::size_t start = in.offset();
  const std::string words = grammar::ParseAstring(in, limits::kAclRights);
  std::string_view letters = words;
  RightsChange change;
  if (letters.starts_with('+')) change.op = RightsChange::Op::kAdd;
  if (letters.starts_with('-')) change.op = RightsChange::Op::kRemove;
  if (change.op != RightsChange::Op::kReplace) letters.remove_prefix(1);
  const auto rights = Rights::Parse(letters);
  if (rights)
    change.rights = *rights;
  else
    in.FailAt(start, "rights out of lrswipkxteancd, with \"+\" or \"-\" before them or without");
  return change;
}

}  // namespace

// setacl = "SETACL" SP mailbox SP identifier SP mod-rights           ; RFC 4314 §7
Parsed<command::SetAcl> ParseSetAcl(Cursor& in) {
  auto cmd = ParseMailboxOf<command::SetAcl>(in);
  cmd.identifier = ParseIdentifier(in);
  cmd.change = ParseRightsChange(in);
  return in.Finish(std::move(cmd));
}

// deleteacl = "DELETEACL" SP mailbox SP identifier
Parsed<command::DeleteAcl> ParseDeleteAcl(Cursor& in) {
  auto cmd = ParseMailboxOf<command::DeleteAcl>(in);
  cmd.identifier = ParseIdentifier(in);
  return in.Finish(std::move(cmd));
}

// getacl = "GETACL" SP mailbox
Parsed<command::GetAcl> ParseGetAcl(Cursor& in) { return in.Finish(ParseMailboxOf<command::GetAcl>(in)); }

// listrights = "LISTRIGHTS" SP mailbox SP identifier
Parsed<command::ListRights> ParseListRights(Cursor& in) {
  auto cmd = ParseMailboxOf<command::ListRights>(in);
  cmd.identifier = ParseIdentifier(in);
  return in.Finish(std::move(cmd));
}

// myrights = "MYRIGHTS" SP mailbox
Parsed<command::MyRights> ParseMyRights(Cursor& in) {
  return in.Finish(ParseMailboxOf<command::MyRights>(in));
}

}  // namespace protocol::parse
