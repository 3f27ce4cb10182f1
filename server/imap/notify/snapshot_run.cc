#include "server/imap/notify/snapshot_run.h"

#include <algorithm>
#include <numeric>

#include "server/imap/mailbox_place.h"
#include "server/imap/notify/teller.h"
#include "server/imap/session.h"

namespace server::imap::notify {

namespace {

/// Work between two looks at the clock.
constexpr std::size_t kStatusBatch = 1024;

}  // namespace

SnapshotRun::SnapshotRun(const Session& session, const Filters& filters)
    : session_(session),
      store_(session.services().store),
      filters_(filters),
      selected_(session.selected() != nullptr ? session.selected()->view->folder() : storage::FolderRef{}),
      clock_(session.services().clock) {}

storage::Result<bool> SnapshotRun::Slice() {
  const auto until = clock_.Now() + kSlice;
  if (!names_) {
    const auto read = ReadNames();
    if (!read) return tl::unexpected(read.error());
  }
  while (read_ < mailboxes_.size()) {
    const auto read = ReadStatuses();
    if (!read) return tl::unexpected(read.error());
    if (clock_.Now() >= until) return false;
  }
  while (foreign_read_ < foreign_.size()) {
    const auto read = ReadForeign();
    if (!read) return tl::unexpected(read.error());
    if (clock_.Now() >= until) return false;
  }
  names_->Release();
  by_name_.resize(mailboxes_.size());
  std::iota(by_name_.begin(), by_name_.end(), 0U);
  std::ranges::sort(by_name_, {}, [this](std::uint32_t at) { return mailboxes_[at].name; });
  return true;
}

storage::Result<> SnapshotRun::ReadNames() {
  auto names =
      store_.ReadNames(session_.account(), {.prefix = {}, .subscriptions = filters_.ask_subscriptions()});
  if (!names) return tl::unexpected(std::move(names).error());
  names_ = *std::move(names);
  Select();
  if (!filters_.may_watch_others()) return {};
  return SelectForeign();
}

void SnapshotRun::Select() {
  const auto& names = names_->names();
  for (std::uint32_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    if (name.id.value == 0 || selected_ == storage::FolderRef{session_.account(), name.id}) continue;
    const Watched watched = filters_.Of(name.path, name.subscribed);
    if (watched.snapshot) mailboxes_.push_back({.id = name.id, .name = i, .events = watched.events});
  }
  std::ranges::sort(mailboxes_, {}, &Mailbox::id);
}

storage::Result<> SnapshotRun::SelectForeign() {
  auto shared = session_.ListShared();
  if (!shared) return tl::unexpected(std::move(shared).error());
  for (const auto& folder : *shared) {
    if (!folder.rights.Has(storage::Right::kRead) || folder.ref == selected_) continue;
    std::string name = ForeignName(folder.owner, folder.path);
    const auto is_it = [&](const auto& own) { return own.path == name && own.subscribed; };
    const bool subscribed = filters_.ask_subscriptions() && std::ranges::any_of(names_->names(), is_it);
    const Watched watched = filters_.Of(name, subscribed);
    if (watched.snapshot)
      foreign_.push_back({.ref = folder.ref, .events = watched.events, .now = {.path = std::move(name)}});
  }
  std::ranges::sort(foreign_, {}, [](const Foreign& one) -> std::string_view { return one.now.path; });
  return {};
}

storage::Result<> SnapshotRun::ReadStatuses() {
  const std::size_t last = std::min(read_ + kStatusBatch, mailboxes_.size());
  std::vector<storage::FolderId> folders;
  folders.reserve(last - read_);
  for (std::size_t i = read_; i < last; ++i) folders.push_back(mailboxes_[i].id);
  return names_->Statuses(folders, {}, [&](const storage::FolderStatus& status) {
    Mailbox& mailbox = mailboxes_[read_++];
    mailbox.uid_validity = status.uid_validity;
    mailbox.uid_next = status.uid_next;
    mailbox.messages = status.messages;
    mailbox.unseen = status.unseen;
    mailbox.highest_modseq = status.highest_modseq;
    mailbox.readable =
        storage::RightsOfHost(status.owner_rights, session_.actor()).Has(storage::Right::kRead);
  });
}

storage::Result<> SnapshotRun::ReadForeign() {
  Foreign& one = foreign_[foreign_read_];
  const bool unseen = one.events.Has(NotifyEvent::kFlagChange);
  const auto status =
      unseen ? store_.GetFolderFor(one.ref, session_.principal().account) : store_.GetFolder(one.ref);
  if (!status && status.error().code != storage::Errc::kNoSuchFolder &&
      status.error().code != storage::Errc::kNoSuchAccount)
    return tl::unexpected(status.error());
  ++foreign_read_;
  if (!status) return {};
  one.there = true;
  std::string name = std::move(one.now.path);
  one.now = storage::SummaryOf(*status);
  one.now.path = std::move(name);
  return {};
}

bool SnapshotRun::Write(std::string& out, std::size_t enough) {
  const std::size_t all = by_name_.size() + foreign_.size();
  for (; written_ < all && out.size() < enough; ++written_) {
    if (written_ >= by_name_.size()) {
      const Foreign& one = foreign_[written_ - by_name_.size()];
      if (one.there) WriteStatus(out, one.now, one.events, session_.condstore());
      continue;
    }
    const Mailbox& mailbox = mailboxes_[by_name_[written_]];
    if (!mailbox.readable) continue;
    const storage::FolderSummary now{.path = std::string(names_->names()[mailbox.name].path),
                                     .uid_validity = mailbox.uid_validity,
                                     .uid_next = mailbox.uid_next,
                                     .messages = mailbox.messages,
                                     .unseen = mailbox.unseen,
                                     .highest_modseq = mailbox.highest_modseq};
    WriteStatus(out, now, mailbox.events, session_.condstore());
  }
  return written_ == all;
}

storage::ModSeq SnapshotRun::Told(storage::FolderRef folder) const {
  if (folder.account != session_.account()) {
    const auto at = std::ranges::find(foreign_, folder, &Foreign::ref);
    return at != foreign_.end() ? at->now.highest_modseq : storage::ModSeq{};
  }
  const auto at = std::ranges::lower_bound(mailboxes_, folder.folder, {}, &Mailbox::id);
  return at != mailboxes_.end() && at->id == folder.folder ? at->highest_modseq : storage::ModSeq{};
}

}  // namespace server::imap::notify
