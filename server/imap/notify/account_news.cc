#include "server/imap/notify/account_news.h"

#include <algorithm>
#include <new>

#include "protocol/model/mailbox_name.h"
#include "server/imap/mailbox_place.h"

namespace server::imap::notify {

namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};

constexpr NotifyEvents kMailboxName{NotifyEvent::kMailboxName};
constexpr NotifyEvents kAnything =
    protocol::kMessageEvents | kMailboxName | NotifyEvents{NotifyEvent::kMailboxMetadataChange};

/// RFC 5465 §5: what is needed to be told of what happens in a mailbox.
constexpr storage::Rights kToHear = storage::Right::kLookup | storage::Right::kRead;

/// Of somebody who lost or got `before` ^ `after`, what they hear of: granting and revoking `l` are as making
/// and deleting the mailbox (RFC 5465 §5.4), and whoever can hear no more of it is told so (§5.9).
NotifyEvents EventsOf(storage::Rights before, storage::Rights after) {
  const bool saw = before.Has(storage::Right::kLookup);
  const bool heard = before.HasAll(kToHear);
  if (saw == after.Has(storage::Right::kLookup) && heard == after.HasAll(kToHear)) return {};
  return saw ? kAnything : kMailboxName;
}

}  // namespace

AccountNews::AccountNews(storage::ChangeFeed& feed, storage::AccountId account, storage::Origin own,
                         net::Waker wake, const Waiting::Limits& limits)
    : wake_(std::move(wake)),
      account_(account),
      own_(own),
      limits_(limits),
      subscription_(feed.Subscribe(account, *this)) {}

AccountNews::AccountNews(storage::ChangeFeed& feed, storage::AccountId account, storage::Actor guest,
                         std::string prefix, net::Waker wake, const Waiting::Limits& limits)
    : wake_(std::move(wake)),
      account_(account),
      own_(std::move(guest)),
      guest_(std::make_unique<Guest>(Guest{std::move(prefix), {}})),
      limits_(limits),
      subscription_(feed.Subscribe(account, *this)) {}

void AccountNews::OnChange(const std::shared_ptr<const storage::Change>& change) noexcept {
  if (!guest_ && std::holds_alternative<storage::AccountClosed>(change->what)) {
    closed_ = true;
    wake_();
    return;
  }
  bool wake = false;
  {
    const std::scoped_lock lock(mutex_);
    if (!filters_) return;
    bool fits = false;
    try {
      fits = Note(*change);
    } catch (const std::bad_alloc&) {
      // As beyond the limits.
    }
    if (!fits && when_full_ == WhenFull::kOverflow) {
      overflow_ = true;
      filters_.reset();
      waiting_.reset();
    }
    wake = Any() && std::exchange(armed_, false);
  }
  if (wake) wake_();
}

/// False: it does not fit.
bool AccountNews::Note(const storage::Change& change) {
  const bool own = change.origin == own_.origin;
  const auto messages = [&](const auto& what, NotifyEvent event) {
    if (!own) return NoteStatus(what.folder, what.now, event);
    if (waiting_) waiting_->Refresh(what.folder, Named(what.now));
    return true;
  };
  return std::visit(
      Overloaded{
          [&](const storage::MessagesAdded& what) { return messages(what, NotifyEvent::kMessageNew); },
          [&](const storage::MessagesExpunged& what) { return messages(what, NotifyEvent::kMessageExpunge); },
          [&](const storage::FlagsChanged& what) {
            // \Seen is each guest's own.
            const auto viewer = guest_ ? own_.guest->account : storage::AccountId{};
            if (what.viewer != viewer && what.only_seen.size() == what.states.size()) return true;
            return messages(what, NotifyEvent::kFlagChange);
          },
          [&](const storage::FolderCreated& what) {
            if (own || !MaySee(what.folder)) return true;
            // Its UIDVALIDITY is new: who watches flags MUST hear of that (RFC 5465 §5.1).
            return NoteMadeOrGone(what.path) && NoteStatus(what.folder, what.now, NotifyEvent::kFlagChange);
          },
          [&](const storage::FolderRenamed& what) { return NoteRename(what, change.origin); },
          [&](const storage::FolderDeleted& what) {
            if (waiting_) waiting_->Forget(what.folder);
            const bool seen = MaySee(what.folder);
            if (guest_) guest_->folders.erase(what.folder);
            return own || !seen || NoteMadeOrGone(what.path);
          },
          [&](const storage::SubscriptionChanged& what) {
            if (guest_) return true;
            shared_changed_ = shared_changed_ || (filters_->may_watch_others() && IsForeign(what.path));
            return own || NoteName(what.path, {NotifyEvent::kSubscriptionChange});
          },
          [&](const storage::AnnotationsChanged& what) { return own || NoteMetadata(what); },
          [&](const storage::AclChanged& what) { return NoteRights(what, own); },
          [](const storage::UrlKeysReset&) { return true; },  // told of in the folder (MailboxView)
          [&](const storage::SharedFoldersChanged&) {
            shared_changed_ = shared_changed_ || (!guest_ && filters_->may_watch_others());
            return true;
          },
          [&](const storage::AccountClosed&) { return NoteClosed(); },
      },
      change.what);
}

bool AccountNews::NoteStatus(storage::FolderId folder, const storage::FolderSummary& now, NotifyEvent event) {
  if (folder == selected_ || !MayRead(folder, now.owner_rights)) return true;
  if (!guest_) return !MayWatch(now.path, event) || Queue().NoteStatus(folder, now, {event});
  auto named = Named(now);
  return !MayWatch(named.path, event) || Queue().NoteStatus(folder, named, {event});
}

bool AccountNews::NoteName(std::string_view path, NotifyEvents events) {
  if (path.empty()) return true;
  const std::string name = NameOf(path);
  return !MayWatchAny(name, events) || Queue().NoteName(name, events);
}

bool AccountNews::NoteMadeOrGone(std::string_view path) {
  const auto superior = protocol::ParentName(path);
  const bool may_tell = !guest_ || guest_->Sees(superior);
  return (!may_tell || NoteName(superior, kMailboxName)) && NoteName(path, kMailboxName);
}

bool AccountNews::NoteRename(storage::FolderRenamed what, storage::Origin origin) {
  if (guest_) {
    // A name without a mailbox is nobody's to see.
    const auto at = guest_->folders.find(what.folder);
    if (at == guest_->folders.end()) return true;
    at->second.path = what.to;
    if (!MaySee(what.folder)) return true;
    // An inferior follows; who may not see its superior is told of it.
    if (what.below > 0 && !guest_->Sees(std::string_view(what.to).substr(0, what.to.size() - what.below)))
      what.below = 0;
    what.from = NameOf(what.from);
    what.to = NameOf(what.to);
    what.now = Named(std::move(what.now));
  }
  if (waiting_) waiting_->Rename(what);
  if (origin == own_.origin) return true;
  const auto may_watch = [&](std::string_view to, std::string_view from) {
    return MayWatch(to, NotifyEvent::kMailboxName) || MayWatch(from, NotifyEvent::kMailboxName);
  };
  if (what.below == 0) {
    if (may_watch(what.to, what.from) && !Queue().NoteRename(what)) return false;
    if (what.folder.value == 0 || what.folder == selected_ || !MayRead(what.folder, what.now.owner_rights) ||
        !MayWatch(what.to, NotifyEvent::kFlagChange))
      return true;
    return Queue().NoteStatus(what.folder, what.now, {NotifyEvent::kFlagChange});
  }
  // An inferior that follows is told of only to those who are not told of its superior (RFC 5465 §5.4).
  const auto superior = [&](std::string_view path) { return path.substr(0, path.size() - what.below); };
  if (SurelyWatched(superior(what.to), NotifyEvent::kMailboxName) ||
      SurelyWatched(superior(what.from), NotifyEvent::kMailboxName))
    return true;
  return !may_watch(what.to, what.from) || Queue().NoteRename(what);
}

bool AccountNews::NoteRights(const storage::AclChanged& what, bool own) {
  const storage::Rights after = storage::RightsAfter(what, own_);
  storage::Rights before;
  if (guest_) {
    auto& known = guest_->folders[what.folder];
    known.path = what.path;
    before = std::exchange(known.rights, after);
  } else {
    before = storage::RightsOfHost(what.owner_had, own_);
  }
  if (waiting_ && !after.HasAll(kToHear)) waiting_->Forget(what.folder);
  const NotifyEvents events = EventsOf(before, after);
  if (own || what.of_new || events.empty()) return true;
  const bool saw = before.Has(storage::Right::kLookup);
  if (saw != after.Has(storage::Right::kLookup) && !NoteMadeOrGone(what.path)) return false;
  return NoteName(what.path, events);
}

bool AccountNews::NoteMetadata(const storage::AnnotationsChanged& what) {
  if (what.path.empty())
    return guest_ || !filters_->server_metadata() || Queue().NoteMetadata(what, account_);
  if (!MayRead(what.folder, what.owner_rights)) return true;
  const std::string name = NameOf(what.path);
  if (!MayWatch(name, NotifyEvent::kMailboxMetadataChange)) return true;
  if (!guest_) return Queue().NoteMetadata(what, account_);
  storage::AnnotationsChanged named = what;
  named.path = name;
  return Queue().NoteMetadata(named, own_.guest->account);
}

/// A guest sees nothing of an account that is closed.
bool AccountNews::NoteClosed() {
  if (!guest_) return true;
  for (auto& [id, folder] : guest_->folders) {
    const auto before = std::exchange(folder.rights, {});
    if (waiting_) waiting_->Forget(id);
    if (before.Has(storage::Right::kLookup) && !NoteName(folder.path, kAnything)) return false;
  }
  return true;
}

bool AccountNews::Guest::Sees(std::string_view path) const {
  return std::ranges::any_of(folders, [&](const auto& known) {
    return known.second.path == path && known.second.rights.Has(storage::Right::kLookup);
  });
}

/// Whether the folder's name may be told.
bool AccountNews::MaySee(storage::FolderId folder) const {
  if (!guest_) return true;
  const auto at = guest_->folders.find(folder);
  return at != guest_->folders.end() && at->second.rights.Has(storage::Right::kLookup);
}

bool AccountNews::MayRead(storage::FolderId folder,
                          const std::optional<storage::Rights>& owner_rights) const {
  if (!guest_) return storage::RightsOfHost(owner_rights, own_).HasAll(kToHear);
  const auto at = guest_->folders.find(folder);
  return at != guest_->folders.end() && at->second.rights.HasAll(kToHear);
}

storage::FolderSummary AccountNews::Named(storage::FolderSummary now) const {
  if (guest_) now.path = NameOf(now.path);
  return now;
}

std::string AccountNews::NameOf(std::string_view path) const {
  return guest_ ? guest_->prefix + std::string(path) : std::string(path);
}

bool AccountNews::MayWatchAny(std::string_view name, NotifyEvents events) const {
  return !(filters_->Of(name, false).events & events).empty() ||
         (filters_->ask_subscriptions() && !(filters_->Of(name, true).events & events).empty());
}

bool AccountNews::MayWatch(std::string_view name, NotifyEvent event) const {
  return MayWatchAny(name, {event});
}

bool AccountNews::SurelyWatched(std::string_view path, NotifyEvent event) const {
  return filters_->Of(path, false).events.Has(event) &&
         (!filters_->ask_subscriptions() || filters_->Of(path, true).events.Has(event));
}

Waiting& AccountNews::Queue() {
  if (!waiting_) waiting_ = std::make_unique<Waiting>(limits_);
  return *waiting_;
}

void AccountNews::Watch(std::shared_ptr<const Filters> filters, WhenFull when_full, storage::Role role) {
  const std::scoped_lock lock(mutex_);
  if (!filters) waiting_.reset();
  filters_ = std::move(filters);
  when_full_ = when_full;
  overflow_ = shared_changed_ = false;
  own_.role = role;
}

void AccountNews::Learn(const storage::SharedFolder& folder, bool is_news) {
  const std::scoped_lock lock(mutex_);
  const bool fresh =
      guest_->folders.try_emplace(folder.ref.folder, Guest::Folder{folder.path, folder.rights}).second;
  if (fresh && is_news && filters_) static_cast<void>(NoteName(folder.path, kMailboxName));
}

void AccountNews::Select(storage::FolderId folder) {
  const std::scoped_lock lock(mutex_);
  selected_ = folder;
  if (waiting_) waiting_->ForgetStatus(folder);
}

void AccountNews::NoteUntold(storage::FolderId folder, const storage::FolderSummary& now) {
  const std::scoped_lock lock(mutex_);
  if (!filters_) return;
  for (const auto event : {NotifyEvent::kMessageNew, NotifyEvent::kFlagChange}) {
    // Full: the next change will find it so, too.
    if (!NoteStatus(folder, now, event)) return;
  }
}

void AccountNews::ForgetTold(const std::function<storage::ModSeq(storage::FolderId)>& told) {
  const std::scoped_lock lock(mutex_);
  if (!waiting_) return;
  std::vector<storage::FolderId> known;
  for (const auto& [folder, status] : waiting_->statuses()) {
    if (status.now.highest_modseq <= told(folder)) known.push_back(folder);
  }
  for (const auto folder : known) waiting_->ForgetStatus(folder);
}

AccountNews::News AccountNews::Take() {
  const std::scoped_lock lock(mutex_);
  News news;
  news.overflow = std::exchange(overflow_, false);
  news.shared_changed = std::exchange(shared_changed_, false);
  if (waiting_ && !waiting_->empty()) news.filters = filters_;
  news.waiting = std::exchange(waiting_, nullptr);
  if (!news.filters) news.waiting.reset();
  return news;
}

bool AccountNews::NeedsStore() {
  const std::scoped_lock lock(mutex_);
  if (shared_changed_) return true;
  if (!waiting_ || waiting_->empty()) return false;
  return guest_ || !waiting_->names().empty() || filters_->ask_subscriptions();
}

bool AccountNews::Arm() {
  const std::scoped_lock lock(mutex_);
  if (Any()) return true;
  armed_ = true;
  return false;
}

void AccountNews::Disarm() {
  const std::scoped_lock lock(mutex_);
  armed_ = false;
}

}  // namespace server::imap::notify
