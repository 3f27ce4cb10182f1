#include "server/imap/notify/metadata_names.h"

#include <utility>

#include "protocol/model/metadata_entry.h"

namespace server::imap::notify {

bool MetadataNames::Note(const storage::AnnotationsChanged& what, storage::AccountId viewer) {
  bool all = true;
  for (const std::string& name : what.entries) {
    if (protocol::IsPrivateMetadata(name) && what.viewer != viewer) continue;
    const auto at = mailboxes_.find(what.folder);
    const bool known = at != mailboxes_.end();
    std::string key = protocol::MetadataKey(name);
    if (known && at->second.names.contains(key)) continue;
    const std::size_t octets = name.size() + (known ? 0 : what.path.size());
    if (names_ == limits_.names || octets_ + octets > limits_.octets) {
      all = false;
      continue;
    }
    Mailbox& mailbox = mailboxes_[what.folder];
    if (!known) mailbox.path = what.path;
    mailbox.names.emplace(std::move(key), name);
    mailbox.octets += octets;
    ++names_;
    octets_ += octets;
  }
  return all;
}

void MetadataNames::Rename(storage::FolderId folder, const std::string& to) {
  const auto at = mailboxes_.find(folder);
  if (folder.value != 0 && at != mailboxes_.end()) at->second.path = to;
}

void MetadataNames::Forget(storage::FolderId folder) {
  const auto at = mailboxes_.find(folder);
  if (at == mailboxes_.end()) return;
  names_ -= at->second.names.size();
  octets_ -= at->second.octets;
  mailboxes_.erase(at);
}

std::vector<MetadataNames::Changed> MetadataNames::All() const {
  std::vector<Changed> out;
  for (const auto& [folder, mailbox] : mailboxes_) {
    Changed& changed = out.emplace_back();
    changed.path = mailbox.path;
    for (const auto& [key, name] : mailbox.names) changed.entries.push_back(name);
  }
  return out;
}

}  // namespace server::imap::notify
