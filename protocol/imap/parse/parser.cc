#include "protocol/imap/parse/parser.h"

#include <array>

#include <fmt/format.h>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/append.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/model/ascii.h"

namespace protocol {
namespace {

using Parse = Parsed<Command> (*)(Cursor&);

struct Row {
  std::string_view name;
  Parse parse;
};

template <class T>
Parsed<Command> Widen(Parsed<T> parsed) {
  if (!parsed) return tl::unexpected<ParseError>(parsed.error());
  return Command(*std::move(parsed));
}

template <class T>
constexpr Row Bare(std::string_view name) {
  return {name, [](Cursor& in) { return Widen(in.Finish(T{})); }};
}

template <auto kParse>
constexpr Row Plain(std::string_view name) {
  return {name, [](Cursor& in) { return Widen(kParse(in)); }};
}

template <auto kParse, NumberKind kNumbers>
constexpr Row Numbered(std::string_view name) {
  return {name, [](Cursor& in) { return Widen(kParse(in, kNumbers)); }};
}

constexpr auto kSequence = NumberKind::kSequence;
constexpr auto kUid = NumberKind::kUid;

// uid = "UID" SP (copy / fetch / search / store)                     ; RFC 3501 §9, RFC 5256 §5
constexpr std::array kUidCommands{
    Numbered<parse::ParseFetch, kUid>("FETCH"),   Numbered<parse::ParseStore, kUid>("STORE"),
    Numbered<parse::ParseSearch, kUid>("SEARCH"), Numbered<parse::ParseCopy, kUid>("COPY"),
    Numbered<parse::ParseMove, kUid>("MOVE"),     Numbered<parse::ParseExpunge, kUid>("EXPUNGE"),
    Numbered<parse::ParseSort, kUid>("SORT"),     Numbered<parse::ParseThread, kUid>("THREAD"),
};

constexpr std::array kCommands{
    Bare<command::Noop>("NOOP"),
    Bare<command::Idle>("IDLE"),
    Numbered<parse::ParseFetch, kSequence>("FETCH"),
    Numbered<parse::ParseStore, kSequence>("STORE"),
    Numbered<parse::ParseSearch, kSequence>("SEARCH"),
    Numbered<parse::ParseSort, kSequence>("SORT"),
    Numbered<parse::ParseThread, kSequence>("THREAD"),
    Numbered<parse::ParseCopy, kSequence>("COPY"),
    Numbered<parse::ParseMove, kSequence>("MOVE"),
    Numbered<parse::ParseExpunge, kSequence>("EXPUNGE"),
    Plain<parse::ParseSelect>("SELECT"),
    Plain<parse::ParseExamine>("EXAMINE"),
    Plain<parse::ParseStatus>("STATUS"),
    Plain<parse::ParseList>("LIST"),
    Plain<parse::ParseLsub>("LSUB"),
    Plain<parse::ParseCreate>("CREATE"),
    Plain<parse::ParseDelete>("DELETE"),
    Plain<parse::ParseRename>("RENAME"),
    Plain<parse::ParseSubscribe>("SUBSCRIBE"),
    Plain<parse::ParseUnsubscribe>("UNSUBSCRIBE"),
    Plain<parse::ParseLogin>("LOGIN"),
    Plain<parse::ParseAuthenticate>("AUTHENTICATE"),
    Plain<parse::ParseId>("ID"),
    Plain<parse::ParseEnable>("ENABLE"),
    Plain<parse::ParseGetMetadata>("GETMETADATA"),
    Plain<parse::ParseSetMetadata>("SETMETADATA"),
    Plain<parse::ParseGetQuota>("GETQUOTA"),
    Plain<parse::ParseGetQuotaRoot>("GETQUOTAROOT"),
    Plain<parse::ParseSetQuota>("SETQUOTA"),
    Plain<parse::ParseSetAcl>("SETACL"),
    Plain<parse::ParseDeleteAcl>("DELETEACL"),
    Plain<parse::ParseGetAcl>("GETACL"),
    Plain<parse::ParseListRights>("LISTRIGHTS"),
    Plain<parse::ParseMyRights>("MYRIGHTS"),
    Plain<parse::ParseCancelUpdate>("CANCELUPDATE"),
    Plain<parse::ParseNotify>("NOTIFY"),
    Plain<parse::ParseUrlFetch>("URLFETCH"),
    Plain<parse::ParseGenUrlAuth>("GENURLAUTH"),
    Plain<parse::ParseResetKey>("RESETKEY"),
    Bare<command::Capability>("CAPABILITY"),
    Bare<command::StartTls>("STARTTLS"),
    Plain<parse::ParseCompress>("COMPRESS"),
    Bare<command::Namespace>("NAMESPACE"),
    Bare<command::Check>("CHECK"),
    Bare<command::Close>("CLOSE"),
    Bare<command::Unselect>("UNSELECT"),
    Bare<command::Unauthenticate>("UNAUTHENTICATE"),
    Bare<command::Logout>("LOGOUT"),
};

template <std::size_t kSize>
Parse Find(const std::array<Row, kSize>& rows, std::string_view name) {
  for (const Row& row : rows) {
    if (ascii::EqualNoCase(row.name, name)) return row.parse;
  }
  return nullptr;
}

constexpr std::size_t kLongestName = 32;

using Body = std::variant<Command, parse::AppendHead>;

/// Command name and arguments.
Parsed<Body> ParseBody(Cursor& in) {
  std::size_t start = in.offset();
  std::string_view name = grammar::ParseAtom(in, kLongestName, "command name");
  const bool uid = ascii::EqualNoCase(name, "UID");
  if (uid) {
    in.Space();
    start = in.offset();
    name = grammar::ParseAtom(in, kLongestName, "command name");
  }
  if (in.failed()) return tl::unexpected<ParseError>(in.error());
  if (ascii::EqualNoCase(name, "REPLACE")) return parse::ParseReplace(in, uid ? kUid : kSequence);
  if (!uid && ascii::EqualNoCase(name, "APPEND")) return parse::ParseAppend(in);
  const Parse parse = uid ? Find(kUidCommands, name) : Find(kCommands, name);
  if (parse == nullptr) {
    in.FailAt(start, "command name");
    return tl::unexpected<ParseError>(in.error());
  }
  return parse(in);
}

}  // namespace

namespace parse {

// command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF    ; RFC 3501 §9
tl::expected<std::variant<TaggedCommand, AppendHead>, ParseFailure> ParseHead(std::string_view octets) {
  Cursor in(octets);
  const std::string_view tag = grammar::ParseTag(in);
  const auto failure = [&](const ParseError& error) {
    return tl::unexpected<ParseFailure>(ParseFailure{error, std::string(tag)});
  };
  in.Space();
  if (in.failed()) return failure(in.error());
  auto body = ParseBody(in);
  if (!body) return failure(body.error());
  if (auto* append = std::get_if<AppendHead>(&*body)) {
    append->begin.tag = tag;
    return std::move(*append);
  }
  return TaggedCommand{std::string(tag), std::get<Command>(*std::move(body))};
}

}  // namespace parse

tl::expected<TaggedCommand, ParseFailure> ParseCommand(std::string_view octets) {
  auto head = parse::ParseHead(octets);
  if (!head) return tl::unexpected<ParseFailure>(std::move(head).error());
  if (auto* command = std::get_if<TaggedCommand>(&*head)) return std::move(*command);
  // APPEND's messages never come here: they stream.
  return tl::unexpected<ParseFailure>(ParseFailure{{.offset = octets.size(), .expected = "message"},
                                                   std::get<parse::AppendHead>(*head).begin.tag});
}

std::string Describe(const ParseError& error) {
  return fmt::format("expected {} at column {}", error.expected, error.offset + 1);
}

}  // namespace protocol
