#include "protocol/imap/url.h"

#include <algorithm>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/cursor.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/imap/write/fetch.h"
#include "protocol/imap/write/string.h"
#include "protocol/model/ascii.h"
#include "protocol/model/mailbox_name.h"
#include "protocol/model/timestamp.h"

namespace protocol {
namespace {

constexpr std::string_view kScheme = "imap://";

// unreserved    = ALPHA / DIGIT / "-" / "." / "_" / "~"              ; RFC 3986 §2.3
// sub-delims-sh = "!" / "$" / "'" / "(" / ")" / "*" / "+" / ","
// achar         = unreserved / sub-delims-sh / "&" / "=", and pct-encoded
constexpr bool IsPlain(char c) {
  return ascii::IsAlpha(c) || ascii::IsDigit(c) ||
         std::string_view("-._~!$'()*+,&=").find(c) != std::string_view::npos;
}
bool IsAchar(char c) { return IsPlain(c) || c == '%'; }
// bchar         = achar / ":" / "@" / "/"
constexpr bool IsPathChar(char c) { return IsPlain(c) || c == ':' || c == '@' || c == '/'; }
bool IsBchar(char c) { return IsPathChar(c) || c == '%'; }

std::optional<unsigned char> HexValue(char c) {
  if (ascii::IsDigit(c)) return static_cast<unsigned char>(c - '0');
  const char lower = ascii::ToLower(c);
  if (lower < 'a' || lower > 'f') return std::nullopt;
  return static_cast<unsigned char>(lower - 'a' + 10);
}

/// Undoes pct-encoded; nullopt also for a control character, which nothing here may hold.
std::optional<std::string> Decode(std::string_view encoded) {
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    char c = encoded[i];
    if (c == '%') {
      if (i + 2 >= encoded.size()) return std::nullopt;
      const auto high = HexValue(encoded[i + 1]);
      const auto low = HexValue(encoded[i + 2]);
      if (!high || !low) return std::nullopt;
      c = static_cast<char>(*high << 4 | *low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == '\x7f') return std::nullopt;
    out += c;
  }
  return out;
}

std::string Encode(std::string_view text, bool (*is_plain)(char)) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_plain(c)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[octet >> 4];
    out += kHex[octet & 15];
  }
  return out;
}

std::string ParseDecoded(Cursor& in, bool (*in_class)(char), std::string_view expected) {
  const std::size_t start = in.offset();
  const auto decoded = Decode(in.TakeWhile(in_class, limits::kUrl, expected));
  if (!decoded) in.FailAt(start, expected);
  return decoded.value_or("");
}

// iserver   = [iuserinfo "@"] host [":" port]
// iuserinfo = enc-user [iauth] / [enc-user] iauth
// iauth     = ";AUTH=" ( "*" / enc-auth-type )
void ParseServer(Cursor& in, ImapUrl& url) {
  const std::string_view authority = in.rest().substr(0, in.rest().find('/'));
  if (authority.find('@') != std::string_view::npos) {
    if (!in.PeekWord(";AUTH=")) url.user = ParseDecoded(in, IsAchar, "a user name");
    if (in.AcceptWord(";AUTH=")) ParseDecoded(in, IsAchar, "\"*\" or a mechanism");
    in.Expect('@', "\"@\"");
  }
  const std::size_t start = in.offset();
  if (in.Accept('[')) {
    in.TakeWhile([](char c) { return HexValue(c).has_value() || c == ':' || c == '.'; }, 64, "an IP address");
    in.Expect(']', "\"]\"");
  } else {
    in.TakeWhile(IsAchar, 255, "a host");
  }
  if (in.Accept(':')) {
    const std::uint32_t port = grammar::ParseNzNumber(in);
    if (port > 65535) in.Fail("a port");
  }
  if (!in.failed()) url.host = authority.substr(authority.size() - (in.offset() - start));
}

// imailbox-ref = enc-mailbox [";UIDVALIDITY=" nz-number]
// iuid         = "/;UID=" nz-number
void ParseMessage(Cursor& in, ImapUrl& url) {
  constexpr std::string_view kExpected = "the URL of a message, as \"/mailbox/;UID=1\" is";
  std::string_view mailbox = in.TakeWhile(IsBchar, limits::kUrl, kExpected);
  if (in.AcceptWord(";UIDVALIDITY=")) {
    url.uid_validity = UidValidity{grammar::ParseNzNumber(in)};
    if (!in.AcceptWord("/;UID=")) in.Fail(kExpected);
  } else {
    if (!mailbox.ends_with('/') || !in.AcceptWord(";UID=")) in.Fail(kExpected);
    mailbox.remove_suffix(mailbox.empty() ? 0 : 1);
  }
  url.uid = Uid{grammar::ParseNzNumber(in)};
  const auto name = Decode(mailbox);
  if (name) url.mailbox = CanonicalMailboxName(*name);
  if (CheckMailboxName(url.mailbox) != NameFault::kNone) in.Fail("the name of a mailbox");
}

// isection-only = ";SECTION=" enc-section           ; section-spec of RFC 3501 §9
Section ParseSectionSpec(Cursor& in, std::string_view encoded) {
  const auto decoded = Decode(encoded);
  auto section = decoded && !decoded->empty() ? ReadSection(*decoded) : std::nullopt;
  if (!section) in.Fail("a section");
  return std::move(section).value_or(Section{});
}

// isection      = "/;SECTION=" enc-section
// ipartial      = "/;PARTIAL=" partial-range
// partial-range = number ["." nz-number]
void ParsePart(Cursor& in, ImapUrl& url) {
  bool partial = false;
  if (in.AcceptWord("/;SECTION=")) {
    std::string_view section = in.TakeWhile(IsBchar, limits::kUrl, "a section");
    partial = section.ends_with('/') && in.AcceptWord(";PARTIAL=");
    if (partial) section.remove_suffix(1);
    url.section = ParseSectionSpec(in, section);
  } else {
    partial = in.AcceptWord("/;PARTIAL=");
  }
  if (!partial) return;
  UrlPartial& range = url.partial.emplace();
  range.offset = grammar::ParseNumber(in);
  if (in.Accept('.')) range.count = grammar::ParseNzNumber(in);
}

// access = ("submit+" enc-user) / ("user+" enc-user) / "authuser" / "anonymous"
UrlAccess ParseAccess(Cursor& in) {
  using Kind = UrlAccess::Kind;
  if (in.AcceptWord("submit+")) return {Kind::kSubmit, ParseDecoded(in, IsAchar, "a user name")};
  if (in.AcceptWord("user+")) return {Kind::kUser, ParseDecoded(in, IsAchar, "a user name")};
  if (in.AcceptWord("authuser")) return {Kind::kAuthUser, {}};
  if (in.AcceptWord("anonymous")) return {Kind::kAnonymous, {}};
  in.Fail("an access identifier");
  return {};
}

// iurlauth-rump = [";EXPIRE=" date-time] ";URLAUTH=" access
// iua-verifier  = ":" uauth-mechanism ":" enc-urlauth
// enc-urlauth   = 32*HEXDIG
void ParseAuthorization(Cursor& in, ImapUrl& url) {
  const bool expires = in.AcceptWord(";EXPIRE=");
  if (expires) {
    const std::size_t start = in.offset();
    const auto in_date = [](char c) {
      return ascii::IsDigit(c) || ascii::IsAlpha(c) ||
             std::string_view("-+:.").find(c) != std::string_view::npos;
    };
    url.expire = ParseTimestamp(in.TakeWhile(in_date, limits::kUrl, "a time"));
    if (!url.expire) in.FailAt(start, "a time, as \"2016-03-09T00:00:00Z\" is");
  }
  if (!in.AcceptWord(";URLAUTH=")) {
    if (expires) in.Fail("\";URLAUTH=\"");
    return;
  }
  url.access = ParseAccess(in);
  if (!in.Accept(':')) return;
  UrlVerifier& verifier = url.verifier.emplace();
  verifier.mechanism =
      in.TakeWhile([](char c) { return ascii::IsAlpha(c) || ascii::IsDigit(c) || c == '-' || c == '.'; },
                   limits::kUrlMechanism, "a mechanism");
  in.Expect(':', "\":\"");
  verifier.token =
      in.TakeWhile([](char c) { return HexValue(c).has_value(); }, limits::kUrl, "a token in hexadecimal");
  if (verifier.token.size() < 32) in.Fail("a token of 32 digits or more");
}

void AppendNumber(std::string& out, std::string_view before, std::uint64_t number) {
  out += before;
  write::Number(out, number);
}

}  // namespace

// imapurl         = "imap://" iserver "/" imessagepart [iurlauth]
// iabsolute-path  = "/" imessagepart [iurlauth]
tl::expected<ImapUrl, std::string_view> ParseImapUrl(std::string_view text) {
  if (text.size() > limits::kUrl) return tl::unexpected(std::string_view("a shorter URL"));
  ImapUrl url;
  Cursor in(text);
  if (in.AcceptWord(kScheme)) ParseServer(in, url);
  in.Expect('/', "\"imap://\" or \"/\"");
  if (in.Peek('/')) in.Fail("the name of a mailbox");
  ParseMessage(in, url);
  ParsePart(in, url);
  ParseAuthorization(in, url);
  if (!in.rest().empty()) in.Fail("the end of the URL");
  if (in.failed()) return tl::unexpected(in.error().expected);
  return url;
}

std::string WriteSection(const Section& section) {
  std::string name;
  write::FetchItemName(name, {.kind = FetchItem::Kind::kSection, .section = section});
  constexpr std::string_view kBefore = "BODY[";
  return name.substr(kBefore.size(), name.size() - kBefore.size() - 1);
}

std::optional<Section> ReadSection(std::string_view text) {
  const std::string bracketed = '[' + std::string(text) + ']';
  Cursor in(bracketed);
  auto section = grammar::ParseSection(in);
  if (in.failed() || !in.rest().empty()) return std::nullopt;
  return section;
}

std::string_view RumpOf(std::string_view text, const ImapUrl& url) {
  if (!url.verifier) return text;
  return text.substr(0, text.size() - url.verifier->token.size() - url.verifier->mechanism.size() - 2);
}

std::string WriteImapUrl(const ImapUrl& url) {
  std::string out;
  if (!url.host.empty()) {
    out += kScheme;
    if (!url.user.empty()) out += Encode(url.user, IsPlain) + '@';
    out += url.host;
  }
  out += '/';
  out += Encode(url.mailbox, IsPathChar);
  if (url.uid_validity) AppendNumber(out, ";UIDVALIDITY=", url.uid_validity->value);
  AppendNumber(out, "/;UID=", url.uid.value);
  if (url.section) {
    out += "/;SECTION=";
    out += Encode(WriteSection(*url.section), IsPathChar);
  }
  if (url.partial) {
    AppendNumber(out, "/;PARTIAL=", url.partial->offset);
    if (url.partial->count) AppendNumber(out, ".", *url.partial->count);
  }
  if (!url.access) return out;
  if (url.expire) {
    out += ";EXPIRE=";
    out += FormatTimestamp(*url.expire);
  }
  out += ";URLAUTH=";
  switch (url.access->kind) {
    case UrlAccess::Kind::kSubmit: out += "submit+"; break;
    case UrlAccess::Kind::kUser: out += "user+"; break;
    case UrlAccess::Kind::kAuthUser: out += "authuser"; break;
    case UrlAccess::Kind::kAnonymous: out += "anonymous"; break;
  }
  out += Encode(url.access->user, IsPlain);
  if (!url.verifier) return out;
  return out + ':' + url.verifier->mechanism + ':' + url.verifier->token;
}

}  // namespace protocol
