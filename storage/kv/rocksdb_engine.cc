#include "storage/kv/rocksdb_engine.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <set>
#include <shared_mutex>
#include <utility>

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include "storage/kv/fault_guard.h"
#include "storage/kv/log_check.h"
#include "storage/kv/rocksdb_options.h"
#include "storage/kv/store_files.h"

namespace storage::kv {
namespace {

/// In RocksDB's own default column family: what wrote this directory, and how.
constexpr std::string_view kFormatKey = "cms_store_format";
constexpr std::string_view kFormat = "1";

/// Beside it, in memory and lost with it: see OpenedStore::PutSentinel.
constexpr std::string_view kSentinelKey = "sentinel";

constexpr const char* kRemedy =
    "; nothing was changed: restore a backup, or see what is affected with `cms-admin store check`";

Error ToError(const rocksdb::Status& status) {
  auto text = status.ToString();
  // RocksDB tries the name of older versions last, and reports that one.
  if (const auto old_name = text.find(".ldb"); old_name != std::string::npos)
    text.replace(old_name, 4, ".sst");
  // A file that the manifest names and the folder lacks is damage, too.
  if (status.IsCorruption() || status.IsPathNotFound()) {
    return {Errc::kCorruption, "damaged store: " + text + kRemedy};
  }
  return {Errc::kUnavailable, std::move(text)};
}

tl::unexpected<Error> Failed(const rocksdb::Status& status) { return tl::unexpected<Error>(ToError(status)); }

rocksdb::Slice ToSlice(std::string_view text) { return {text.data(), text.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

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
  explicit OpenedStore(const RocksEngineOptions& options)
      : options_(options),
        cache_(rocksdb::NewLRUCache(options.block_cache_bytes)),
        listener_(std::make_shared<FaultListener>()),
        guard_(std::make_shared<FaultGuard>(options.file_system ? options.file_system
                                                                : rocksdb::FileSystem::Default())),
        env_(rocksdb::NewCompositeEnv(guard_)) {}
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

class Snapshot final : public View {
 public:
  explicit Snapshot(OpenedStore& store) : store_(store), snapshot_(store.db().GetSnapshot()) {
    read_options_.snapshot = snapshot_;
  }
  ~Snapshot() override { store_.db().ReleaseSnapshot(snapshot_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  Result<std::optional<std::string>> Get(Table table, std::string_view key) const override {
    return store_.Read(read_options_, table, key);
  }
  Result<std::vector<std::optional<std::string>>> MultiGet(Table table,
                                                           std::span<const std::string> keys) const override;
  Result<> Scan(Table table, std::string_view first, std::string_view end,
                const Visitor& visit) const override;

 private:
  OpenedStore& store_;
  const rocksdb::Snapshot* snapshot_;
  rocksdb::ReadOptions read_options_;
};

Result<std::vector<std::optional<std::string>>> Snapshot::MultiGet(Table table,
                                                                   std::span<const std::string> keys) const {
  std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  auto options = read_options_;
  options.fill_cache = table != Table::kBodies;
  store_.db().MultiGet(options, store_.handle(table), slices.size(), slices.data(), values.data(),
                       statuses.data());

  std::vector<std::optional<std::string>> found(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      found[i] = values[i].ToString();
    } else if (!statuses[i].IsNotFound()) {
      return Failed(statuses[i]);
    }
  }
  return found;
}

Result<> Snapshot::Scan(Table table, std::string_view first, std::string_view end,
                        const Visitor& visit) const {
  if (!end.empty() && first >= end) return {};
  const rocksdb::Slice upper = ToSlice(end);
  auto options = read_options_;
  if (!end.empty()) options.iterate_upper_bound = &upper;
  options.total_order_seek = true;
  options.fill_cache = table != Table::kBodies;
  const std::unique_ptr<rocksdb::Iterator> row(store_.db().NewIterator(options, store_.handle(table)));
  for (row->Seek(ToSlice(first)); row->Valid(); row->Next()) {
    if (!visit(ToView(row->key()), ToView(row->value()))) return {};
  }
  if (!row->status().ok()) return Failed(row->status());
  return {};
}

OpenedStore::~OpenedStore() {
  if (!db_) return;
  // kBeforeNext batches of the last moment. After a fault they are lost, as after a crash; and Debian's
  // RocksDB, built with its asserts, aborts when a log that failed is synced again.
  if (!listener_->faulted) db_->FlushWAL(/*sync=*/true).PermitUncheckedError();
  // Leaves the log empty, so that nothing is lost with it while the store is at rest (a copy that ends early
  // looks like a power loss), and the next start has nothing to replay.
  if (!listener_->faulted && log_bytes_ > 0) {
    db_->Flush(rocksdb::FlushOptions(), AllHandles()).PermitUncheckedError();
  }
  for (auto* handle : handles_) {
    if (handle) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  if (default_handle_) db_->DestroyColumnFamilyHandle(default_handle_).PermitUncheckedError();
  db_->Close().PermitUncheckedError();
}

Result<> OpenedStore::Open() {
  ASSIGN_OR_RETURN(const bool found, FindStore());
  if (found) {
    RETURN_IF_ERROR(CheckTables());
  } else if (!options_.create_if_missing) {
    return Fail(Errc::kInvalidArgument,
                "no store at " + options_.path.string() + ": cmsd makes it when it first starts");
  } else {
    std::error_code ignored;  // RocksDB makes the last folder, and reports what is wrong
    std::filesystem::create_directories(options_.path.parent_path(), ignored);
  }
  RETURN_IF_ERROR(OpenDatabase());
  RETURN_IF_ERROR(CheckFormat());
  PutSentinel();
  return {};
}

/// False: nothing there yet. RocksDB would take a folder without CURRENT for an empty one, and remove its
/// table files.
Result<bool> OpenedStore::FindStore() const {
  std::vector<std::string> names;
  const auto status = env_->GetChildren(options_.path.string(), &names);
  if (status.IsNotFound() || status.IsPathNotFound()) return false;
  if (!status.ok()) return Failed(status);

  const auto has = [&](std::string_view ending) {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return name.ends_with(ending); });
  };
  const bool has_rows = has(".sst") || has(".blob") || has(".ldb");
  if (!has("CURRENT")) {
    const auto remains = RemainsWithoutCurrent(names);
    if (remains.kind == Remains::kNothing) return false;
    if (remains.kind == Remains::kForeign)
      return Fail(Errc::kInvalidArgument,
                  options_.path.string() + " holds \"" + remains.name +
                      "\" and no store: name an empty folder, or one that is missing");
    return Fail(Errc::kCorruption,
                "damaged store: " + options_.path.string() + "/CURRENT is missing" + kRemedy);
  }
  // There is a log at any time but for the first moment of a store.
  if (has_rows && !has(".log")) {
    return Fail(Errc::kCorruption,
                "damaged store: the log (*.log) is missing in " + options_.path.string() + kRemedy);
  }
  return true;
}

Result<> OpenedStore::CheckTables() const {
  std::vector<std::string> names;
  rocksdb::DBOptions options;
  options.env = env_.get();
  const auto status = rocksdb::DB::ListColumnFamilies(options, options_.path.string(), &names);
  if (!status.ok()) return Failed(status);

  std::set<std::string_view> known{rocksdb::kDefaultColumnFamilyName};
  for (std::size_t i = 0; i < kTableCount; ++i) known.insert(Name(static_cast<Table>(i)));
  for (const auto& name : names) {
    if (known.count(name)) continue;
    return Fail(Errc::kInvalidArgument, "the store at " + options_.path.string() + " has a table \"" + name +
                                            "\": a newer version made it");
  }
  return {};
}

Result<> OpenedStore::OpenDatabase() {
  const auto tail = CheckLogs(options_.path);
  if (!tail) return Fail(tail.error().code, tail.error().detail + kRemedy);
  auto db_options = DatabaseOptions(options_, *tail, env_.get());
  db_options.listeners.push_back(listener_);
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (std::size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    families.emplace_back(std::string(Name(table)), TableOptions(table, options_, cache_));
  }
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, TableOptions(Table::kMeta, options_, cache_));

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(db_options, options_.path.string(), families, &handles, &db);
  if (status.IsIOError() && status.ToString().find("lock") != std::string::npos &&
      status.ToString().find("LOCK") != std::string::npos) {
    return Fail(Errc::kUnavailable,
                "the store at " + options_.path.string() + " is in use by another process");
  }
  if (status.IsCorruption() && status.ToString().find('/') == std::string::npos) {
    // Of the log alone RocksDB does not name the file.
    return Failed(
        rocksdb::Status::Corruption(status.getState(), "in the log " + options_.path.string() + "/*.log"));
  }
  if (!status.ok()) return Failed(status);
  db_.reset(db);
  std::copy_n(handles.begin(), kTableCount, handles_.begin());
  default_handle_ = handles.back();
  return {};
}

Result<> OpenedStore::CheckFormat() {
  std::string format;
  const auto status = db_->Get(rocksdb::ReadOptions(), default_handle_, ToSlice(kFormatKey), &format);
  if (status.ok() && format == kFormat) return {};
  if (status.ok()) {
    return Fail(Errc::kInvalidArgument, "the store at " + options_.path.string() + " has format " + format +
                                            ", this program knows " + std::string(kFormat) +
                                            ": a newer version made it");
  }
  if (!status.IsNotFound()) return Failed(status);
  if (!IsEmpty()) return Fail(Errc::kInvalidArgument, options_.path.string() + " is not a message store");
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto written = db_->Put(options, default_handle_, ToSlice(kFormatKey), ToSlice(kFormat));
  if (!written.ok()) return Failed(written);
  return {};
}

bool OpenedStore::IsEmpty() const {
  return std::all_of(handles_.begin(), handles_.end(), [&](auto* handle) {
    const std::unique_ptr<rocksdb::Iterator> row(db_->NewIterator(rocksdb::ReadOptions(), handle));
    row->SeekToFirst();
    return !row->Valid() && row->status().ok();
  });
}

std::unique_ptr<View> OpenedStore::OpenView() { return std::make_unique<Snapshot>(*this); }

Result<std::optional<std::string>> OpenedStore::Read(rocksdb::ReadOptions options, Table table,
                                                     std::string_view key) const {
  // A few large messages would push everything else out; the operating system caches their files anyhow.
  options.fill_cache = table != Table::kBodies;
  rocksdb::PinnableSlice value;
  const auto status = db_->Get(options, handle(table), ToSlice(key), &value);
  if (status.ok()) return value.ToString();
  if (status.IsNotFound()) return std::nullopt;
  return Failed(status);
}

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

std::uint64_t OpenedStore::ApproximateBytes(Table table, std::string_view first, std::string_view end) {
  // An empty end is the end of the table, which RocksDB cannot say; no key of ours is longer than this one.
  static const std::string last(64, '\xff');
  const rocksdb::Range range(ToSlice(first), end.empty() ? rocksdb::Slice(last) : ToSlice(end));
  rocksdb::SizeApproximationOptions options;
  options.include_memtables = true;
  options.include_files = true;
  std::uint64_t bytes = 0;
  const auto status = db_->GetApproximateSizes(options, handle(table), &range, 1, &bytes);
  return status.ok() ? bytes : 0;
}

std::uint64_t OpenedStore::Property(Table table, const std::string& name) const {
  std::uint64_t value = 0;
  return db_->GetIntProperty(handle(table), name, &value) ? value : 0;
}

std::vector<Statistic> OpenedStore::Stats() {
  using Properties = rocksdb::DB::Properties;
  std::vector<Statistic> stats;
  std::uint64_t tables = 0;
  std::uint64_t blobs = 0;
  std::uint64_t garbage = 0;
  std::uint64_t memory = 0;
  for (std::size_t i = 0; i < kTableCount; ++i) {
    const auto table = static_cast<Table>(i);
    const auto blob_bytes = Property(table, Properties::kLiveBlobFileSize);
    const auto bytes = Property(table, Properties::kLiveSstFilesSize);
    stats.push_back({"disk_bytes_" + std::string(Name(table)), bytes + blob_bytes});
    tables += bytes;
    blobs += blob_bytes;
    garbage += Property(table, Properties::kLiveBlobFileGarbageSize);
    memory += Property(table, Properties::kSizeAllMemTables);
  }
  rocksdb::VectorLogPtr logs;
  std::uint64_t log_bytes = 0;
  if (db_->GetSortedWalFiles(logs).ok()) {
    for (const auto& log : logs) log_bytes += log->SizeFileBytes();
  }
  stats.push_back({"disk_bytes_table_files", tables});
  stats.push_back({"disk_bytes_blob_files", blobs});
  stats.push_back({"blob_garbage_bytes", garbage});
  stats.push_back({"wal_bytes", log_bytes});
  stats.push_back({"memtable_bytes", memory});
  stats.push_back({"block_cache_bytes", cache_->GetUsage()});
  stats.push_back({"block_cache_pinned_bytes", cache_->GetPinnedUsage()});
  stats.push_back({"block_cache_capacity_bytes", cache_->GetCapacity()});
  stats.push_back({"write_stopped", Property(Table::kMeta, Properties::kIsWriteStopped)});
  stats.push_back({"write_fault", listener_->faulted ? 1U : 0U});
  stats.push_back({"background_errors", Property(Table::kMeta, Properties::kBackgroundErrors)});
  stats.push_back({"recoveries", recoveries_});
  return stats;
}

Result<> OpenedStore::VerifyChecksums() {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const auto status = db_->VerifyChecksum(options);
  if (!status.ok()) return Failed(status);
  return {};
}

Result<> OpenedStore::Flush() {
  if (listener_->faulted) RETURN_IF_ERROR(Recover());
  const std::lock_guard turn(turnstile_);
  const std::unique_lock all(gate_);
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

}  // namespace

Result<std::unique_ptr<RocksEngine>> RocksEngine::Open(const RocksEngineOptions& options) {
  auto store = std::make_unique<OpenedStore>(options);
  RETURN_IF_ERROR(store->Open());
  return store;
}

}  // namespace storage::kv
