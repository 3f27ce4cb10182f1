#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "storage/store/account_lanes.h"
#include "storage/store/mail_store.h"
#include "storage/store/reap_steps.h"
#include "storage/store/vanished_steps.h"

namespace storage {

/// Expunges what its time has come for: temporary messages that nobody accessed, messages whose \Deleted has
/// had its grace, and what is older than the retention of its folder's kind. And forgets, once a day, what
/// was expunged long ago (vanished_steps.h).
///
/// `expiries` is keyed by account, as all tables are, because an account is one range that may move to
/// another machine (design.md 5). So the reaper keeps in memory when each account that has such rows has
/// something due: it is found at the start by one step an account that has any, and kept up to date by
/// commits.
///
/// Retention needs no rows, and none to be made when it is switched on: a folder's oldest message is its
/// first, so a look at it says whether there is anything to do. Every kRound all accounts are looked at, one
/// after the other; what is due by the second goes first, after each step.
///
/// Thread: Add() from any; the work is done on one thread of its own, each step in its account's lane.
class Reaper {
 public:
  using Free = std::function<void(const schema::IntentKey&)>;
  Reaper(kv::Engine& engine, AccountLanes& lanes, const StoreOptions& options, Free free)
      : engine_(engine), lanes_(lanes), options_(options), free_(std::move(free)) {}
  /// Finishes the current step only; what is due is found again at the next start.
  ~Reaper();

  /// Finds what `expiries` holds, and begins.
  Result<> Start();

  /// Something of this account is due then (Unix seconds). Before Start() it is only noted.
  void Add(AccountId account, std::int64_t due);

  /// Looks at the clock, and waits until nothing is due.
  void Drain();

 private:
  static constexpr std::chrono::hours kRound{1};
  static constexpr std::chrono::hours kForget{24};

  using Clock = std::chrono::system_clock;
  void Run();
  /// The next account with something due by now.
  std::optional<AccountId> TakeDue();
  void AddLocked(AccountId account, std::int64_t due);
  std::chrono::milliseconds Pause(Clock::time_point now) const;
  bool HasPolicy() const;

  // Without the mutex:
  void ServeDue(AccountId account);
  /// All that is due, one step after the other.
  void ServeAllDue();
  void Round();
  Result<> LookAt(AccountId account);
  void Forget();
  Result<> ForgetOf(FolderRef folder, VanishedAge age);
  Result<> ReapFolder(AccountId account, FolderId folder, std::int64_t until);
  void Carry(const Reaped& done);
  /// True if the work may succeed later: after a pause.
  bool MayRetry(AccountId account, const Error& error);
  bool Stopping();

  kv::Engine& engine_;
  AccountLanes& lanes_;
  const StoreOptions& options_;
  const Free free_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::set<std::pair<std::int64_t, AccountId>> due_;
  std::map<AccountId, std::int64_t> due_of_;  ///< the same, by account
  std::optional<Clock::time_point> next_round_;
  Clock::time_point next_forget_;
  bool first_round_ = true;
  std::uint64_t asked_ = 0;   ///< calls of Drain()
  std::uint64_t served_ = 0;  ///< of these, how many have been answered
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace storage
