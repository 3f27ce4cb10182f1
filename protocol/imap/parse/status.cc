#include <array>
#include <utility>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/commands.h"
#include "protocol/imap/parse/grammar.h"
#include "protocol/imap/parse/status_items.h"
#include "protocol/model/ascii.h"

namespace protocol::parse {
namespace {

constexpr std::array<std::pair<std::string_view, StatusItem>, 11> kItems{{
    {"MESSAGES", StatusItem::kMessages},
    {"RECENT", StatusItem::kRecent},
    {"UIDNEXT", StatusItem::kUidNext},
    {"UIDVALIDITY", StatusItem::kUidValidity},
    {"UNSEEN", StatusItem::kUnseen},
    {"SIZE", StatusItem::kSize},
    {"APPENDLIMIT", StatusItem::kAppendLimit},
    {"MAILBOXID", StatusItem::kMailboxId},
    {"HIGHESTMODSEQ", StatusItem::kHighestModSeq},
    {"DELETED", StatusItem::kDeleted},
    {"DELETED-STORAGE", StatusItem::kDeletedStorage},
}};

// status-att = "MESSAGES" / "RECENT" / "UIDNEXT" / "UIDVALIDITY" / "UNSEEN"
StatusItem ParseStatusItem(Cursor& in) {
  const std::size_t start = in.offset();
  const std::string_view word =
      in.TakeWhile([](char c) { return ascii::IsAlpha(c) || c == '-'; }, limits::kFlagName, "status-att");
  for (const auto& [name, item] : kItems) {
    if (ascii::EqualNoCase(name, word)) return item;
  }
  in.FailAt(start, "status-att");
  return {};
}

}  // namespace

std::vector<StatusItem> ParseStatusItems(Cursor& in) {
  std::vector<StatusItem> items;
  in.Expect('(', "\"(\"");
  do {
    if (items.size() == limits::kStatusItems) {
      in.Fail("fewer items");
      break;
    }
    items.push_back(ParseStatusItem(in));
  } while (in.Accept(' '));
  in.Expect(')', "\")\"");
  return items;
}

// status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"  ; RFC 3501 §9
Parsed<command::Status> ParseStatus(Cursor& in) {
  command::Status cmd;
  in.Space();
  cmd.mailbox = grammar::ParseMailbox(in);
  in.Space();
  cmd.items = ParseStatusItems(in);
  return in.Finish(std::move(cmd));
}

}  // namespace protocol::parse
