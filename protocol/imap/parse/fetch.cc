#include <array>
#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/fetch_items.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

using Kind = FetchItem::Kind;

struct Row {
  std::string_view name;
  Kind kind;
  bool peek = false;
};

constexpr std::array kItems{
    Row{"UID", Kind::kUid},
    Row{"FLAGS", Kind::kFlags},
    Row{"INTERNALDATE", Kind::kInternalDate},
    Row{"RFC822.SIZE", Kind::kRfc822Size},
    Row{"ENVELOPE", Kind::kEnvelope},
    Row{"BODYSTRUCTURE", Kind::kBodyStructure},
    Row{"BODY.PEEK", Kind::kSection, /*peek=*/true},
    Row{"BODY", Kind::kBody},
    Row{"RFC822.HEADER", Kind::kRfc822Header, /*peek=*/true},
    Row{"RFC822.TEXT", Kind::kRfc822Text},
    Row{"RFC822", Kind::kRfc822},
    Row{"BINARY.PEEK", Kind::kBinary, /*peek=*/true},
    Row{"BINARY.SIZE", Kind::kBinarySize, /*peek=*/true},
    Row{"BINARY", Kind::kBinary},
    Row{"EMAILID", Kind::kEmailId},
    Row{"THREADID", Kind::kThreadId},
    Row{"SAVEDATE", Kind::kSaveDate},
    Row{"MODSEQ", Kind::kModSeq},
    Row{"PREVIEW", Kind::kPreview},
};

bool IsNameChar(char c) { return ascii::IsAlpha(c) || ascii::IsDigit(c) || c == '.'; }

// preview-mod = "LAZY"                                               ; RFC 8970 §6
// An item without parentheses may be followed by the command's own modifiers: what is not LAZY is theirs.
bool AcceptLazy(Cursor& in) {
  if (!in.AcceptWord(" (LAZY")) return false;
  while (in.Accept(' ')) in.Word("LAZY");
  in.Expect(')', "\")\"");
  return true;
}

// fetch-att =  "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
//              "BODY" ["STRUCTURE"] / "UID" / "BODY" [".PEEK"] section ["<" number "." nz-number ">"]
// fetch-att =/ "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary    ; RFC 3516 §7
// fetch-att =/ "EMAILID" / "THREADID"                                ; RFC 8474 §7
// fetch-att =/ "SAVEDATE"                                            ; RFC 8514 §5
// fetch-att =/ "MODSEQ"                                              ; RFC 7162 §7
// fetch-att =/ "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]  ; RFC 8970 §6
FetchItem ParseFetchItem(Cursor& in) {
  FetchItem item;
  const std::size_t start = in.offset();
  const std::string_view name = in.TakeWhile(IsNameChar, limits::kFlagName, "fetch-att");
  const auto* row = kItems.begin();
  while (row != kItems.end() && !ascii::EqualNoCase(row->name, name)) ++row;
  if (row == kItems.end()) {
    in.FailAt(start, "fetch-att");
    return item;
  }
  item.kind = row->kind;
  if (item.kind == Kind::kBody && in.Peek('[')) item.kind = Kind::kSection;
  switch (item.kind) {
    case Kind::kSection:
      item.peek = row->peek;
      item.section = grammar::ParseSection(in);
      item.partial = grammar::ParsePartial(in);
      break;
    case Kind::kBinary:
      item.peek = row->peek;
      item.section = grammar::ParseSectionBinary(in);
      item.partial = grammar::ParsePartial(in);
      break;
    case Kind::kBinarySize: item.section = grammar::ParseSectionBinary(in); break;
    case Kind::kPreview: item.lazy = AcceptLazy(in); break;
    case Kind::kUid:
    case Kind::kFlags:
    case Kind::kInternalDate:
    case Kind::kRfc822Size:
    case Kind::kEnvelope:
    case Kind::kBody:
    case Kind::kBodyStructure:
    case Kind::kRfc822:
    case Kind::kRfc822Header:
    case Kind::kRfc822Text:
    case Kind::kEmailId:
    case Kind::kThreadId:
    case Kind::kSaveDate:
    case Kind::kModSeq: break;
  }
  return item;
}

/// RFC 3501 §6.4.5: FAST, ALL and FULL are each a prefix of this.
constexpr std::array kMacroItems{Kind::kFlags, Kind::kInternalDate, Kind::kRfc822Size, Kind::kEnvelope,
                                 Kind::kBody};

bool AcceptMacro(Cursor& in, std::vector<FetchItem>& items) {
  const std::size_t count = in.AcceptWord("FAST")   ? 3
                            : in.AcceptWord("ALL")  ? 4
                            : in.AcceptWord("FULL") ? 5
                                                    : 0;
  for (std::size_t i = 0; i < count; ++i) items.push_back({.kind = kMacroItems[i]});
  return count > 0;
}

// fetch-modifier      =  "CHANGEDSINCE" SP mod-sequence-value        ; RFC 7162 §7
// rexpunges-fetch-mod =  "VANISHED"
// fetch-modifier      =/ "PARTIAL" SP partial-range                  ; RFC 9394 §4
void ParseModifier(Cursor& in, command::Fetch& cmd) {
  if (!cmd.changed_since && in.AcceptWord("CHANGEDSINCE")) {
    in.Space();
    cmd.changed_since = grammar::ParseModSeq(in);
  } else if (!cmd.vanished && cmd.numbers == NumberKind::kUid && in.AcceptWord("VANISHED")) {
    cmd.vanished = true;
  } else if (!cmd.partial && cmd.numbers == NumberKind::kUid && in.AcceptWord("PARTIAL")) {
    in.Space();
    cmd.partial = grammar::ParsePartialRange(in);
  } else {
    in.Fail(cmd.numbers == NumberKind::kUid ? "CHANGEDSINCE, VANISHED or PARTIAL, each once"
                                            : "CHANGEDSINCE, once");
  }
}

// fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")"   ; RFC 4466 §2.4
void ParseModifiers(Cursor& in, command::Fetch& cmd) {
  in.Space();
  in.Expect('(', "\"(\"");
  do ParseModifier(in, cmd);
  while (in.Accept(' '));
  // RFC 7162 §3.2.6: VANISHED says nothing without a time.
  if (cmd.vanished && !cmd.changed_since) in.Fail("CHANGEDSINCE beside VANISHED");
  in.Expect(')', "\")\"");
}

}  // namespace

std::vector<FetchItem> ParseFetchItems(Cursor& in) {
  std::vector<FetchItem> items;
  do {
    if (items.size() == limits::kFetchItems) {
      in.Fail("fewer items");
      break;
    }
    items.push_back(ParseFetchItem(in));
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  return items;
}

// fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att /
//         "(" fetch-att *(SP fetch-att) ")") [fetch-modifiers]       ; RFC 3501 §9, RFC 4466 §2.4
Parsed<command::Fetch> ParseFetch(Cursor& in, NumberKind numbers) {
  command::Fetch cmd{.numbers = numbers};
  in.Space();
  cmd.set = grammar::ParseSequenceSet(in);
  in.Space();
  if (in.Accept('(')) {
    cmd.items = ParseFetchItems(in);
  } else if (!AcceptMacro(in, cmd.items)) {
    cmd.items.push_back(ParseFetchItem(in));
  }
  if (in.Peek(' ')) ParseModifiers(in, cmd);
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
