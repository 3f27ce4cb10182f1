#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/model/rights.h"
#include "storage/schema/rows.h"
#include "storage/store/folder.h"

namespace storage {

struct Principal;  ///< storage/store/rights.h

/// Who made a change, so that it is not echoed to its maker. Zero: nobody who listens.
struct Origin {
  std::uint64_t value = 0;
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Who asks: the rules of the model depend on the role, and an access control list on who a guest is.
struct Actor {
  Actor() = default;
  Actor(Origin the_origin, Role the_role = Role::kUser) : origin(the_origin), role(the_role) {}
  /// In an account that is another's.
  Actor(Origin the_origin, std::shared_ptr<const Principal> the_guest)
      : origin(the_origin), guest(std::move(the_guest)) {}

  Origin origin;
  Role role = Role::kUser;
  std::shared_ptr<const Principal> guest;  ///< nullptr: the account's owner, or who acts for it by its role
};

/// A folder as the change left it, so that nobody need read it to tell of it.
struct FolderSummary {
  std::string path;
  UidValidity uid_validity;
  Uid uid_next{1};
  std::uint32_t messages = 0;
  std::uint32_t unseen = 0;
  ModSeq highest_modseq;
  std::optional<protocol::Rights> owner_rights{};  ///< as in the folder's row
};

FolderSummary SummaryOf(const FolderStatus& status);

struct MessagesAdded {
  FolderId folder;
  UidSet uids;
  FolderSummary now{};
};
struct FlagsChanged {
  FolderId folder;
  std::vector<MessageState> states;  ///< as they are now, in UID order; \Seen is the owner's
  std::shared_ptr<const KeywordTable> keywords;
  FolderSummary now{};
  AccountId viewer{};  ///< whose \Seen may have changed: a guest's account; 0: the owner
  UidSet seen{};       ///< of a guest: which of the messages he has seen by now
  UidSet only_seen{};  ///< of these nothing but that \Seen has changed
};
struct MessagesExpunged {
  FolderId folder;
  UidSet uids;
  FolderSummary now{};
};
struct FolderCreated {
  FolderId folder;
  std::string path;
  FolderSummary now{};
};
struct FolderRenamed {
  FolderId folder;  ///< 0: a name that has no folder, but inferiors, which follow it
  std::string from;
  std::string to;
  std::size_t below = 0;  ///< octets behind the superior that it follows; 0: it was itself renamed
  FolderSummary now{};    ///< of a folder
};
struct FolderDeleted {
  FolderId folder;
  std::string path;
};
struct SubscriptionChanged {
  std::string path;
  bool subscribed = false;
};
/// METADATA entries were set or removed (RFC 5464).
struct AnnotationsChanged {
  FolderId folder;                                 ///< 0: the server's
  std::string path;                                ///< empty: the server's
  std::vector<std::string> entries;                ///< names
  AccountId viewer;                                ///< whose those below /private are
  std::optional<protocol::Rights> owner_rights{};  ///< as in the folder's row
};
/// RESETKEY (RFC 4467): what was authorised by the old keys is so no more.
struct UrlKeysReset {
  FolderId folder;  ///< 0: all of the account
};
/// An access control list is another now (RFC 4314).
struct AclChanged {
  FolderId folder;
  std::string path;
  std::optional<protocol::Rights> owner_rights;  ///< as in the folder's row
  std::shared_ptr<const std::vector<schema::AclEntry>> acl;
  std::optional<protocol::Rights> owner_had{};  ///< before
  bool of_new = false;  ///< the folder has it from its superior; FolderCreated follows
};
/// Another account has given this one rights on a folder, or has taken them. No message, folder or modseq
/// belongs to it. What is given to everybody is not told to each.
struct SharedFoldersChanged {};
/// Disabled, or deleted: whoever acts for the account is to stop. No message, folder or modseq belongs to it.
struct AccountClosed {};

/// One committed piece of news of one account.
struct Change {
  AccountId account;
  ModSeq modseq;
  Origin origin;
  std::variant<MessagesAdded, FlagsChanged, MessagesExpunged, FolderCreated, FolderRenamed, FolderDeleted,
               SubscriptionChanged, AnnotationsChanged, AclChanged, UrlKeysReset, SharedFoldersChanged,
               AccountClosed>
      what;
};

class ChangeListener {
 public:
  virtual ~ChangeListener() = default;
  /// Called on the committing thread, after the sync, in the account's commit order, and before the
  /// committing call returns to whoever made it. Must only note the news and return: no I/O, no call into the
  /// store, no subscribing.
  virtual void OnChange(const std::shared_ptr<const Change>& change) noexcept = 0;
};

/// The only way news travels (design.md 2).
///
/// Thread: any.
class ChangeFeed {
 public:
  /// Ends the subscription when it goes; no OnChange runs or begins once the destructor has returned.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept { *this = std::move(other); }
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { Reset(); }
    void Reset();

   private:
    friend class ChangeFeed;
    Subscription(ChangeFeed* feed, AccountId account, ChangeListener* listener)
        : feed_(feed), account_(account), listener_(listener) {}
    ChangeFeed* feed_ = nullptr;
    AccountId account_;
    ChangeListener* listener_ = nullptr;
  };

  /// `listener` outlives the subscription, the feed outlives both.
  [[nodiscard]] Subscription Subscribe(AccountId account, ChangeListener& listener);

  void Publish(const std::shared_ptr<const Change>& change);

 private:
  // Sharded, so that the commits of one account do not wait for another's listeners.
  struct Shard {
    std::mutex mutex;
    std::unordered_map<AccountId, std::vector<ChangeListener*>> listeners;
  };
  static constexpr std::size_t kShards = 64;
  Shard& ShardOf(AccountId account) { return shards_[account.value % kShards]; }
  Shard shards_[kShards];
};

}  // namespace storage
