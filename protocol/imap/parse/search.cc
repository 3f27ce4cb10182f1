#include "protocol/imap/parse/search.h"

#include <array>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/fetch_items.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

using Op = SearchKey::Op;

/// What follows a key's name.
enum class Argument {
  kNone,
  kFixedFlag,
  kFlag,
  kText,
  kFieldAndText,
  kDay,
  kSize,
  kInterval,
  kUids,
  kObjectId,
  kModSeq
};

struct Row {
  std::string_view name;
  Op op;
  Argument argument = Argument::kNone;
  std::string_view flag = {};
};

constexpr std::array kKeys{
    Row{"ALL", Op::kAll},
    Row{"ANSWERED", Op::kFlag, Argument::kFixedFlag, "\\Answered"},
    Row{"DELETED", Op::kFlag, Argument::kFixedFlag, "\\Deleted"},
    Row{"DRAFT", Op::kFlag, Argument::kFixedFlag, "\\Draft"},
    Row{"FLAGGED", Op::kFlag, Argument::kFixedFlag, "\\Flagged"},
    Row{"SEEN", Op::kFlag, Argument::kFixedFlag, "\\Seen"},
    Row{"KEYWORD", Op::kFlag, Argument::kFlag},
    Row{"UNANSWERED", Op::kUnflag, Argument::kFixedFlag, "\\Answered"},
    Row{"UNDELETED", Op::kUnflag, Argument::kFixedFlag, "\\Deleted"},
    Row{"UNDRAFT", Op::kUnflag, Argument::kFixedFlag, "\\Draft"},
    Row{"UNFLAGGED", Op::kUnflag, Argument::kFixedFlag, "\\Flagged"},
    Row{"UNSEEN", Op::kUnflag, Argument::kFixedFlag, "\\Seen"},
    Row{"UNKEYWORD", Op::kUnflag, Argument::kFlag},
    Row{"RECENT", Op::kRecent},
    Row{"OLD", Op::kOld},
    Row{"NEW", Op::kNew},
    Row{"BCC", Op::kBcc, Argument::kText},
    Row{"CC", Op::kCc, Argument::kText},
    Row{"FROM", Op::kFrom, Argument::kText},
    Row{"SUBJECT", Op::kSubject, Argument::kText},
    Row{"TO", Op::kTo, Argument::kText},
    Row{"BODY", Op::kBody, Argument::kText},
    Row{"TEXT", Op::kText, Argument::kText},
    Row{"HEADER", Op::kHeader, Argument::kFieldAndText},
    Row{"BEFORE", Op::kBefore, Argument::kDay},
    Row{"ON", Op::kOn, Argument::kDay},
    Row{"SINCE", Op::kSince, Argument::kDay},
    Row{"SENTBEFORE", Op::kSentBefore, Argument::kDay},
    Row{"SENTON", Op::kSentOn, Argument::kDay},
    Row{"SENTSINCE", Op::kSentSince, Argument::kDay},
    Row{"SAVEDBEFORE", Op::kSavedBefore, Argument::kDay},
    Row{"SAVEDON", Op::kSavedOn, Argument::kDay},
    Row{"SAVEDSINCE", Op::kSavedSince, Argument::kDay},
    Row{"SAVEDATESUPPORTED", Op::kSaveDateSupported},
    Row{"LARGER", Op::kLarger, Argument::kSize},
    Row{"SMALLER", Op::kSmaller, Argument::kSize},
    Row{"OLDER", Op::kOlder, Argument::kInterval},
    Row{"YOUNGER", Op::kYounger, Argument::kInterval},
    Row{"UID", Op::kUidSet, Argument::kUids},
    Row{"EMAILID", Op::kEmailId, Argument::kObjectId},
    Row{"THREADID", Op::kThreadId, Argument::kObjectId},
    Row{"MODSEQ", Op::kModSeq, Argument::kModSeq},
};

class ProgramParser {
 public:
  explicit ProgramParser(Cursor& in) : in_(in) {}

  bool has_modseq() const { return has_modseq_; }

  // search-key *(SP search-key)
  SearchKey List(std::size_t depth) {
    SearchKey all{.op = Op::kAnd};
    do all.children.push_back(Key(depth));
    while (in_.Accept(' '));
    return all;
  }

 private:
  // search-key = "ALL" / ... / "OR" SP search-key SP search-key / "NOT" SP search-key / sequence-set /
  //              "(" search-key *(SP search-key) ")"
  SearchKey Key(std::size_t depth) {
    if (++keys_ > limits::kSearchKeys) in_.Fail("fewer search keys");
    if (depth > limits::kSearchDepth) in_.Fail("less nesting");
    SearchKey key;
    if (in_.failed()) return key;
    if (in_.Accept('(')) {
      key = List(depth + 1);
      in_.Expect(')', "\")\"");
      return key;
    }
    const char next = in_.rest().empty() ? '\0' : in_.rest().front();
    if (ascii::IsDigit(next) || next == '*' || next == '$') {
      key.op = Op::kSequenceSet;
      key.set = grammar::ParseSequenceSet(in_);
      return key;
    }
    const std::size_t start = in_.offset();
    const std::string_view name = in_.TakeWhile(ascii::IsAlpha, limits::kFlagName, "search-key");
    if (ascii::EqualNoCase(name, "NOT")) {
      key.op = Op::kNot;
      Operand(key, depth);
    } else if (ascii::EqualNoCase(name, "OR")) {
      key.op = Op::kOr;
      Operand(key, depth);
      Operand(key, depth);
    } else {
      Named(key, name, start);
    }
    return key;
  }

  void Operand(SearchKey& key, std::size_t depth) {
    in_.Space();
    key.children.push_back(Key(depth + 1));
  }

  void Named(SearchKey& key, std::string_view name, std::size_t start) {
    for (const Row& row : kKeys) {
      if (!ascii::EqualNoCase(row.name, name)) continue;
      key.op = row.op;
      return ArgumentOf(row, key);
    }
    in_.FailAt(start, "search-key");
  }

  void ArgumentOf(const Row& row, SearchKey& key) {
    if (row.argument != Argument::kNone && row.argument != Argument::kFixedFlag) in_.Space();
    switch (row.argument) {
      case Argument::kNone: break;
      case Argument::kFixedFlag: key.text = row.flag; break;
      case Argument::kFlag: key.text = grammar::ParseFlag(in_); break;
      case Argument::kText: key.text = grammar::ParseAstring(in_, limits::kSearchText); break;
      case Argument::kFieldAndText:
        key.field = grammar::ParseAstring(in_, limits::kFlagName);
        in_.Space();
        key.text = grammar::ParseAstring(in_, limits::kSearchText);
        break;
      case Argument::kDay: key.day = grammar::ParseDate(in_); break;
      case Argument::kSize: key.number = grammar::ParseNumber64(in_); break;
      case Argument::kInterval: key.number = grammar::ParseNzNumber(in_); break;
      case Argument::kUids: key.set = grammar::ParseSequenceSet(in_); break;
      case Argument::kObjectId: key.text = grammar::ParseAtom(in_, limits::kFlagName, "objectid"); break;
      case Argument::kModSeq:
        has_modseq_ = true;
        MetadataItem();
        key.number = grammar::ParseModSeqOrZero(in_).value;
        break;
    }
  }

  // search-modseq-ext = SP entry-name SP entry-type-req               ; RFC 7162 §7
  // entry-name        = DQUOTE "/flags/" attr-flag DQUOTE
  // Read and forgotten: a message has one mod-sequence for all its flags (§3.1.5).
  void MetadataItem() {
    if (!in_.Peek('"')) return;
    const std::size_t start = in_.offset();
    const std::string name = grammar::ParseString(in_, kFlagsPrefix.size() + limits::kFlagName);
    if (name.size() <= kFlagsPrefix.size() ||
        !ascii::EqualNoCase(std::string_view(name).substr(0, kFlagsPrefix.size()), kFlagsPrefix)) {
      in_.FailAt(start, "\"/flags/\" and a flag");
    }
    in_.Space();
    if (!in_.AcceptWord("priv") && !in_.AcceptWord("shared") && !in_.AcceptWord("all"))
      in_.Fail("priv, shared or all");
    in_.Space();
  }

  static constexpr std::string_view kFlagsPrefix = "/flags/";

  Cursor& in_;
  std::size_t keys_ = 0;
  bool has_modseq_ = false;
};

}  // namespace

// search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"   ; RFC 4466 §2.6.1
// search-return-opt  = "MIN" / "MAX" / "ALL" / "COUNT" / "SAVE"      ; RFC 4731 §4, RFC 5182 §4
// search-return-opt  =/ "PARTIAL" SP partial-range                   ; RFC 9394 §4; it or ALL, once (§3.1)
// search-return-opt  =/ "CONTEXT" / modifier-update                  ; RFC 5267 §5
// modifier-update    = "UPDATE" [ "(" fetch-att *(SP fetch-att) ")" ]                      ; RFC 5465 §8
// Deviates: the example of RFC 5465 §7 has a space before the parenthesis: both are read.
SearchReturn ParseReturn(Cursor& in) {
  SearchReturn returns;
  in.Space();
  in.Expect('(', "\"(\"");
  if (in.Accept(')')) {
    returns.all = true;
    return returns;
  }
  do {
    const std::size_t start = in.offset();
    const std::string_view option = in.TakeWhile(ascii::IsAlpha, limits::kFlagName, "search-return-opt");
    if (ascii::EqualNoCase(option, "MIN")) {
      returns.min = true;
    } else if (ascii::EqualNoCase(option, "MAX")) {
      returns.max = true;
    } else if (ascii::EqualNoCase(option, "ALL")) {
      if (returns.partial) in.FailAt(start, "PARTIAL without ALL");
      returns.all = true;
    } else if (ascii::EqualNoCase(option, "COUNT")) {
      returns.count = true;
    } else if (ascii::EqualNoCase(option, "SAVE")) {
      returns.save = true;
    } else if (ascii::EqualNoCase(option, "PARTIAL")) {
      if (returns.all || returns.partial)
        in.FailAt(start, returns.all ? "ALL without PARTIAL" : "PARTIAL once");
      in.Space();
      returns.partial = grammar::ParsePartialRange(in);
    } else if (ascii::EqualNoCase(option, "CONTEXT")) {
      returns.context = true;
    } else if (ascii::EqualNoCase(option, "UPDATE")) {
      returns.update = true;
      if (in.AcceptWord("(") || in.AcceptWord(" (")) returns.update_items = ParseFetchItems(in);
    } else {
      in.FailAt(start, "search-return-opt");
    }
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  return returns;
}

void ParseSearchKeys(Cursor& in, command::Search& search) {
  ProgramParser program(in);
  search.key = program.List(0);
  search.modseq = program.has_modseq();
}

void ParseSearchCriteria(Cursor& in, command::Search& search) {
  search.charset = ascii::Upper(grammar::ParseAstring(in, limits::kFlagName));
  in.Space();
  ParseSearchKeys(in, search);
}

// search         = "SEARCH" [search-return-opts] SP search-program   ; RFC 4466 §2.6.1
// search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
Parsed<command::Search> ParseSearch(Cursor& in, NumberKind numbers) {
  command::Search cmd{.numbers = numbers};
  in.Space();
  if (in.AcceptWord("RETURN")) {
    cmd.returns = ParseReturn(in);
    in.Space();
  }
  if (in.AcceptWord("CHARSET")) {
    in.Space();
    ParseSearchCriteria(in, cmd);
  } else {
    ParseSearchKeys(in, cmd);
  }
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
