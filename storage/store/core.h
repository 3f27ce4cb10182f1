#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "storage/schema/keys.h"
#include "storage/store/account_lanes.h"
#include "storage/store/mail_store.h"

namespace storage {

/// Frees what is no longer, or never became, visible: one intent after the other, in slices that are one
/// commit each, so that nobody waits long for the account's lane. An intent that fails (disk full) is tried
/// again every `retry`.
///
/// Thread: Add() from any; the work is done on one thread of its own.
class Janitor {
 public:
  Janitor(AccountLanes& lanes, std::chrono::milliseconds retry);
  /// Finishes the current slice only; the intents left are found again at the next start.
  ~Janitor();

  void Add(const schema::IntentKey& intent);
  /// Waits until nothing is left to do. For tests and for the shutdown of tools.
  void Drain();

 private:
  void Run();
  /// True when the intent is done with.
  Result<bool> Slice(const schema::IntentKey& intent);
  Result<bool> SliceStagedObject(const schema::IntentKey& intent);
  Result<bool> SlicePurge(const schema::IntentKey& intent);
  Result<bool> SliceDropFolder(const schema::IntentKey& intent);
  Result<bool> SliceDropAccount(const schema::IntentKey& intent);

  AccountLanes& lanes_;
  std::chrono::milliseconds retry_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<schema::IntentKey> queue_;
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

struct MailStore::Core {
  Core(kv::Engine& kv, StoreOptions store_options)
      : engine(kv),
        options(std::move(store_options)),
        lanes(engine, feed, [this] { return Now(); }),
        accounts(engine, "next_account"),
        objects(engine, "next_object"),
        janitor(lanes, options.janitor_retry) {}

  std::int64_t Now() const {
    return std::chrono::duration_cast<std::chrono::seconds>(options.now().time_since_epoch()).count();
  }

  kv::Engine& engine;
  StoreOptions options;
  ChangeFeed feed;
  AccountLanes lanes;
  IdCounter accounts;
  IdCounter objects;
  std::mutex addresses;  ///< held while addresses are claimed: they are the one thing accounts compete for
  Janitor janitor;
};

}  // namespace storage
