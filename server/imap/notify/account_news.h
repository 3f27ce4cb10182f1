#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/imap/notify/filters.h"
#include "server/imap/notify/waiting.h"
#include "server/net/stream.h"
#include "storage/store/change_feed.h"
#include "storage/store/rights.h"
#include "storage/store/shared_folders.h"

namespace server::imap::notify {

/// What a session hears of its account, whichever mailbox it has selected: that the account is disabled or
/// deleted, always; and what its filters watch (NOTIFY, ENABLE METADATA). Every session that is logged in has
/// one, so it is small; what waits has memory while it waits. Own changes are not news (RFC 5465 §5), nor
/// are messages of the selected mailbox, which has its ChangeInbox, nor anything of a mailbox without the
/// rights `l` and `r`, as they are when it happens.
///
/// Of another's account that shares mailboxes with it a session hears through one more (OthersNews). There
/// names are what the session calls them, and it hears of those alone that it may see.
///
/// Lifetime   on the heap, because the feed knows it by its address.
/// Thread     OnChange() any, and it never waits for the session; the rest the session's.
class AccountNews final : public storage::ChangeListener {
 public:
  /// `limits` outlive it.
  AccountNews(storage::ChangeFeed& feed, storage::AccountId account, storage::Origin own, net::Waker wake,
              const Waiting::Limits& limits = kLimits);
  /// As a guest; `prefix` is before the account's names: "Other Users/tel:+15550100222/".
  AccountNews(storage::ChangeFeed& feed, storage::AccountId account, storage::Actor guest, std::string prefix,
              net::Waker wake, const Waiting::Limits& limits = kLimits);
  AccountNews(const AccountNews&) = delete;

  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override;

  storage::AccountId account() const { return account_; }
  bool closed() const { return closed_; }

  enum class WhenFull : std::uint8_t {
    kLeaveOut,  ///< what does not fit
    kOverflow,  ///< all, and nothing is watched any more (RFC 5465 §5.8)
  };
  /// From now on; nullptr: nothing, and what waits is forgotten. `role` is the session's in its own account.
  void Watch(std::shared_ptr<const Filters> filters, WhenFull when_full,
             storage::Role role = storage::Role::kUser);
  /// A folder of a guest's, read after watching began; what has been heard of it since then stands.
  /// `is_news`: it is told.
  void Learn(const storage::SharedFolder& folder, bool is_news);
  /// The mailbox whose messages are told otherwise; 0: none. What waits of it is forgotten.
  void Select(storage::FolderId folder);
  /// The session leaves a mailbox without having been told of all of it.
  void NoteUntold(storage::FolderId folder, const storage::FolderSummary& now);
  /// The client was told what a mailbox was at a mod-sequence: `told` says which, 0 for others.
  void ForgetTold(const std::function<storage::ModSeq(storage::FolderId)>& told);

  struct News {
    std::unique_ptr<const Waiting> waiting;  ///< nullptr: nothing
    std::shared_ptr<const Filters> filters;  ///< with `waiting`
    bool overflow = false;
    bool shared_changed = false;  ///< others share other folders, or other names are subscribed
  };
  News Take();
  /// To tell it, the store must be asked.
  bool NeedsStore();

  /// The next news wake the session. True: there are some already, nothing was armed.
  bool Arm();
  void Disarm();

 private:
  static constexpr Waiting::Limits kLimits{};
  /// What a guest knows of an account's folders.
  struct Guest {
    struct Folder {
      std::string path;  ///< in the account
      storage::Rights rights;
    };
    std::string prefix;
    std::map<storage::FolderId, Folder> folders;

    bool Sees(std::string_view path) const;
  };

  bool Note(const storage::Change& change);
  bool NoteName(std::string_view path, NotifyEvents events);
  /// And its superior (RFC 5465 §5.4).
  bool NoteMadeOrGone(std::string_view path);
  bool NoteRename(storage::FolderRenamed what, storage::Origin origin);
  bool NoteStatus(storage::FolderId folder, const storage::FolderSummary& now, NotifyEvent event);
  bool NoteRights(const storage::AclChanged& what, bool own);
  bool NoteMetadata(const storage::AnnotationsChanged& what);
  bool NoteClosed();
  bool MaySee(storage::FolderId folder) const;
  bool MayRead(storage::FolderId folder, const std::optional<storage::Rights>& owner_rights) const;
  storage::FolderSummary Named(storage::FolderSummary now) const;
  std::string NameOf(std::string_view path) const;
  bool MayWatch(std::string_view name, NotifyEvent event) const;
  bool MayWatchAny(std::string_view name, NotifyEvents events) const;
  bool SurelyWatched(std::string_view path, NotifyEvent event) const;
  Waiting& Queue();
  bool Any() const { return overflow_ || shared_changed_ || (waiting_ && !waiting_->empty()); }

  const net::Waker wake_;
  const storage::AccountId account_;
  storage::Actor own_;
  std::mutex mutex_;
  std::unique_ptr<Guest> guest_;  ///< nullptr: the account is the session's
  std::shared_ptr<const Filters> filters_;
  std::unique_ptr<Waiting> waiting_;
  storage::FolderId selected_;
  const Waiting::Limits& limits_;
  std::atomic<bool> closed_{false};
  bool armed_ = false;
  bool overflow_ = false;
  bool shared_changed_ = false;
  WhenFull when_full_ = WhenFull::kLeaveOut;
  storage::ChangeFeed::Subscription subscription_;  ///< ends before what it calls
};

}  // namespace server::imap::notify
