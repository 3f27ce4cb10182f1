#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include "storage/kv/fault_guard.h"
#include "storage/kv/rocksdb_engine.h"

/// The driver's inside, shared by the files that make it up: rocksdb_open.cc (opening and closing),
/// rocksdb_read.cc (views, reads, figures), rocksdb_write.cc (batches, the bound of the log, recovery).
namespace storage::kv {

/// What a message about a damaged store ends with.
inline constexpr const char* kRemedy =
    "; nothing was changed: restore a backup, or see what is affected with `cms-admin store check`";

/// What a caller can act on, for what RocksDB says.
Error ToError(const rocksdb::Status& status);
inline tl::unexpected<Error> Failed(const rocksdb::Status& status) {
  return tl::unexpected<Error>(ToError(status));
}

inline rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

/// Tells the engine that RocksDB stopped taking writes.
class FaultListener final : public rocksdb::EventListener {
 public:
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status* /*error*/) override {
    faulted = true;
  }

  std::atomic<bool> faulted = false;
};

class OpenedStore final : public RocksEngine {
 public:
  explicit OpenedStore(const RocksEngineOptions& options);
  ~OpenedStore() override;
  OpenedStore(const OpenedStore&) = delete;
  OpenedStore& operator=(const OpenedStore&) = delete;

  Result<> Open();

  std::unique_ptr<View> OpenView() override;
  Result<std::optional<std::string>> Get(Table table, std::string_view key) override {
    return Read(rocksdb::ReadOptions(), table, key);
  }
  Result<> Apply(const Batch& batch, Durability durability) override;
  std::uint64_t ApproximateBytes(Table table, std::string_view first, std::string_view end) override;
  std::vector<Statistic> Stats() override;
  Result<> VerifyChecksums() override;
  Result<> Flush() override;
  Result<> Compact() override;

  rocksdb::DB& db() { return *db_; }
  rocksdb::ColumnFamilyHandle* handle(Table table) const { return handles_[static_cast<std::size_t>(table)]; }
  Result<std::optional<std::string>> Read(rocksdb::ReadOptions options, Table table,
                                          std::string_view key) const;
  /// Of `bodies`, which have a cache of their own to be shared from.
  Result<std::optional<SharedValue>> ReadShared(const rocksdb::ReadOptions& options,
                                                std::string_view key) const;

 private:
  Result<bool> FindStore() const;
  Result<> CheckTables() const;
  Result<> OpenDatabase();
  Result<> CheckFormat();
  bool IsEmpty() const;
  Result<> Recover();
  rocksdb::Status Write(rocksdb::WriteBatch& writes, bool sync);
  void SealTables();
  void PutSentinel();
  std::vector<rocksdb::ColumnFamilyHandle*> AllHandles() const;
  std::uint64_t Property(Table table, const std::string& name) const;

  const RocksEngineOptions options_;
  std::shared_ptr<rocksdb::Cache> cache_;
  std::shared_ptr<rocksdb::Cache> body_cache_;
  std::shared_ptr<FaultListener> listener_;
  std::shared_ptr<FaultGuard> guard_;
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  rocksdb::ColumnFamilyHandle* default_handle_ = nullptr;
  std::array<rocksdb::ColumnFamilyHandle*, kTableCount> handles_{};

  /// Shared: writing to the log. Exclusive: sealing tables, so that the sentinel is back before the next
  /// write. Who wants it exclusively holds the turnstile while it waits, else a stream of writers would never
  /// let it in.
  std::mutex turnstile_;
  std::shared_mutex gate_;
  bool sentinel_ = false;  ///< of gate_
  std::atomic<std::size_t> log_bytes_ = 0;
  const std::uint64_t opening_ =
      (std::uint64_t{std::random_device()()} << 32) | std::random_device()();  ///< LogMark
  std::atomic<std::uint64_t> synced_ = 0;                                      ///< LogMark

  std::mutex recovery_mutex_;
  std::chrono::steady_clock::time_point retry_at_;  ///< not before; of recovery_mutex_
  std::string fault_;                               ///< why the last attempt failed; of recovery_mutex_
  std::atomic<std::uint64_t> recoveries_ = 0;
};

}  // namespace storage::kv
