#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "storage/check/fsck.h"
#include "storage/kv/memory_engine.h"
#include "storage/kv/rocksdb_engine.h"
#include "storage/store/mail_store.h"
#include "tests/support/temp_folder.h"

namespace tests {

/// The wall clock of a test: stands still until it is moved. Thread: any.
class FixedClock {
 public:
  std::chrono::system_clock::time_point Now() const {
    return std::chrono::system_clock::time_point(std::chrono::seconds(seconds_));
  }
  void Advance(std::chrono::seconds by) { seconds_ += by.count(); }

 private:
  std::atomic<std::int64_t> seconds_{1'700'000'000};
};

enum class Driver { kMemory, kRocks };

/// Accounts have INBOX and no other folder of the system's.
inline storage::StoreOptions PlainMail() {
  storage::StoreOptions options;
  options.profile.default_folder.clear();
  return options;
}

/// A store of its own, of plain mail unless the options say otherwise. When it goes, every invariant is
/// checked, and a violation fails the test: every test is also a consistency test.
class TempStore {
 public:
  explicit TempStore(Driver driver = Driver::kMemory, storage::StoreOptions options = PlainMail())
      : driver_(driver), options_(std::move(options)) {
    OpenEngine();
    OpenStore();
  }
  ~TempStore() {
    if (store_) {
      store_->DrainJanitor();
      store_.reset();
    }
    if (engine_) ExpectSound(*engine_, HasDefault());
  }
  TempStore(const TempStore&) = delete;
  TempStore& operator=(const TempStore&) = delete;

  storage::MailStore& operator*() { return *store_; }
  storage::MailStore* operator->() { return store_.get(); }
  storage::kv::Engine& engine() { return *engine_; }

  /// As after a clean stop. With the memory driver the engine stays.
  void Reopen() { Reopen(options_); }
  /// Under other options.
  void Reopen(storage::StoreOptions options) {
    store_.reset();
    if (driver_ == Driver::kRocks) {
      engine_.reset();
      OpenEngine();
    }
    ExpectSound(*engine_, HasDefault());
    options_ = std::move(options);
    OpenStore();
  }

  static void ExpectSound(storage::kv::Engine& engine, bool default_folder) {
    const auto report = storage::check::Fsck(engine, {.default_folder = default_folder});
    ASSERT_TRUE(report.has_value()) << report.error().detail;
    for (const auto& violation : report->violations)
      ADD_FAILURE() << "invariant " << violation.invariant << ": " << violation.text;
  }

  FixedClock clock;

 private:
  bool HasDefault() const { return !options_.profile.default_folder.empty(); }
  void OpenEngine() {
    if (driver_ == Driver::kMemory) {
      engine_ = storage::kv::NewMemoryEngine();
      return;
    }
    if (!folder_) folder_.emplace();
    storage::kv::RocksEngineOptions options;
    options.path = folder_->path() / "store";
    options.create_if_missing = true;
    options.block_cache_bytes = 8 << 20;
    options.write_buffer_bytes = 8 << 20;
    auto engine = storage::kv::RocksEngine::Open(options);
    if (!engine) throw std::runtime_error(engine.error().detail);
    engine_ = *std::move(engine);
  }
  void OpenStore() {
    options_.now = [this] { return clock.Now(); };
    options_.reaper_look = std::chrono::hours(1);  // on its own it would race with the test: see ReapDue()
    auto store = storage::MailStore::Open(*engine_, options_);
    if (!store) throw std::runtime_error(store.error().detail);
    store_ = *std::move(store);
  }

  Driver driver_;
  storage::StoreOptions options_;
  std::optional<TempFolder> folder_;
  std::unique_ptr<storage::kv::Engine> engine_;
  std::unique_ptr<storage::MailStore> store_;
};

}  // namespace tests
