#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "storage/error.h"
#include "storage/store/account_txn.h"

namespace storage {

/// The accounts' write locks. Changes to one account take their turns in the order they came; those that wait
/// while a commit is being synced share the next one, so that many writers of one account cost one sync, not
/// one each. Different accounts never wait for each other here; the engine syncs their commits together.
///
/// Thread: any. Run() blocks until the change is on stable storage and published, or refused.
class AccountLanes {
 public:
  using Operation = std::function<Result<>(AccountTxn&)>;
  enum class Sharing {
    kShared,  ///< may share a commit with others
    kSolo,  ///< writes to the engine on its own before its commit, so nothing uncommitted may lie beneath it
  };

  /// What the transactions must know, and who is told of what they do.
  struct Hooks {
    std::int64_t deleted_grace = 0;
    /// Before the commit.
    std::function<void(const PagesChanged&)> pages = [](const PagesChanged&) {};
    /// After the commit: the account has something due at a time.
    std::function<void(AccountId, std::int64_t)> due = [](AccountId, std::int64_t) {};
    /// After the commit, on the thread that made it: an intent was left, which somebody is to carry out.
    std::function<void(const schema::IntentKey&)> left = [](const schema::IntentKey&) {};
  };

  AccountLanes(kv::Engine& engine, ChangeFeed& feed, std::function<std::int64_t()> now)
      : AccountLanes(engine, feed, std::move(now), Hooks{}) {}
  AccountLanes(kv::Engine& engine, ChangeFeed& feed, std::function<std::int64_t()> now, Hooks hooks)
      : engine_(engine), feed_(feed), now_(std::move(now)), hooks_(std::move(hooks)) {}

  /// `operation` may run on another caller's thread. Its error is returned as it is, and it has changed
  /// nothing then. kUnavailable also if something threw, here or in the engine.
  Result<> Run(AccountId account, const Operation& operation, Sharing sharing = Sharing::kShared);

 private:
  struct Waiting {
    const Operation* operation;
    Sharing sharing;
    Result<> result;
    bool done = false;
  };
  struct Lane {
    std::mutex mutex;
    std::condition_variable turn;
    std::vector<Waiting*> queue;
    bool busy = false;
    int users = 0;  ///< guarded by the shard's mutex
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<AccountId, std::unique_ptr<Lane>> lanes;
  };
  class Hold;

  static constexpr std::size_t kMaxGroup = 64;
  struct Group {
    std::array<Waiting*, kMaxGroup> waiting{};
    std::size_t size = 0;
  };

  // From the moment a thread works for others nothing may throw past it: they would wait for ever.
  static Group TakeGroup(std::vector<Waiting*>& queue) noexcept;
  void CommitGroup(AccountId account, std::span<Waiting* const> group) noexcept;
  /// Commits the first of `group`, as many as fit one commit; how many.
  std::size_t CommitSome(AccountId account, std::span<Waiting* const> group);
  Result<> CommitTogether(AccountId account, AccountTxn::Commit& commit);

  kv::Engine& engine_;
  ChangeFeed& feed_;
  std::function<std::int64_t()> now_;
  Hooks hooks_;
  MovedConversations moved_;
  static constexpr std::size_t kShards = 64;
  Shard shards_[kShards];
};

}  // namespace storage
