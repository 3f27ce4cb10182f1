// Opening and closing a store: what is in the folder, whether it is ours, sound and of a version that we
// know.
#include <algorithm>
#include <set>
#include <utility>

#include "storage/kv/log_check.h"
#include "storage/kv/rocksdb_options.h"
#include "storage/kv/rocksdb_store.h"
#include "storage/kv/store_files.h"

namespace storage::kv {
namespace {

/// In RocksDB's own default column family: what wrote this directory, and how.
constexpr std::string_view kFormatKey = "cms_store_format";
constexpr std::string_view kFormat = "1";

/// A share for what `bodies` keeps: its index and filters, and what is fetched by many, which is sent from
/// there. By itself a long body would push everything else out.
std::size_t BodyCacheBytes(const RocksEngineOptions& options) { return options.block_cache_bytes / 2; }
constexpr int kBodyCacheShardBits = 1;  // of a few large blocks each
/// What was used goes last, without a pool for what was used twice: what a compaction leaves there of files
/// that are no more would keep half of the cache for itself.
constexpr double kBodyCacheHighPriorityPool = 0;

}  // namespace

OpenedStore::OpenedStore(const RocksEngineOptions& options)
    : options_(options),
      cache_(rocksdb::NewLRUCache(options.block_cache_bytes - BodyCacheBytes(options))),
      body_cache_(rocksdb::NewLRUCache(BodyCacheBytes(options), kBodyCacheShardBits,
                                       /*strict_capacity_limit=*/false, kBodyCacheHighPriorityPool)),
      listener_(std::make_shared<FaultListener>()),
      guard_(std::make_shared<FaultGuard>(options.file_system ? options.file_system
                                                              : rocksdb::FileSystem::Default())),
      env_(rocksdb::NewCompositeEnv(guard_)) {}

OpenedStore::~OpenedStore() {
  if (!db_) return;
  // kBeforeNext batches of the last moment. After a fault they are lost, as after a crash; and Debian's
  // RocksDB, built with its asserts, aborts when a log that failed is synced again.
  if (!listener_->faulted) db_->FlushWAL(/*sync=*/true).PermitUncheckedError();
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
    families.emplace_back(std::string(Name(table)),
                          TableOptions(table, options_, table == Table::kBodies ? body_cache_ : cache_));
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

Result<std::unique_ptr<RocksEngine>> RocksEngine::Open(const RocksEngineOptions& options) {
  auto store = std::make_unique<OpenedStore>(options);
  RETURN_IF_ERROR(store->Open());
  return store;
}

}  // namespace storage::kv
