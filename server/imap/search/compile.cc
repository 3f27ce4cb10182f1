#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/imap/object_id.h"
#include "protocol/mime/header_block.h"
#include "protocol/mime/words.h"
#include "protocol/model/ascii.h"
#include "protocol/text/charset.h"
#include "protocol/text/fold.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/search/program.h"

namespace server::imap::search {

using protocol::NumberKind;
using protocol::Reply;
using protocol::ResponseCode;
using protocol::SearchKey;
using protocol::SystemFlag;

/// Translates keys to nodes; the first refusal sticks.
struct Program::Compiler {
  const MailboxView& view;
  const std::string& charset;
  const std::int64_t now;
  Program program;
  std::optional<Reply> refusal;
  std::size_t texts = 0;  ///< nodes that read a message's text

  Node Make(const SearchKey& key);
  std::vector<Node> MakeAll(const std::vector<SearchKey>& keys);
  Node Not(Node child);
  Node Uids(NumberKind numbers, const protocol::SequenceSet& set);
  Node Flag(std::string_view name);
  Node Recent();
  Node ModSeq(std::int64_t least);
  Node On(Date date, Compare compare, protocol::Day day);
  Node Row(Op op, std::int64_t number);
  Node Header(std::string_view field, const std::string& text);
  Node Text(Op op, const std::string& text);
  Node Object(std::string_view id);
  std::string Utf8(const std::string& text);
  std::string Folded(const std::string& text);
  void CountText();
};

using protocol::text::CommonCharsets;

tl::expected<Program, Reply> Program::Compile(const protocol::command::Search& cmd, const MailboxView& view,
                                              std::int64_t now) {
  if (!cmd.charset.empty() && !protocol::text::IsKnownCharset(cmd.charset)) {
    ResponseCode::BadCharset code;
    for (const auto name : CommonCharsets()) code.charsets.emplace_back(name);
    return tl::unexpected(protocol::No(std::move(code), "This charset is not supported"));
  }
  Compiler compiler{.view = view, .charset = cmd.charset, .now = now, .program = {}, .refusal = {}};
  Node root = compiler.Make(cmd.key);
  if (compiler.refusal) return tl::unexpected(*std::move(compiler.refusal));
  compiler.program.root_ = std::move(root);
  return std::move(compiler.program);
}

void Program::Compiler::CountText() {
  if (++texts <= protocol::limits::kSearchTextKeys || refusal) return;
  refusal = protocol::No(ResponseCode::kLimit, "Too many text keys in one SEARCH: at most " +
                                                   std::to_string(protocol::limits::kSearchTextKeys));
}

std::string Program::Compiler::Utf8(const std::string& text) {
  // Octets outside ASCII without a charset are taken for UTF-8: what clients that forget it mean.
  auto utf8 = protocol::text::ToUtf8(text, charset.empty() ? "UTF-8" : charset);
  return utf8 ? *std::move(utf8) : text;
}

std::string Program::Compiler::Folded(const std::string& text) { return protocol::text::Fold(Utf8(text)); }

std::vector<Program::Node> Program::Compiler::MakeAll(const std::vector<SearchKey>& keys) {
  std::vector<Node> nodes;
  nodes.reserve(keys.size());
  for (const auto& key : keys) nodes.push_back(Make(key));
  return nodes;
}

Program::Node Program::Compiler::Not(Node child) {
  Node node{.op = Op::kNot};
  node.children.push_back(std::move(child));
  return node;
}

Program::Node Program::Compiler::Uids(NumberKind numbers, const protocol::SequenceSet& set) {
  Node node{.op = Op::kUids};
  auto uids = Resolve(view, numbers, set);
  if (uids) {
    node.uids = *std::move(uids);
  } else if (!refusal) {
    refusal = std::move(uids.error());
  }
  return node;
}

Program::Node Program::Compiler::Flag(std::string_view name) {
  Node node{.op = Op::kFlags};
  program.uses_states_ = true;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<SystemFlag>(i);
    if (!protocol::ascii::EqualNoCase(protocol::Name(flag), name)) continue;
    node.flags.system = protocol::FlagSet::Bit(flag);
    return node;
  }
  const auto& keywords = view.keywords();
  for (std::size_t i = 0; i < keywords.size(); ++i) {
    if (!protocol::SameKeyword(keywords[i], name)) continue;
    node.flags.keywords = std::uint64_t{1} << i;
    return node;
  }
  return {.op = Op::kFalse};  // no message here has it
}

Program::Node Program::Compiler::Recent() {
  return {.op = Op::kRecent, .number = std::int64_t{view.recent_from().value}};
}

Program::Node Program::Compiler::ModSeq(std::int64_t least) {
  program.uses_states_ = true;
  return {.op = Op::kModSeq, .number = least};
}

Program::Node Program::Compiler::On(Date date, Compare compare, protocol::Day day) {
  program.uses_rows_ = true;
  return {.op = Op::kDate, .date = date, .compare = compare, .day = day};
}

Program::Node Program::Compiler::Row(Op op, std::int64_t number) {
  program.uses_rows_ = true;
  return {.op = op, .number = number};
}

// RFC 3501 §6.4.4: HEADER matches a substring, without regard to case.
// Deviates: identifiers (storage/store/id_lookup.h) match as a whole, octet by octet. What their clients ask
// is "do you have this one?", of which a substring is no answer; and it is answered from an index, at once,
// however large the folder. An empty text still asks for the field's presence, one that is longer than any
// identifier should be is looked for as RFC 3501 says, and TEXT still finds a part of one.
Program::Node Program::Compiler::Header(std::string_view field, const std::string& asked) {
  std::string text;
  if (const auto id = storage::IdKindOf(field)) {
    text = protocol::mime::Unfold(Utf8(asked));
    if (*id == storage::IdKind::kCorrelator) text = protocol::mime::DecodeWords(text);
    if (storage::IsIndexed(*id, text)) return {.op = Op::kId, .text = std::move(text), .id = *id};
    // Longer than the index knows: any part of a header is found, so with and without brackets is one.
    if (*id == storage::IdKind::kMessage && text.size() > 2 && text.starts_with('<') && text.ends_with('>'))
      text = text.substr(1, text.size() - 2);
    text = protocol::text::Fold(text);
  } else {
    text = Folded(asked);
  }
  program.uses_rows_ = true;
  CountText();
  return {.op = Op::kHeader, .field = protocol::ascii::Lower(field) + ":", .text = std::move(text)};
}

Program::Node Program::Compiler::Text(Op op, const std::string& text) {
  if (text.empty()) return {.op = Op::kTrue};
  program.uses_rows_ = true;
  CountText();
  return {.op = op, .text = Folded(text)};
}

Program::Node Program::Compiler::Object(std::string_view id) {
  const auto object = protocol::ParseEmailId(id);
  if (!object) return {.op = Op::kFalse};
  program.uses_rows_ = true;
  return {.op = Op::kObject, .object = *object};
}

Program::Node Program::Compiler::Make(const SearchKey& key) {
  using K = SearchKey::Op;
  const auto number = static_cast<std::int64_t>(key.number);
  switch (key.op) {
    case K::kAll: return {.op = Op::kTrue};
    case K::kAnd: return {.op = Op::kAnd, .children = MakeAll(key.children)};
    case K::kOr: return {.op = Op::kOr, .children = MakeAll(key.children)};
    case K::kNot: return Not(key.children.empty() ? Node{} : Make(key.children.front()));
    case K::kSequenceSet: return Uids(NumberKind::kSequence, key.set);
    case K::kUidSet: return Uids(NumberKind::kUid, key.set);
    case K::kFlag: return Flag(key.text);
    case K::kUnflag: return Not(Flag(key.text));
    case K::kRecent: return Recent();
    case K::kOld: return Not(Recent());
    case K::kModSeq: return ModSeq(number);
    case K::kNew: {
      Node node{.op = Op::kAnd};
      node.children.push_back(Recent());
      node.children.push_back(Not(Flag("\\Seen")));
      return node;
    }
    case K::kBcc: return Header("bcc", key.text);
    case K::kCc: return Header("cc", key.text);
    case K::kFrom: return Header("from", key.text);
    case K::kSubject: return Header("subject", key.text);
    case K::kTo: return Header("to", key.text);
    case K::kHeader: return Header(key.field, key.text);
    case K::kBody: return Text(Op::kBody, key.text);
    case K::kText: return Text(Op::kText, key.text);
    case K::kBefore: return On(Date::kInternal, Compare::kBefore, key.day);
    case K::kOn: return On(Date::kInternal, Compare::kOn, key.day);
    case K::kSince: return On(Date::kInternal, Compare::kSince, key.day);
    case K::kSentBefore: return On(Date::kSent, Compare::kBefore, key.day);
    case K::kSentOn: return On(Date::kSent, Compare::kOn, key.day);
    case K::kSentSince: return On(Date::kSent, Compare::kSince, key.day);
    case K::kSavedBefore: return On(Date::kSaved, Compare::kBefore, key.day);
    case K::kSavedOn: return On(Date::kSaved, Compare::kOn, key.day);
    case K::kSavedSince: return On(Date::kSaved, Compare::kSince, key.day);
    case K::kSaveDateSupported: return {.op = Op::kTrue};
    case K::kLarger: return Row(Op::kLarger, number);
    case K::kSmaller: return Row(Op::kSmaller, number);
    case K::kOlder: return Row(Op::kOlder, now - number);
    case K::kYounger: return Row(Op::kYounger, now - number);
    case K::kEmailId: return Object(key.text);
    case K::kThreadId: return {.op = Op::kFalse};  // THREADID is NIL here (RFC 8474 §5.2)
  }
  return {.op = Op::kFalse};
}

}  // namespace server::imap::search
