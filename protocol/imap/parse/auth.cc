#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"
#include "protocol/text/base64.h"

namespace protocol::parse {

// authenticate     = "AUTHENTICATE" SP auth-type [SP initial-resp] *(CRLF base64)
// initial-resp     = (base64 / "=")                                  ; RFC 4959 §7
Parsed<command::Authenticate> ParseAuthenticate(Cursor& in) {
  command::Authenticate cmd;
  in.Space();
  cmd.mechanism = ascii::Upper(grammar::ParseAtom(in, limits::kMechanism, "auth-type"));
  if (in.Accept(' ')) {
    const std::size_t start = in.offset();
    const auto is_base64 = [](char c) {
      return ascii::IsAlpha(c) || ascii::IsDigit(c) || c == '+' || c == '/' || c == '=';
    };
    const std::string_view text = in.TakeWhile(is_base64, limits::kLineBeforeLogin, "base64");
    cmd.initial_response = text == "=" ? std::string() : text::DecodeBase64(text);
    if (!cmd.initial_response) in.FailAt(start, "base64");
  }
  return in.Finish(std::move(cmd));
}

// login = "LOGIN" SP userid SP password                              ; RFC 3501 §9
Parsed<command::Login> ParseLogin(Cursor& in) {
  command::Login cmd;
  in.Space();
  cmd.user = grammar::ParseAstring(in, limits::kUserName);
  in.Space();
  cmd.password = grammar::ParseAstring(in, limits::kPassword);
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
