#include "tests/support/fault_fs.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <rocksdb/file_system.h>

namespace tests {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;
namespace fs = std::filesystem;

std::string FolderOf(const std::string& path) {
  return fs::path(path).parent_path().lexically_normal().string();
}

std::optional<std::string> ReadWhole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// What is on its way to the disk of one file.
struct Extent {
  std::uint64_t size = 0;
  std::uint64_t synced = 0;
};

/// A change of a folder that a sync of the folder makes final.
struct Entry {
  std::string folder;
  std::string path;
  std::string from;                        ///< renamed from; empty: created
  std::optional<std::string> old_content;  ///< of the file that the rename replaced
  std::optional<Extent> old_extent;
};

}  // namespace

class FaultFs::Disk final : public rocksdb::FileSystemWrapper, public std::enable_shared_from_this<Disk> {
 public:
  Disk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

  const char* Name() const override { return "FaultFs"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) override;
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) override;
  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* dbg) override;
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* dbg) override;
  IOStatus DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* dbg) override;

  /// Counts the operation; what is wrong with it, or nothing.
  std::optional<Fault> Try(Op op, const std::string& path);
  static IOStatus StatusOf(Fault fault, const std::string& path);

  void Grew(const std::string& path, std::size_t octets);
  void Resized(const std::string& path, std::uint64_t size);
  void Synced(const std::string& path);
  void FolderSynced(const std::string& path);

  mutable std::mutex mutex_;
  std::optional<Fault> fault_;
  Op fault_op_ = Op::kAny;
  std::string fault_suffix_;
  std::size_t passes_left_ = 0;
  bool once_ = false;
  std::atomic<bool> off_ = false;
  std::size_t writes_ = 0;
  std::size_t syncs_ = 0;
  std::size_t failures_ = 0;
  std::map<std::string, Extent> extents_;
  std::vector<Entry> entries_;  ///< oldest first
};

namespace {

/// A file whose octets are not safe until it is synced.
template <class Disk>
class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(std::unique_ptr<rocksdb::FSWritableFile> file, std::shared_ptr<Disk> disk, std::string path)
      : FSWritableFileOwnerWrapper(std::move(file)), disk_(std::move(disk)), path_(std::move(path)) {}

  IOStatus Append(const Slice& octets, const IOOptions& options, IODebugContext* dbg) override {
    if (const auto fault = disk_->Try(Op::kWrite, path_)) {
      if (*fault == Fault::kTornWrite)
        Put(Slice(octets.data(), octets.size() / 2), options, dbg).PermitUncheckedError();
      return Disk::StatusOf(*fault, path_);
    }
    return Put(octets, options, dbg);
  }
  IOStatus Append(const Slice& octets, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verify*/, IODebugContext* dbg) override {
    return Append(octets, options, dbg);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    if (disk_->off_) return IOStatus::OK();  // needs no space: an injected fault does not refuse it
    auto status = target()->Truncate(size, options, dbg);
    if (status.ok()) disk_->Resized(path_, size);
    return status;
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    if (const auto fault = disk_->Try(Op::kSync, path_)) return Disk::StatusOf(*fault, path_);
    auto status = target()->Flush(options, dbg);  // the test's own disk need not be slow
    if (status.ok()) disk_->Synced(path_);
    return status;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override { return Sync(options, dbg); }
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }

 private:
  IOStatus Put(const Slice& octets, const IOOptions& options, IODebugContext* dbg) {
    auto status = target()->Append(octets, options, dbg);
    if (status.ok()) disk_->Grew(path_, octets.size());
    return status;
  }

  std::shared_ptr<Disk> disk_;
  std::string path_;
};

template <class Disk>
class FaultyFolder final : public rocksdb::FSDirectoryWrapper {
 public:
  FaultyFolder(std::unique_ptr<rocksdb::FSDirectory> target, std::shared_ptr<Disk> disk, std::string path)
      : FSDirectoryWrapper(std::move(target)), disk_(std::move(disk)), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    if (const auto fault = disk_->Try(Op::kSync, path_)) return Disk::StatusOf(*fault, path_);
    disk_->FolderSynced(path_);
    return IOStatus::OK();
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const rocksdb::DirFsyncOptions& /*dir_options*/) override {
    return Fsync(options, dbg);
  }

 private:
  std::shared_ptr<Disk> disk_;
  std::string path_;
};

}  // namespace

std::optional<Fault> FaultFs::Disk::Try(Op op, const std::string& path) {
  const std::lock_guard lock(mutex_);
  ++(op == Op::kWrite ? writes_ : syncs_);
  if (off_ || !fault_ || (fault_op_ != Op::kAny && fault_op_ != op) || !path.ends_with(fault_suffix_))
    return std::nullopt;
  if (passes_left_ > 0) {
    --passes_left_;
    return std::nullopt;
  }
  ++failures_;
  const auto fault = *fault_;
  if (once_) fault_.reset();
  if (fault != Fault::kPowerLoss) return fault;
  off_ = true;
  return std::nullopt;
}

IOStatus FaultFs::Disk::StatusOf(Fault fault, const std::string& path) {
  return fault == Fault::kNoSpace ? IOStatus::NoSpace("injected: no space left on device: " + path)
                                  : IOStatus::IOError("injected: " + path);
}

void FaultFs::Disk::Grew(const std::string& path, std::size_t octets) {
  const std::lock_guard lock(mutex_);
  if (off_) return;  // not even a torn write keeps it
  extents_[path].size += octets;
}

void FaultFs::Disk::Resized(const std::string& path, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  auto& extent = extents_[path];
  extent = {.size = size, .synced = std::min(extent.synced, size)};
}

void FaultFs::Disk::Synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (off_) return;
  extents_[path].synced = extents_[path].size;
}

void FaultFs::Disk::FolderSynced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (off_) return;
  const auto folder = fs::path(path + "/x").parent_path().lexically_normal().string();
  std::erase_if(entries_,
                [&](const Entry& entry) { return entry.folder == folder || entry.folder + "/" == folder; });
}

IOStatus FaultFs::Disk::NewWritableFile(const std::string& path, const FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) {
  if (const auto fault = Try(Op::kWrite, path)) return StatusOf(*fault, path);
  const bool existed = fs::exists(path);
  auto status = target()->NewWritableFile(path, options, file, dbg);
  if (!status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    extents_[path] = {};
    if (!existed) entries_.push_back({.folder = FolderOf(path), .path = path});
  }
  *file = std::make_unique<FaultyFile<Disk>>(std::move(*file), shared_from_this(), path);
  return status;
}

IOStatus FaultFs::Disk::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                           std::unique_ptr<rocksdb::FSWritableFile>* file,
                                           IODebugContext* dbg) {
  if (const auto fault = Try(Op::kWrite, path)) return StatusOf(*fault, path);
  auto status = target()->ReopenWritableFile(path, options, file, dbg);
  if (!status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    const auto size = fs::file_size(path);
    extents_.try_emplace(path, Extent{.size = size, .synced = size});
  }
  *file = std::make_unique<FaultyFile<Disk>>(std::move(*file), shared_from_this(), path);
  return status;
}

IOStatus FaultFs::Disk::NewDirectory(const std::string& path, const IOOptions& options,
                                     std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* dbg) {
  auto status = target()->NewDirectory(path, options, directory, dbg);
  if (status.ok())
    *directory = std::make_unique<FaultyFolder<Disk>>(std::move(*directory), shared_from_this(), path);
  return status;
}

IOStatus FaultFs::Disk::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                   IODebugContext* dbg) {
  if (const auto fault = Try(Op::kWrite, to)) return StatusOf(*fault, to);
  Entry entry{.folder = FolderOf(to), .path = to, .from = from, .old_content = ReadWhole(to)};
  auto status = target()->RenameFile(from, to, options, dbg);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  if (const auto old = extents_.extract(to)) entry.old_extent = old.mapped();
  if (auto moved = extents_.extract(from)) {
    moved.key() = to;
    extents_.insert(std::move(moved));
  }
  entries_.push_back(std::move(entry));
  return status;
}

IOStatus FaultFs::Disk::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* dbg) {
  if (const auto fault = Try(Op::kWrite, path)) return StatusOf(*fault, path);
  if (off_) return IOStatus::OK();
  auto status = target()->DeleteFile(path, options, dbg);
  if (!status.ok()) return status;
  const std::lock_guard lock(mutex_);
  extents_.erase(path);
  std::erase_if(entries_, [&](const Entry& entry) { return entry.path == path; });
  return status;
}

FaultFs::FaultFs() : disk_(std::make_shared<Disk>()) {}
FaultFs::~FaultFs() = default;

std::shared_ptr<rocksdb::FileSystem> FaultFs::file_system() const { return disk_; }

void FaultFs::FailAfter(Op op, std::size_t successes, Fault fault, std::string suffix) {
  const std::lock_guard lock(disk_->mutex_);
  disk_->fault_op_ = op;
  disk_->passes_left_ = successes;
  disk_->fault_ = fault;
  disk_->fault_suffix_ = std::move(suffix);
  disk_->once_ = false;
}

void FaultFs::FailOnce(Op op, std::size_t successes, Fault fault, std::string suffix) {
  FailAfter(op, successes, fault, std::move(suffix));
  const std::lock_guard lock(disk_->mutex_);
  disk_->once_ = true;
}

void FaultFs::Heal() {
  const std::lock_guard lock(disk_->mutex_);
  disk_->fault_.reset();
}

void FaultFs::CutPower() {
  const std::lock_guard lock(disk_->mutex_);
  disk_->off_ = true;
}

bool FaultFs::power_is_off() const { return disk_->off_; }

std::size_t FaultFs::Count(Op op) const {
  const std::lock_guard lock(disk_->mutex_);
  return (op == Op::kSync ? 0 : disk_->writes_) + (op == Op::kWrite ? 0 : disk_->syncs_);
}

std::size_t FaultFs::failures() const {
  const std::lock_guard lock(disk_->mutex_);
  return disk_->failures_;
}

void FaultFs::DropUnsynced(std::uint64_t torn_seed) {
  const std::lock_guard lock(disk_->mutex_);
  std::mt19937_64 random(torn_seed);
  for (auto& [path, extent] : disk_->extents_) {
    if (!fs::exists(path)) continue;
    const auto kept = torn_seed == 0 ? 0 : random() % (extent.size - extent.synced + 1);
    fs::resize_file(path, extent.synced + kept);
  }
  for (auto entry = disk_->entries_.rbegin(); entry != disk_->entries_.rend(); ++entry) {
    if (entry->from.empty()) {
      fs::remove(entry->path);
      continue;
    }
    if (fs::exists(entry->path)) fs::rename(entry->path, entry->from);
    if (entry->old_content) std::ofstream(entry->path, std::ios::binary) << *entry->old_content;
  }
  disk_->extents_.clear();
  disk_->entries_.clear();
  disk_->fault_.reset();
  disk_->off_ = false;
}

}  // namespace tests
