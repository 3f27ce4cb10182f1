#include "protocol/imap/write/mailbox.h"

#include "protocol/imap/object_id.h"
#include "protocol/imap/write/string.h"

namespace protocol::write {
namespace {

// mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox      ; RFC 3501 §9
void MailboxList(std::string& out, std::string_view start, std::span<const std::string_view> attributes,
                 std::string_view utf8_name) {
  out += start;
  out += '(';
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    if (i > 0) out += ' ';
    out += attributes[i];
  }
  out += ") \"/\" ";
  Mailbox(out, utf8_name);
}

// mbox-list-extended      = "(" [mbox-list-extended-item *(SP mbox-list-extended-item)] ")"    ; RFC 5258 §6
// childinfo-extended-item = "CHILDINFO" SP "(" list-select-base-opt-quoted
//                           *(SP list-select-base-opt-quoted) ")"
void ChildInfo(std::string& out, std::span<const std::string_view> options) {
  out += " (\"CHILDINFO\" (";
  for (std::size_t i = 0; i < options.size(); ++i) {
    out += i > 0 ? " \"" : "\"";
    out += options[i];
    out += '"';
  }
  out += "))";
}

void CountLine(std::string& out, std::uint32_t number, std::string_view what) {
  out += "* ";
  Number(out, number);
  out += what;
}

std::string_view Name(StatusItem item) {
  switch (item) {
    case StatusItem::kMessages: return "MESSAGES ";
    case StatusItem::kRecent: return "RECENT ";
    case StatusItem::kUidNext: return "UIDNEXT ";
    case StatusItem::kUidValidity: return "UIDVALIDITY ";
    case StatusItem::kUnseen: return "UNSEEN ";
    case StatusItem::kSize: return "SIZE ";
    case StatusItem::kAppendLimit: return "APPENDLIMIT ";
    case StatusItem::kMailboxId: return "MAILBOXID ";
    case StatusItem::kHighestModSeq: return "HIGHESTMODSEQ ";
    case StatusItem::kDeleted: return "DELETED ";
    case StatusItem::kDeletedStorage: return "DELETED-STORAGE ";
  }
  return "";
}

}  // namespace

void ListLine(std::string& out, std::span<const std::string_view> attributes, std::string_view utf8_name,
              std::span<const std::string_view> child_info) {
  MailboxList(out, "* LIST ", attributes, utf8_name);
  if (!child_info.empty()) ChildInfo(out, child_info);
  out += "\r\n";
}

// oldname-extended-item = "OLDNAME" SP "(" mailbox ")"               ; RFC 5465 §8
void ListRenamedLine(std::string& out, std::span<const std::string_view> attributes,
                     std::string_view utf8_name, std::string_view utf8_old_name) {
  MailboxList(out, "* LIST ", attributes, utf8_name);
  out += " (\"OLDNAME\" (";
  Mailbox(out, utf8_old_name);
  out += "))\r\n";
}

void LsubLine(std::string& out, std::span<const std::string_view> attributes, std::string_view utf8_name) {
  MailboxList(out, "* LSUB ", attributes, utf8_name);
  out += "\r\n";
}

void ListRootLine(std::string& out, std::string_view utf8_root) {
  out += "* LIST (\\Noselect) \"/\" ";
  Mailbox(out, utf8_root);
  out += "\r\n";
}

void ExistsLine(std::string& out, std::uint32_t messages) { CountLine(out, messages, " EXISTS\r\n"); }
void RecentLine(std::string& out, std::uint32_t messages) { CountLine(out, messages, " RECENT\r\n"); }
void ExpungeLine(std::string& out, SeqNum number) { CountLine(out, number.value, " EXPUNGE\r\n"); }

void VanishedLines(std::string& out, const UidSet& uids, bool earlier) {
  constexpr std::size_t kRanges = 512;  // of up to 22 octets
  std::size_t written = 0;
  for (const UidRange& range : uids.ranges()) {
    if (written % kRanges == 0) {
      out += written == 0 ? "* VANISHED " : "\r\n* VANISHED ";
      if (earlier) out += "(EARLIER) ";
    } else {
      out += ',';
    }
    Number(out, range.first.value);
    if (range.first != range.last) {
      out += ':';
      Number(out, range.last.value);
    }
    ++written;
  }
  if (written > 0) out += "\r\n";
}

StatusLine::StatusLine(std::string& out, std::string_view utf8_name) : out_(out) {
  out_ += "* STATUS ";
  Mailbox(out_, utf8_name);
  out_ += " (";
}

void StatusLine::Separate() {
  if (!first_) out_ += ' ';
  first_ = false;
}

void StatusLine::Add(StatusItem item, std::uint64_t value) {
  Separate();
  out_ += Name(item);
  Number(out_, value);
}

void StatusLine::AddMailboxId(FolderId folder) {
  Separate();
  out_ += Name(StatusItem::kMailboxId);
  out_ += '(';
  AppendMailboxId(out_, folder);
  out_ += ')';
}

void StatusLine::End() { out_ += ")\r\n"; }

}  // namespace protocol::write
