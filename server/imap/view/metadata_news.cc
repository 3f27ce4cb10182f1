#include "server/imap/view/metadata_news.h"

#include <new>
#include <utility>

#include "protocol/model/metadata_entry.h"

namespace server::imap {

MetadataNews::MetadataNews(storage::ChangeFeed& feed, storage::AccountId account, storage::Origin own,
                           std::function<void()> wake, Limits limits)
    : account_(account),
      own_(own),
      wake_(std::move(wake)),
      limits_(limits),
      subscription_(feed.Subscribe(account, *this)) {}

void MetadataNews::OnChange(const std::shared_ptr<const storage::Change>& change) noexcept {
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    try {
      if (const auto* changed = std::get_if<storage::AnnotationsChanged>(&change->what)) {
        if (change->origin != own_) Note(*changed);
      } else if (const auto* renamed = std::get_if<storage::FolderRenamed>(&change->what)) {
        Rename(*renamed);
      } else if (const auto* deleted = std::get_if<storage::FolderDeleted>(&change->what)) {
        Forget(deleted->folder);
      }
    } catch (const std::bad_alloc&) {
      // What did not fit is not told, as beyond the limits.
    }
    wake = !mailboxes_.empty() && std::exchange(armed_, false);
  }
  if (wake) wake_();
}

void MetadataNews::Note(const storage::AnnotationsChanged& what) {
  for (const std::string& name : what.entries) {
    if (protocol::IsPrivateMetadata(name) && what.viewer != account_) continue;
    const auto at = mailboxes_.find(what.folder);
    const bool known = at != mailboxes_.end();
    std::string key = protocol::MetadataKey(name);
    if (known && at->second.names.contains(key)) continue;
    const std::size_t octets = name.size() + (known ? 0 : what.path.size());
    if (names_ == limits_.names || octets_ + octets > limits_.octets) continue;
    Mailbox& mailbox = mailboxes_[what.folder];
    if (!known) mailbox.path = what.path;
    mailbox.names.emplace(std::move(key), name);
    mailbox.octets += octets;
    ++names_;
    octets_ += octets;
  }
}

void MetadataNews::Rename(const storage::FolderRenamed& what) {
  const auto at = mailboxes_.find(what.folder);
  if (at != mailboxes_.end()) at->second.path = what.to;
}

void MetadataNews::Forget(storage::FolderId folder) {
  const auto at = mailboxes_.find(folder);
  if (at == mailboxes_.end()) return;
  names_ -= at->second.names.size();
  octets_ -= at->second.octets;
  mailboxes_.erase(at);
}

std::vector<MetadataNews::Changed> MetadataNews::Take() {
  std::map<storage::FolderId, Mailbox> taken;
  {
    const std::scoped_lock lock(mutex_);
    taken = std::exchange(mailboxes_, {});
    names_ = octets_ = 0;
  }
  std::vector<Changed> out;
  for (auto& [folder, mailbox] : taken) {
    Changed& changed = out.emplace_back();
    changed.path = std::move(mailbox.path);
    for (auto& [key, name] : mailbox.names) changed.entries.push_back(std::move(name));
  }
  return out;
}

bool MetadataNews::Arm() {
  const std::scoped_lock lock(mutex_);
  if (!mailboxes_.empty()) return true;
  armed_ = true;
  return false;
}

void MetadataNews::Disarm() {
  const std::scoped_lock lock(mutex_);
  armed_ = false;
}

}  // namespace server::imap
