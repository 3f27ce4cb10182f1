// Reading: snapshots, point reads, figures.
#include <utility>

#include "storage/kv/rocksdb_store.h"
#include "storage/memory_only.h"

namespace storage::kv {
namespace {

/// `options`, as the calling thread may read.
rocksdb::ReadOptions Here(rocksdb::ReadOptions options) {
  if (MemoryOnly::Holds()) options.read_tier = rocksdb::kBlockCacheTier;
  return options;
}

/// Of a table file that is not open RocksDB only says that it may hold the key: a value that is empty, as no
/// row of ours is.
Result<> CheckIsNoGuess(const rocksdb::Slice& value) {
  return value.empty() ? MemoryOnly::MayWait() : Result<>();
}

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
  Result<std::optional<SharedValue>> GetShared(Table table, std::string_view key) const override {
    if (table != Table::kBodies) return View::GetShared(table, key);
    return store_.ReadShared(read_options_, key);
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
  auto options = Here(read_options_);
  options.fill_cache = table != Table::kBodies;
  store_.db().MultiGet(options, store_.handle(table), slices.size(), slices.data(), values.data(),
                       statuses.data());

  std::vector<std::optional<std::string>> found(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      RETURN_IF_ERROR(CheckIsNoGuess(values[i]));
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
  auto options = Here(read_options_);
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

}  // namespace

Error ToError(const rocksdb::Status& status) {
  if (status.IsIncomplete()) {
    if (auto waiting = MemoryOnly::MayWait(); !waiting) return std::move(waiting).error();
  }
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

std::unique_ptr<View> OpenedStore::OpenView() { return std::make_unique<Snapshot>(*this); }

Result<std::optional<std::string>> OpenedStore::Read(rocksdb::ReadOptions options, Table table,
                                                     std::string_view key) const {
  options = Here(options);
  // A few large messages would push everything else out; the operating system caches their files anyhow.
  options.fill_cache = table != Table::kBodies;
  // A string, not a PinnableSlice: what is not pinned in the cache is copied once then, not twice.
  std::string value;
  const auto status = db_->Get(options, handle(table), ToSlice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return Failed(status);
  RETURN_IF_ERROR(CheckIsNoGuess(value));
  return value;
}

Result<std::optional<SharedValue>> OpenedStore::ReadShared(const rocksdb::ReadOptions& options,
                                                           std::string_view key) const {
  // A block that is pinned is given back to its cache, whatever has become of the engine by then.
  struct Pinned {
    std::shared_ptr<rocksdb::Cache> cache;
    rocksdb::PinnableSlice value;
  };
  const auto pinned = std::make_shared<Pinned>();
  pinned->cache = body_cache_;
  const auto status = db_->Get(Here(options), handle(Table::kBodies), ToSlice(key), &pinned->value);
  if (status.IsNotFound()) return std::optional<SharedValue>{};
  if (!status.ok()) return Failed(status);
  RETURN_IF_ERROR(CheckIsNoGuess(pinned->value));
  return std::optional(SharedValue{pinned, ToView(pinned->value)});
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
  stats.push_back({"block_cache_bytes", cache_->GetUsage() + body_cache_->GetUsage()});
  stats.push_back({"block_cache_pinned_bytes", cache_->GetPinnedUsage() + body_cache_->GetPinnedUsage()});
  stats.push_back({"block_cache_capacity_bytes", cache_->GetCapacity() + body_cache_->GetCapacity()});
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

}  // namespace storage::kv
