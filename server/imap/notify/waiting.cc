#include "server/imap/notify/waiting.h"

namespace server::imap::notify {

bool Waiting::NoteStatus(storage::FolderId folder, const storage::FolderSummary& now, NotifyEvents events) {
  const auto at = statuses_.find(folder);
  if (at != statuses_.end()) {
    at->second.events = at->second.events | events;
    Refresh(folder, now);
    return true;
  }
  if (!Fits(now.path.size())) return false;
  statuses_.emplace(folder, Status{now, events});
  octets_ += now.path.size();
  return true;
}

bool Waiting::NoteName(const std::string& path, NotifyEvents events) {
  const auto known = plain_.find(path);
  // Before a rename it would say what was, not what is.
  if (known != plain_.end() && known->second >= after_rename_) {
    names_[known->second].events = names_[known->second].events | events;
    return true;
  }
  if (!Fits(path.size())) return false;
  plain_[path] = names_.size();
  names_.push_back({.path = path, .events = events});
  octets_ += path.size();
  return true;
}

bool Waiting::NoteRename(const storage::FolderRenamed& what) {
  const std::size_t octets = what.from.size() + what.to.size();
  if (!Fits(octets)) return false;
  names_.push_back({what.to, what.from, what.below, {NotifyEvent::kMailboxName}});
  after_rename_ = names_.size();
  octets_ += octets;
  return true;
}

void Waiting::Refresh(storage::FolderId folder, const storage::FolderSummary& now) {
  const auto at = statuses_.find(folder);
  if (at == statuses_.end()) return;
  octets_ += now.path.size() - at->second.now.path.size();
  at->second.now = now;
}

void Waiting::Rename(const storage::FolderRenamed& what) {
  if (what.folder.value == 0) return;
  Refresh(what.folder, what.now);
  metadata_.Rename(what.folder, what.to);
}

void Waiting::ForgetStatus(storage::FolderId folder) {
  const auto at = statuses_.find(folder);
  if (at == statuses_.end()) return;
  octets_ -= at->second.now.path.size();
  statuses_.erase(at);
}

void Waiting::Forget(storage::FolderId folder) {
  ForgetStatus(folder);
  metadata_.Forget(folder);
}

}  // namespace server::imap::notify
