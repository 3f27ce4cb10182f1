#include <algorithm>

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

// known-uids = sequence-set ; Sequence of UIDs; "*" is not allowed   ; RFC 7162 §7
SequenceSet ParseKnown(Cursor& in) {
  const std::size_t start = in.offset();
  SequenceSet set = grammar::ParseSequenceSet(in);
  const bool open = std::ranges::any_of(set.ranges, [](const SequenceRange& range) {
    return range.first == SequenceRange::kLargest || range.last == SequenceRange::kLargest;
  });
  if (!in.failed() && (open || set.saved_result)) in.FailAt(start, "sequence-set without \"*\"");
  return set;
}

/// Of which each number is above the one before; how many they are.
std::uint64_t ParseAscending(Cursor& in, SequenceSet& set) {
  const std::size_t start = in.offset();
  set = ParseKnown(in);
  std::uint64_t count = 0;
  std::uint32_t last = 0;
  for (const SequenceRange& range : set.ranges) {
    if (range.first <= last || range.last < range.first) in.FailAt(start, "sequence-set in ascending order");
    last = range.last;
    count += std::uint64_t{range.last} - range.first + 1;
  }
  return count;
}

// seq-match-data = "(" known-sequence-set SP known-uid-set ")"       ; RFC 7162 §7
command::SequenceMatch ParseSequenceMatch(Cursor& in) {
  command::SequenceMatch match;
  in.Expect('(', "\"(\"");
  const std::uint64_t numbers = ParseAscending(in, match.numbers);
  in.Space();
  const std::size_t start = in.offset();
  if (ParseAscending(in, match.uids) != numbers) in.FailAt(start, "as many UIDs as message numbers");
  in.Expect(')', "\")\"");
  return match;
}

// "QRESYNC" SP "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"   ; RFC 7162 §7
command::Qresync ParseQresync(Cursor& in) {
  command::Qresync qresync;
  in.Space();
  in.Expect('(', "\"(\"");
  qresync.uid_validity = {grammar::ParseNzNumber(in)};
  in.Space();
  qresync.modseq = grammar::ParseModSeq(in);
  bool more = in.Accept(' ');
  if (more && !in.Peek('(')) {
    qresync.known_uids = ParseKnown(in);
    more = in.Accept(' ');
  }
  if (more) qresync.match = ParseSequenceMatch(in);
  in.Expect(')', "\")\"");
  return qresync;
}

// select-params = SP "(" select-param *(SP select-param) ")"         ; RFC 4466 §2.1
// select-param  = "CONDSTORE" / "QRESYNC" SP "(" ... ")"             ; RFC 7162 §7
command::SelectParameters ParseSelectParameters(Cursor& in) {
  command::SelectParameters parameters;
  in.Space();
  in.Expect('(', "\"(\"");
  do {
    if (!parameters.condstore && in.AcceptWord("CONDSTORE")) {
      parameters.condstore = true;
    } else if (!parameters.qresync && in.AcceptWord("QRESYNC")) {
      parameters.qresync = ParseQresync(in);
    } else {
      in.Fail("CONDSTORE or QRESYNC, each once");
    }
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  return parameters;
}

template <class Command>
Parsed<Command> ParseOpening(Cursor& in) {
  Command cmd;
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  if (in.Peek(' ')) cmd.parameters = ParseSelectParameters(in);
  return in.Finish(std::move(cmd));
}

}  // namespace

// select = "SELECT" SP mailbox [select-params]                       ; RFC 3501 §9, RFC 4466 §2.1
Parsed<command::Select> ParseSelect(Cursor& in) { return ParseOpening<command::Select>(in); }

// examine = "EXAMINE" SP mailbox [select-params]
Parsed<command::Examine> ParseExamine(Cursor& in) { return ParseOpening<command::Examine>(in); }

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
