#include "server/imap/commands/status_line.h"

#include <algorithm>

#include "protocol/imap/write/mailbox.h"

namespace server::imap {

void WriteStatus(std::string& out, std::string_view name, std::span<const protocol::StatusItem> items,
                 const storage::FolderStatus& status, const ImapOptions& options) {
  using protocol::StatusItem;
  protocol::write::StatusLine line(out, name);
  for (const StatusItem item : items) {
    switch (item) {
      case StatusItem::kMessages: line.Add(item, status.messages); break;
      case StatusItem::kRecent: line.Add(item, status.recent); break;
      case StatusItem::kUidNext: line.Add(item, status.uid_next.value); break;
      case StatusItem::kUidValidity: line.Add(item, status.uid_validity.value); break;
      case StatusItem::kUnseen: line.Add(item, status.unseen); break;
      case StatusItem::kDeleted: line.Add(item, status.deleted); break;
      case StatusItem::kDeletedStorage: line.Add(item, status.deleted_octets); break;
      case StatusItem::kSize: line.Add(item, status.octets); break;
      case StatusItem::kAppendLimit: line.Add(item, options.append_limit); break;
      case StatusItem::kHighestModSeq: line.Add(item, status.highest_modseq.value); break;
      case StatusItem::kMailboxId: line.AddMailboxId(status.ref.folder); break;
    }
  }
  line.End();
}

storage::StatusCounts CountsFor(std::span<const protocol::StatusItem> items) {
  const auto asks = [&](protocol::StatusItem item) { return std::ranges::find(items, item) != items.end(); };
  return {.recent = asks(protocol::StatusItem::kRecent),
          .deleted_octets = asks(protocol::StatusItem::kDeletedStorage)};
}

bool EnablesCondstore(std::span<const protocol::StatusItem> items) {
  return std::ranges::find(items, protocol::StatusItem::kHighestModSeq) != items.end();
}

}  // namespace server::imap
