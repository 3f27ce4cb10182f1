// Writing: batches, the bound of the log, recovery from faults.
#include <utility>

#include "storage/kv/log_check.h"
#include "storage/kv/rocksdb_store.h"

namespace storage::kv {
namespace {

/// In RocksDB's own default column family, in memory and lost with it: see OpenedStore::PutSentinel.
constexpr std::string_view kSentinelKey = "sentinel";

}  // namespace

Result<> OpenedStore::Apply(const Batch& batch, Durability durability) {
  RETURN_IF_ERROR(CheckLimits(batch));
  if (listener_->faulted) RETURN_IF_ERROR(Recover());

  rocksdb::WriteBatch writes(batch.bytes() + batch.size() * 16 + 96);
  writes.PutLogData(LogMark{.opening = opening_, .synced = synced_}.Encode()).PermitUncheckedError();
  for (std::size_t i = 0; i < kTableCount; ++i) {
    for (const auto& [key, write] : batch.writes(static_cast<Table>(i))) {
      const auto status =
          write.value ? writes.Put(handles_[i], key, *write.value) : writes.Delete(handles_[i], key);
      if (!status.ok()) return Failed(status);
    }
  }
  const auto status = Write(writes, durability == Durability::kNow);
  if (!status.ok()) return Failed(status);
  if (log_bytes_ > options_.log_bytes) SealTables();
  return {};
}

rocksdb::Status OpenedStore::Write(rocksdb::WriteBatch& writes, bool sync) {
  std::unique_lock turn(turnstile_);
  const std::shared_lock pass(gate_);
  turn.unlock();
  if (!sentinel_) return rocksdb::Status::IOError("an earlier fault is not mended yet");
  rocksdb::WriteOptions options;
  options.sync = sync;
  log_bytes_ += writes.GetDataSize();
  // All of this is in the log before our batch, so it is synced with it.
  const std::uint64_t synced = db_->GetLatestSequenceNumber() + writes.Count();
  const RecordScope record;
  auto status = db_->Write(options, &writes);
  if (status.ok() && sync) {
    for (auto old = synced_.load(); old < synced && !synced_.compare_exchange_weak(old, synced);) {
    }
  }
  return status;
}

/// Bounds the log: once the rows of all tables are in table files, the old logs go. The files are written in
/// the background.
void OpenedStore::SealTables() {
  const std::lock_guard turn(turnstile_);
  const std::unique_lock all(gate_);
  if (log_bytes_ <= options_.log_bytes || !sentinel_) return;
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;  // else it waits here while an earlier flush goes on
  for (auto* handle : handles_) {
    // Refused while RocksDB is behind with its flushes: a later batch tries again. A fault reaches the
    // listener.
    if (!db_->Flush(options, handle).ok()) return;
  }
  sentinel_ = false;
  if (db_->Flush(options, default_handle_).ok()) log_bytes_ = 0;
  PutSentinel();
}

/// DB::Resume() starts a new log only if some table has a row in memory; if none has, it keeps the log that
/// failed, and the next write would abort the process (Debian's RocksDB is built with its asserts) or be
/// refused for ever. So there is always one row in memory, in a table that RocksDB never flushes by itself,
/// and it does not go to the log. REQUIRES: gate_ exclusive, or no writer yet.
void OpenedStore::PutSentinel() {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  sentinel_ = db_->Put(options, default_handle_, ToSlice(kSentinelKey), "1").ok();
  if (!sentinel_) listener_->faulted = true;
}

/// Lets RocksDB write again once it can. It first moves all rows to table files, so that the log with the
/// fault is not needed any more, and starts a new one.
Result<> OpenedStore::Recover() {
  const std::lock_guard lock(recovery_mutex_);
  if (!listener_->faulted) return {};
  const auto now = std::chrono::steady_clock::now();
  if (now < retry_at_) return Fail(Errc::kUnavailable, "the store takes no writes: " + fault_);

  const std::lock_guard turn(turnstile_);
  const std::unique_lock all(gate_);
  listener_->faulted = false;
  auto status = db_->Resume();
  if (status.ok() && !guard_->LogIsSound()) status = rocksdb::Status::IOError("the log failed; restart cmsd");
  if (status.ok()) PutSentinel();
  if (status.ok() && !listener_->faulted) {
    retry_at_ = {};
    ++recoveries_;
    return {};
  }
  listener_->faulted = true;
  sentinel_ = false;
  if (status.ok()) status = rocksdb::Status::IOError("the fault came back");
  auto error = ToError(status);
  fault_ = error.detail;
  retry_at_ = now + options_.retry_pause;
  return tl::unexpected<Error>(std::move(error));
}

std::vector<rocksdb::ColumnFamilyHandle*> OpenedStore::AllHandles() const {
  std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
  all.push_back(default_handle_);
  return all;
}

Result<> OpenedStore::Flush() {
  if (listener_->faulted) RETURN_IF_ERROR(Recover());
  const std::lock_guard turn(turnstile_);
  const std::unique_lock all(gate_);
  if (log_bytes_ == 0) return {};
  sentinel_ = false;
  const auto status = db_->Flush(rocksdb::FlushOptions(), AllHandles());
  PutSentinel();
  if (!status.ok()) return Failed(status);
  log_bytes_ = 0;
  return {};
}

Result<> OpenedStore::Compact() {
  if (listener_->faulted) RETURN_IF_ERROR(Recover());
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (auto* handle : handles_) {
    const auto status = db_->CompactRange(options, handle, nullptr, nullptr);
    if (!status.ok()) return Failed(status);
  }
  return {};
}

}  // namespace storage::kv
