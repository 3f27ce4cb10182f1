#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <thread>
#include <unordered_set>

#include "storage/schema/keys.h"
#include "storage/store/account_lanes.h"
#include "storage/store/body_cache.h"
#include "storage/store/grants.h"
#include "storage/store/mail_store.h"
#include "storage/store/picture_cache.h"
#include "storage/store/reaper.h"

namespace storage {

/// Frees what is no longer, or never became, visible: one intent after the other, in slices that are one
/// commit each, so that nobody waits long for the account's lane. An intent that fails (disk full) is tried
/// again every `retry`; one that cannot be carried out (damage) is noted and left for the next start.
///
/// Thread: Add() from any; the work is done on one thread of its own.
class Janitor {
 public:
  Janitor(AccountLanes& lanes, Grants& grants, std::chrono::milliseconds retry,
          std::function<void(const std::string&)> note);
  /// Finishes the current slice only; the intents left are found again at the next start.
  ~Janitor();

  void Add(const schema::IntentKey& intent);
  /// Waits until nothing is left to do. For tests and for the shutdown of tools.
  void Drain();

 private:
  /// An intent, and how far it is: what was erased before is not walked through again.
  struct Task {
    schema::IntentKey intent;
    Uid next_uid{1};
    std::size_t table = 0;  ///< index in the intent's list of tables
    std::string next_key;   ///< in that table; empty: its first
  };
  void Run();
  /// True when the intent is done with.
  Result<bool> Slice(Task& task);
  Result<bool> SliceStagedObject(const schema::IntentKey& intent);
  Result<bool> SlicePurge(const schema::IntentKey& intent);
  Result<bool> SliceDropFolder(Task& task);
  Result<bool> SliceDropAccount(Task& task);
  static Result<bool> EraseTables(AccountTxn& txn, std::span<const kv::Table> tables,
                                  const std::string& prefix, Task& task);

  AccountLanes& lanes_;
  Grants& grants_;
  std::chrono::milliseconds retry_;
  std::function<void(const std::string&)> note_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<Task> queue_;
  bool working_ = false;
  bool stop_ = false;
  std::thread thread_;
};

/// A store-wide id counter whose high-water mark is kept in `meta`: ids are handed out from blocks reserved
/// there, so a crash skips some but repeats none.
class IdCounter {
 public:
  IdCounter(kv::Engine& engine, std::string_view name) : engine_(engine), name_(name) {}
  Result<> Load();
  Result<std::uint64_t> Next();

 private:
  static constexpr std::uint64_t kBlock = 4096;
  kv::Engine& engine_;
  std::string name_;
  std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::uint64_t reserved_ = 1;  ///< ids below this are reserved on disk
};

/// The accounts that were deleted since the store was opened, or were being freed then: readers and writers
/// outside the lanes ask here whether an account's rows still count.
///
/// Thread: any.
class DeletedAccounts {
 public:
  /// When this returns no KeepOut() of before is held.
  void Add(AccountId account) {
    const std::unique_lock lock(mutex_);
    accounts_.insert(account);
    any_ = true;
  }
  bool Contains(AccountId account) const {
    if (!any_) return false;  // mostly: reads do not contend for a lock
    const std::shared_lock lock(mutex_);
    return accounts_.contains(account);
  }
  Result<> Check(AccountId account) const {
    if (Contains(account)) return Fail(Errc::kNoSuchAccount);
    return {};
  }
  /// While it is held, an account that was not deleted is not.
  std::shared_lock<std::shared_mutex> KeepOut() const { return std::shared_lock(mutex_); }
  /// REQUIRES: KeepOut() is held.
  bool ContainsLocked(AccountId account) const { return accounts_.contains(account); }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_set<AccountId> accounts_;
  std::atomic<bool> any_ = false;
};

struct MailStore::Core {
  Core(kv::Engine& kv, StoreOptions store_options)
      : engine(kv),
        options(std::move(store_options)),
        lanes(engine, feed, [this] { return Now(); },
              {options.profile.deleted_grace, [this](const PagesChanged& change) { pictures.Note(change); },
               [this](AccountId account, std::int64_t due) { reaper.Add(account, due); },
               [this](const schema::IntentKey& intent) { janitor.Add(intent); }}),
        grants(engine, lanes, deleted),
        accounts(engine, "next_account"),
        objects(engine, "next_object"),
        janitor(lanes, grants, options.janitor_retry, options.note),
        reaper(engine, lanes, options, [this](const schema::IntentKey& intent) { janitor.Add(intent); }) {}

  std::int64_t Now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(options.now().time_since_epoch()).count();
  }

  kv::Engine& engine;
  StoreOptions options;
  ChangeFeed feed;
  DeletedAccounts deleted;
  PictureCache pictures;
  BodyCache bodies;
  AccountLanes lanes;
  Grants grants;
  IdCounter accounts;
  IdCounter objects;
  std::mutex addresses;  ///< held while addresses are claimed: they are the one thing accounts compete for
  Janitor janitor;
  Reaper reaper;
};

/// Nobody's list names this account any more, so that its addresses can be another's. (acl.cc)
Result<> ForgetGrantee(MailStore::Core& core, AccountId account);

/// RFC 3501 §6.3.5: the messages go to a new folder, INBOX and its inferiors stay; all or nothing. Clients
/// that have INBOX open see them expunged. (copy.cc)
Result<> RenameInbox(MailStore::Core& core, AccountId account, std::string_view to, Actor actor);

}  // namespace storage
