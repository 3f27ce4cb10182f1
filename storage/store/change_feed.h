#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "storage/store/folder.h"

namespace storage {

/// Who made a change, so that it is not echoed to its maker. Zero: nobody who listens.
struct Origin {
  std::uint64_t value = 0;
  friend bool operator==(const Origin&, const Origin&) = default;
};

/// Who asks for a change: the rules of the model depend on the role.
struct Actor {
  Actor() = default;
  Actor(Origin the_origin, Role the_role = Role::kUser) : origin(the_origin), role(the_role) {}

  Origin origin;
  Role role = Role::kUser;
};

struct MessagesAdded {
  FolderId folder;
  UidSet uids;
};
struct FlagsChanged {
  FolderId folder;
  std::vector<MessageState> states;  ///< as they are now, in UID order
  std::shared_ptr<const KeywordTable> keywords;
};
struct MessagesExpunged {
  FolderId folder;
  UidSet uids;
};
struct FolderCreated {
  FolderId folder;
  std::string path;
};
struct FolderRenamed {
  FolderId folder;
  std::string from;
  std::string to;
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
  FolderId folder;                   ///< 0: the server's
  std::string path;                  ///< empty: the server's
  std::vector<std::string> entries;  ///< names
  AccountId viewer;                  ///< whose those below /private are
};
/// Disabled, or deleted: whoever acts for the account is to stop. No message, folder or modseq belongs to it.
struct AccountClosed {};

/// One committed piece of news of one account.
struct Change {
  AccountId account;
  ModSeq modseq;
  Origin origin;
  std::variant<MessagesAdded, FlagsChanged, MessagesExpunged, FolderCreated, FolderRenamed, FolderDeleted,
               SubscriptionChanged, AnnotationsChanged, AccountClosed>
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
