#include "protocol/imap/parse/grammar.h"

#include <charconv>

#include "protocol/imap/limits.h"
#include "protocol/model/ascii.h"
#include "protocol/model/mailbox_name.h"
#include "protocol/text/modified_utf7.h"

namespace protocol::grammar {
namespace {

constexpr std::string_view kShorterString = "a shorter string";
constexpr std::string_view kModifiedUtf7 = "mailbox name in modified UTF-7";

template <class T>
T Digits(Cursor& in, std::string_view expected) {
  const std::size_t start = in.offset();
  const std::string_view digits = in.TakeWhile(ascii::IsDigit, 20, expected);
  T value = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (!in.failed() && ec != std::errc{}) in.FailAt(start, expected);
  return value;
}

// quoted      = DQUOTE *QUOTED-CHAR DQUOTE
// QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials
std::string ParseQuoted(Cursor& in, std::size_t limit) {
  const std::size_t start = in.offset();
  in.Expect('"', "string");
  std::string out;
  while (!in.failed() && !in.Accept('"')) {
    const std::string_view rest = in.rest();
    std::size_t plain = 0;
    while (plain < rest.size()) {
      const auto c = static_cast<unsigned char>(rest[plain]);
      if (c == 0 || c == '\r' || c == '\n' || c == '"' || c == '\\' || c >= 0x80) break;
      ++plain;
    }
    out += in.Take(plain);
    if (out.size() > limit) in.FailAt(start, kShorterString);
    if (in.Accept('\\')) {
      if (!in.Peek('"') && !in.Peek('\\')) in.Fail("quoted-specials");
      out += in.Take(1);
    } else if (!in.Peek('"')) {
      const bool eight_bit = !in.rest().empty() && static_cast<unsigned char>(in.rest().front()) >= 0x80;
      in.Fail(eight_bit ? "7-bit octet (8-bit text needs a literal)" : "closing DQUOTE");
    }
  }
  if (out.size() > limit) in.FailAt(start, kShorterString);
  return out;
}

enum class Nul { kForbidden, kAllowed };

// literal = "{" number ["+"] "}" CRLF *CHAR8                         ; RFC 7888 §8
std::string ParseLiteral(Cursor& in, std::size_t limit, Nul nul_octets = Nul::kForbidden) {
  const LiteralHead head = ParseLiteralHead(in);
  if (in.failed()) return {};
  if (head.size > limit) {
    in.FailTooBig();
    return {};
  }
  // An announcement at the very end is incomplete even if it announces nothing: the command's end is to come.
  if (in.rest().empty() || in.rest().size() < head.size) {
    in.FailIncomplete();
    return {};
  }
  const std::size_t start = in.offset();
  const std::string_view octets = in.Take(static_cast<std::size_t>(head.size));
  const auto nul = nul_octets == Nul::kForbidden ? octets.find('\0') : std::string_view::npos;
  if (nul != std::string_view::npos) {
    in.FailAt(start + nul, "octet other than NUL");
    return {};
  }
  return std::string(octets);
}

std::string DecodeName(Cursor& in, std::size_t start, const std::string& wire) {
  if (in.failed()) return {};
  auto utf8 = text::FromModifiedUtf7(wire);
  if (!utf8) {
    in.FailAt(start, kModifiedUtf7);
    return {};
  }
  return *std::move(utf8);
}

// seq-number = nz-number / "*"
std::uint32_t ParseSeqNumber(Cursor& in) {
  if (in.Accept('*')) return SequenceRange::kLargest;
  return Digits<std::uint32_t>(in, "sequence-set");
}

// section-part = nz-number *("." nz-number)
// Stops before a "." that a section-text follows.
void ParseSectionPart(Cursor& in, std::vector<std::uint32_t>& part) {
  const auto digit_next = [&](std::size_t i) {
    return !in.failed() && i < in.rest().size() && ascii::IsDigit(in.rest()[i]);
  };
  if (!digit_next(0)) return;
  do {
    if (part.size() == limits::kSectionParts) return in.Fail("fewer part numbers");
    part.push_back(ParseNzNumber(in));
  } while (in.Peek('.') && digit_next(1) && in.Accept('.'));
}

// header-list = "(" header-fld-name *(SP header-fld-name) ")"
void ParseHeaderList(Cursor& in, std::vector<std::string>& fields) {
  in.Space();
  in.Expect('(', "header-list");
  do {
    if (fields.size() == limits::kHeaderFields) return in.Fail("fewer header fields");
    fields.push_back(ParseAstring(in, limits::kFlagName));
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
}

// section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
// section-text    = section-msgtext / "MIME"
void ParseSectionText(Cursor& in, Section& section) {
  if (in.AcceptWord("HEADER.FIELDS.NOT")) {
    section.kind = Section::Kind::kHeaderFieldsNot;
    ParseHeaderList(in, section.fields);
  } else if (in.AcceptWord("HEADER.FIELDS")) {
    section.kind = Section::Kind::kHeaderFields;
    ParseHeaderList(in, section.fields);
  } else if (in.AcceptWord("HEADER")) {
    section.kind = Section::Kind::kHeader;
  } else if (in.AcceptWord("TEXT")) {
    section.kind = Section::Kind::kText;
  } else if (!section.part.empty() && in.AcceptWord("MIME")) {
    section.kind = Section::Kind::kMime;
  } else {
    in.Fail("section");
  }
}

}  // namespace

// tag = 1*<any ASTRING-CHAR except "+">
std::string_view ParseTag(Cursor& in) {
  return in.TakeWhile([](char c) { return IsAstringChar(c) && c != '+'; }, limits::kTag, "tag");
}

// atom = 1*ATOM-CHAR
std::string_view ParseAtom(Cursor& in, std::size_t limit, std::string_view expected) {
  return in.TakeWhile(IsAtomChar, limit, expected);
}

std::uint32_t ParseNumber(Cursor& in) { return Digits<std::uint32_t>(in, "number"); }

std::uint64_t ParseNumber64(Cursor& in) { return Digits<std::uint64_t>(in, "number"); }

std::uint32_t ParseNzNumber(Cursor& in) {
  const std::size_t start = in.offset();
  const auto value = Digits<std::uint32_t>(in, "nz-number");
  if (!in.failed() && value == 0) in.FailAt(start, "nz-number");
  return value;
}

// mod-sequence-valzer = "0" / mod-sequence-value                     ; RFC 7162 §7
ModSeq ParseModSeqOrZero(Cursor& in) {
  const std::size_t start = in.offset();
  const ModSeq value{Digits<std::uint64_t>(in, "mod-sequence")};
  if (!in.failed() && value > kMaxModSeq) in.FailAt(start, "mod-sequence of 63 bits");
  return value;
}

// mod-sequence-value = 1*DIGIT               ; RFC 7162 §7: 1 <= n <= 9,223,372,036,854,775,807
ModSeq ParseModSeq(Cursor& in) {
  const std::size_t start = in.offset();
  const ModSeq value = ParseModSeqOrZero(in);
  if (!in.failed() && value.value == 0) in.FailAt(start, "mod-sequence above 0");
  return value;
}

// "{" number ["+"] "}" CRLF
LiteralHead ParseLiteralHead(Cursor& in) {
  LiteralHead head;
  in.Expect('{', "literal");
  head.size = ParseNumber64(in);
  head.synchronizing = !in.Accept('+');
  in.Expect('}', "\"}\"");
  in.Accept('\r');
  in.Expect('\n', "CRLF");
  return head;
}

// string = quoted / literal
std::string ParseString(Cursor& in, std::size_t limit) {
  return in.Peek('{') ? ParseLiteral(in, limit) : ParseQuoted(in, limit);
}

// astring = 1*ASTRING-CHAR / string
std::string ParseAstring(Cursor& in, std::size_t limit) {
  if (in.Peek('"') || in.Peek('{')) return ParseString(in, limit);
  return std::string(in.TakeWhile(IsAstringChar, limit, "astring"));
}

// nstring = string / "NIL"
std::optional<std::string> ParseNstring(Cursor& in, std::size_t limit) {
  if (in.AcceptWord("NIL")) return std::nullopt;
  return ParseString(in, limit);
}

// nstring / literal8
// literal8 = "~{" number ["+"] "}" CRLF *OCTET                       ; RFC 4466 §4, RFC 7888 §8
std::optional<std::string> ParseNstring8(Cursor& in, std::size_t limit) {
  if (in.Accept('~')) return ParseLiteral(in, limit, Nul::kAllowed);
  return ParseNstring(in, limit);
}

// mailbox = "INBOX" / astring
std::string ParseMailbox(Cursor& in) {
  const std::size_t start = in.offset();
  return CanonicalMailboxName(DecodeName(in, start, ParseAstring(in, limits::kMailboxArgument)));
}

std::string ParseListReference(Cursor& in) {
  const std::size_t start = in.offset();
  return DecodeName(in, start, ParseAstring(in, limits::kMailboxArgument));
}

// list-mailbox = 1*list-char / string
std::string ParseListMailbox(Cursor& in) {
  const std::size_t start = in.offset();
  std::string wire;
  if (in.Peek('"') || in.Peek('{')) {
    wire = ParseString(in, limits::kListPattern);
  } else {
    wire = in.TakeWhile(IsListChar, limits::kListPattern, "list-mailbox");
  }
  return DecodeName(in, start, wire);
}

// sequence-set = (seq-number / seq-range) *("," sequence-set)
// sequence-set =/ "$"                                                ; RFC 5182 §4
SequenceSet ParseSequenceSet(Cursor& in) {
  SequenceSet set;
  if (in.Accept('$')) {
    set.saved_result = true;
    return set;
  }
  do {
    if (set.ranges.size() == limits::kSequenceRanges) {
      in.Fail("fewer ranges");
      break;
    }
    const std::size_t start = in.offset();
    const bool star = in.Peek('*');
    SequenceRange range;
    range.first = ParseSeqNumber(in);
    if (!star && range.first == 0) in.FailAt(start, "nz-number");
    range.last = range.first;
    if (in.Accept(':')) {
      const std::size_t second = in.offset();
      const bool last_star = in.Peek('*');
      range.last = ParseSeqNumber(in);
      if (!last_star && range.last == 0) in.FailAt(second, "nz-number");
    }
    set.ranges.push_back(range);
  } while (in.Accept(','));
  return set;
}

// flag = "\Answered" / ... / flag-keyword / flag-extension
// flag-extension = "\" atom; \Recent is not among what a client may name (flag-fetch)
std::string_view ParseFlag(Cursor& in) {
  const std::string_view all = in.rest();
  const std::size_t start = in.offset();
  const bool backslash = in.Accept('\\');
  const std::string_view atom = ParseAtom(in, limits::kFlagName - 1, "flag");
  if (in.failed()) return {};
  if (backslash && ascii::EqualNoCase(atom, "Recent")) {
    in.FailAt(start, "flag other than \\Recent");
    return {};
  }
  return all.substr(0, atom.size() + (backslash ? 1 : 0));
}

// flag-list = "(" [flag *(SP flag)] ")"
FlagSet ParseFlagList(Cursor& in) {
  FlagSet flags;
  in.Expect('(', "flag-list");
  if (in.Accept(')')) return flags;
  std::size_t count = 0;
  do {
    const std::string_view flag = ParseFlag(in);
    if (++count > limits::kFlags) in.Fail("fewer flags");
    if (!in.failed()) flags.Insert(flag);
  } while (in.Accept(' '));
  in.Expect(')', "flag-list");
  return flags;
}

// date = date-text / DQUOTE date-text DQUOTE
Day ParseDate(Cursor& in) {
  const std::size_t start = in.offset();
  const bool quoted = in.Accept('"');
  const std::string_view text =
      in.TakeWhile([](char c) { return ascii::IsDigit(c) || ascii::IsAlpha(c) || c == '-'; }, 11, "date");
  const auto day = protocol::ParseDay(text);
  if (!in.failed() && !day) in.FailAt(start, "date");
  if (quoted) in.Expect('"', "closing DQUOTE");
  return day.value_or(Day{});
}

// date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
InternalDate ParseDateTime(Cursor& in) {
  const std::size_t start = in.offset();
  in.Expect('"', "date-time");
  const std::string_view text = in.TakeWhile(
      [](char c) {
        return ascii::IsDigit(c) || ascii::IsAlpha(c) || c == '-' || c == '+' || c == ':' || c == ' ';
      },
      26, "date-time");
  const auto date = protocol::ParseDateTime(text);
  if (!in.failed() && !date) in.FailAt(start, "date-time");
  in.Expect('"', "closing DQUOTE");
  return date.value_or(InternalDate{});
}

// section      = "[" [section-spec] "]"
// section-spec = section-msgtext / (section-part ["." section-text])
Section ParseSection(Cursor& in) {
  Section section;
  in.Expect('[', "section");
  if (in.Accept(']')) return section;
  ParseSectionPart(in, section.part);
  if (section.part.empty() || in.Accept('.')) ParseSectionText(in, section);
  in.Expect(']', "\"]\"");
  return section;
}

// section-binary = "[" [section-part] "]"                            ; RFC 3516 §7
Section ParseSectionBinary(Cursor& in) {
  Section section;
  in.Expect('[', "section-binary");
  ParseSectionPart(in, section.part);
  in.Expect(']', "\"]\"");
  return section;
}

// partial = "<" number "." nz-number ">"
std::optional<Partial> ParsePartial(Cursor& in) {
  if (!in.Accept('<')) return std::nullopt;
  Partial partial;
  partial.offset = ParseNumber(in);
  in.Expect('.', "\".\"");
  partial.count = ParseNzNumber(in);
  in.Expect('>', "\">\"");
  return partial;
}

// partial-range       = partial-range-first / partial-range-last     ; RFC 9394 §4
// partial-range-first = nz-number ":" nz-number
// partial-range-last  = MINUS nz-number ":" MINUS nz-number
PartialRange ParsePartialRange(Cursor& in) {
  PartialRange range;
  range.from_end = in.Accept('-');
  range.first = ParseNzNumber(in);
  in.Expect(':', "\":\"");
  if (range.from_end) in.Expect('-', "\"-\"");
  range.last = ParseNzNumber(in);
  return range;
}

}  // namespace protocol::grammar
