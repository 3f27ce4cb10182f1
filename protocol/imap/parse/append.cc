#include "protocol/imap/parse/append.h"

#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/grammar.h"

namespace protocol::parse {
namespace {

/// "{n}CRLF" or "~{n}CRLF", and nothing behind it yet.
template <class Announced>
void ParseAnnouncement(Cursor& in, Announced& out) {
  out.binary = in.Accept('~');
  const grammar::LiteralHead head = grammar::ParseLiteralHead(in);
  out.size = head.size;
  out.synchronizing = head.synchronizing;
  if (!in.rest().empty()) in.Fail("message");
}

// append         = "APPEND" SP mailbox 1*append-message              ; RFC 3502 §6
// append-message = [SP flag-list] [SP date-time] SP append-data
// append-data    = literal / "CATENATE" SP "(" cat-part *(SP cat-part) ")"    ; RFC 4469 §5
// literal        =/ "~{" number ["+"] "}" CRLF *OCTET                ; literal8, RFC 3516 §7
command::AppendMessage ParseAppendMessage(Cursor& in) {
  command::AppendMessage message;
  in.Space();
  if (in.Peek('(')) {
    message.flags = grammar::ParseFlagList(in);
    in.Space();
  }
  if (in.Peek('"')) {
    message.date = grammar::ParseDateTime(in);
    in.Space();
  }
  if (in.AcceptWord("CATENATE")) {
    message.catenate = true;
    message.synchronizing = false;
    in.Space();
    in.Expect('(', "\"(\"");
  } else {
    ParseAnnouncement(in, message);
  }
  return message;
}

// cat-part     = text-literal / url
// text-literal = "TEXT" SP literal
// url          = "URL" SP astring
/// True: a literal's octets follow.
bool ParsePart(Cursor& in, std::vector<AppendStep>& out) {
  if (in.AcceptWord("TEXT")) {
    in.Space();
    command::CatenateText text;
    ParseAnnouncement(in, text);
    out.emplace_back(text);
    return true;
  }
  in.Word("URL");
  in.Space();
  out.emplace_back(command::CatenateUrl{grammar::ParseAstring(in, limits::kUrl)});
  return false;
}

/// `open`: right behind the "(" of CATENATE, or not within it at all.
AppendFragment ParseFragment(Cursor& in, bool in_catenate, bool open) {
  AppendFragment out{.steps = {}, .literal = false, .in_catenate = in_catenate};
  while (!in.failed() && !out.literal) {
    if (!out.in_catenate) {
      if (!in.Peek(' ')) {
        in.EndOfLine();
        break;
      }
      auto message = ParseAppendMessage(in);
      out.in_catenate = open = message.catenate;
      out.literal = !message.catenate;
      out.steps.emplace_back(std::move(message));
    } else if (!open && in.Accept(')')) {
      out.in_catenate = false;
    } else {
      if (!std::exchange(open, false)) in.Space();
      out.literal = ParsePart(in, out.steps);
    }
  }
  return out;
}

/// The mailbox and the first message.
Parsed<AppendHead> ParseTarget(Cursor& in, AppendHead head) {
  in.Space();
  head.begin.mailbox = grammar::ParseMailbox(in);
  if (!in.Peek(' ')) in.Space();
  head.fragment = ParseFragment(in, /*in_catenate=*/false, /*open=*/true);
  if (in.failed()) return tl::unexpected<ParseError>(in.error());
  return head;
}

}  // namespace

Parsed<AppendHead> ParseAppend(Cursor& in) { return ParseTarget(in, {}); }

// replace = "REPLACE" SP seq-number SP mailbox append-message        ; RFC 8508 §5
// uid     =/ "UID" SP replace
Parsed<AppendHead> ParseReplace(Cursor& in, NumberKind numbers) {
  AppendHead head;
  in.Space();
  const std::size_t start = in.offset();
  command::Replaced replaced{numbers, grammar::ParseSequenceSet(in)};
  const auto& ranges = replaced.message.ranges;
  if (ranges.size() != 1 || ranges.front().first != ranges.front().last) in.FailAt(start, "message number");
  head.begin.replaces = std::move(replaced);
  return ParseTarget(in, std::move(head));
}

Parsed<AppendFragment> ParseAfterMessage(std::string_view octets, bool in_catenate) {
  Cursor in(octets);
  auto fragment = ParseFragment(in, in_catenate, /*open=*/false);
  if (in.failed()) return tl::unexpected<ParseError>(in.error());
  return fragment;
}

}  // namespace protocol::parse
