#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

// mechanism = "INTERNAL" / 1*(ALPHA / DIGIT / "-" / ".")             ; RFC 4467 §9: case-insensitive
std::string ParseUrlMechanism(Cursor& in) {
  const auto in_name = [](char c) { return ascii::IsAlpha(c) || ascii::IsDigit(c) || c == '-' || c == '.'; };
  return ascii::Upper(in.TakeWhile(in_name, limits::kUrlMechanism, "mechanism"));
}

// url-fetch-param = "BODY" / "BINARY" / "BODYPARTSTRUCTURE" / atom   ; RFC 5524 §5
// Each once, and not both of the first two (§3.1).
void ParseUrlFetchParameter(Cursor& in, command::UrlFetch::Request& request) {
  const std::size_t start = in.offset();
  const std::string_view name =
      grammar::ParseAtom(in, limits::kFlagName, "BODY, BINARY or BODYPARTSTRUCTURE");
  bool* asked = ascii::EqualNoCase(name, "BODY")                ? &request.body
                : ascii::EqualNoCase(name, "BINARY")            ? &request.binary
                : ascii::EqualNoCase(name, "BODYPARTSTRUCTURE") ? &request.body_part_structure
                                                                : nullptr;
  if (asked == nullptr) return in.FailAt(start, "BODY, BINARY or BODYPARTSTRUCTURE");
  if (*asked) in.FailAt(start, "each parameter once");
  *asked = true;
  if (request.body && request.binary) in.FailAt(start, "BODY or BINARY, not both");
}

// url-fetch-arg    = url-fetch-simple / url-fetch-ext
// url-fetch-simple = url-full
// url-fetch-ext    = "(" url-full *(SP url-fetch-param) ")"
command::UrlFetch::Request ParseUrlFetchArgument(Cursor& in) {
  command::UrlFetch::Request request;
  const bool extended = in.Accept('(');
  request.url = grammar::ParseAstring(in, limits::kUrl);
  if (!extended) return request;
  while (!in.failed() && in.Accept(' ')) ParseUrlFetchParameter(in, request);
  in.Expect(')', "\")\"");
  return request;
}

}  // namespace

// resetkey = "RESETKEY" [SP mailbox *(SP mechanism)]                 ; RFC 4467 §9
Parsed<command::ResetKey> ParseResetKey(Cursor& in) {
  command::ResetKey cmd;
  if (in.Accept(' ')) {
    cmd.mailbox = grammar::ParseMailbox(in);
    while (!in.failed() && in.Accept(' ')) {
      if (cmd.mechanisms.size() == limits::kUrlMechanisms) in.Fail("fewer mechanisms");
      cmd.mechanisms.push_back(ParseUrlMechanism(in));
    }
  }
  return in.Finish(std::move(cmd));
}

// genurlauth = "GENURLAUTH" 1*(SP url-rump SP mechanism)
// url-rump   = astring
Parsed<command::GenUrlAuth> ParseGenUrlAuth(Cursor& in) {
  command::GenUrlAuth cmd;
  in.Space();
  do {
    if (cmd.requests.size() == limits::kUrls) in.Fail("fewer URLs");
    command::GenUrlAuth::Request& request = cmd.requests.emplace_back();
    request.url = grammar::ParseAstring(in, limits::kUrl);
    in.Space();
    request.mechanism = ParseUrlMechanism(in);
  } while (!in.failed() && in.Accept(' '));
  return in.Finish(std::move(cmd));
}

// urlfetch = "URLFETCH" 1*(SP url-fetch-arg)                         ; RFC 5524 §5
Parsed<command::UrlFetch> ParseUrlFetch(Cursor& in) {
  command::UrlFetch cmd;
  in.Space();
  do {
    if (cmd.requests.size() == limits::kUrls) in.Fail("fewer URLs");
    cmd.requests.push_back(ParseUrlFetchArgument(in));
  } while (!in.failed() && in.Accept(' '));
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
