#include "storage/kv/fault_guard.h"

#include <utility>

namespace storage::kv {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

namespace {

thread_local RecordScope* current_record = nullptr;

bool IsLog(const std::string& path) { return path.ends_with(".log"); }

IOStatus Retryable(IOStatus status) {
  if (status.ok() || !status.IsIOError() || status.IsPathNotFound()) return status;
  // Without the subcode kNoSpace: RocksDB's own way with a full disk ignores the mark.
  auto marked = IOStatus::IOError(status.getState() ? status.getState() : "I/O error");
  marked.SetRetryable(true);
  return marked;
}

}  // namespace

RecordScope::RecordScope() { current_record = this; }

RecordScope::~RecordScope() { current_record = nullptr; }

/// A file that RocksDB writes; of the log, one that can be cut.
///
/// Thread: RocksDB writes and syncs a log file from one thread at a time.
class GuardedFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  /// `log`: its number, 0 for other files. `guard` owns nothing here, but outlives its files, as any file
  /// system does.
  GuardedFile(std::unique_ptr<rocksdb::FSWritableFile> file, FaultGuard& guard, std::uint64_t log,
              std::uint64_t size)
      : FSWritableFileOwnerWrapper(std::move(file)), guard_(guard), log_(log), size_(size) {}

  IOStatus Append(const Slice& octets, const IOOptions& options, IODebugContext* dbg) override {
    if (!BeginAppend()) return IOStatus::OK();
    return EndAppend(target()->Append(octets, options, dbg), octets.size());
  }
  IOStatus Append(const Slice& octets, const IOOptions& options, const rocksdb::DataVerificationInfo& verify,
                  IODebugContext* dbg) override {
    if (!BeginAppend()) return IOStatus::OK();
    return EndAppend(target()->Append(octets, options, verify, dbg), octets.size());
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* dbg) override {
    return Checked(target()->Truncate(size, options, dbg));
  }
  IOStatus Close(const IOOptions& options, IODebugContext* dbg) override {
    return Checked(target()->Close(options, dbg));
  }
  IOStatus Flush(const IOOptions& options, IODebugContext* dbg) override {
    return Checked(target()->Flush(options, dbg));
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* dbg) override {
    return Checked(target()->Sync(options, dbg));
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return Checked(target()->Fsync(options, dbg));
  }
  IOStatus RangeSync(std::uint64_t offset, std::uint64_t size, const IOOptions& options,
                     IODebugContext* dbg) override {
    return Checked(target()->RangeSync(offset, size, options, dbg));
  }

  /// Best effort: on a device that refuses even this, a restart may see the record (README.md, "Faults").
  void CutBackTo(std::uint64_t size) {
    if (cut_) return;
    cut_ = true;
    MarkFailed();
    target()->Truncate(size, IOOptions(), nullptr).PermitUncheckedError();
    target()->Sync(IOOptions(), nullptr).PermitUncheckedError();
  }

 private:
  /// False: the file was cut, and what RocksDB still held of the refused record goes nowhere.
  bool BeginAppend() {
    if (cut_) return false;
    if (log_ != 0 && current_record && !current_record->file_) {
      current_record->file_ = this;
      current_record->begin_ = size_;
    }
    return true;
  }

  IOStatus EndAppend(IOStatus status, std::size_t octets) {
    if (status.ok()) size_ += octets;
    return Checked(std::move(status));
  }

  IOStatus Checked(IOStatus status) {
    if (!status.ok() && log_ != 0) {
      MarkFailed();
      TakeBackRecord();
    }
    return Retryable(std::move(status));
  }

  void MarkFailed() {
    auto failed = guard_.failed_log_.load();
    while (failed < log_ && !guard_.failed_log_.compare_exchange_weak(failed, log_)) {
    }
  }

  FaultGuard& guard_;
  const std::uint64_t log_;
  std::uint64_t size_;
  bool cut_ = false;
};

void TakeBackRecord() {
  if (current_record && current_record->file_) current_record->file_->CutBackTo(current_record->begin_);
}

namespace {

/// The log's folder is synced with the first record of a log file; a fault there refuses the record, too.
class GuardedDirectory final : public rocksdb::FSDirectoryWrapper {
 public:
  explicit GuardedDirectory(std::unique_ptr<rocksdb::FSDirectory> target)
      : FSDirectoryWrapper(std::move(target)) {}

  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return Checked(FSDirectoryWrapper::Fsync(options, dbg));
  }
  IOStatus FsyncWithDirOptions(const IOOptions& options, IODebugContext* dbg,
                               const rocksdb::DirFsyncOptions& dir_options) override {
    return Checked(FSDirectoryWrapper::FsyncWithDirOptions(options, dbg, dir_options));
  }

 private:
  static IOStatus Checked(IOStatus status) {
    if (!status.ok()) TakeBackRecord();
    return Retryable(std::move(status));
  }
};

class GuardedRandomAccessFile final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  using FSRandomAccessFileOwnerWrapper::FSRandomAccessFileOwnerWrapper;

  IOStatus Read(std::uint64_t offset, std::size_t n, const IOOptions& options, Slice* result, char* scratch,
                IODebugContext* dbg) const override {
    return Retryable(FSRandomAccessFileOwnerWrapper::Read(offset, n, options, result, scratch, dbg));
  }
  IOStatus MultiRead(rocksdb::FSReadRequest* requests, std::size_t count, const IOOptions& options,
                     IODebugContext* dbg) override {
    auto status = FSRandomAccessFileOwnerWrapper::MultiRead(requests, count, options, dbg);
    for (std::size_t i = 0; i < count; ++i) requests[i].status = Retryable(std::move(requests[i].status));
    return Retryable(std::move(status));
  }
};

}  // namespace

IOStatus FaultGuard::NewWritableFile(const std::string& path, const FileOptions& options,
                                     std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) {
  return Guarded(target()->NewWritableFile(path, options, file, dbg), path, 0, file);
}

IOStatus FaultGuard::ReopenWritableFile(const std::string& path, const FileOptions& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file, IODebugContext* dbg) {
  std::uint64_t size = 0;
  target()->GetFileSize(path, options.io_options, &size, dbg).PermitUncheckedError();
  return Guarded(target()->ReopenWritableFile(path, options, file, dbg), path, size, file);
}

IOStatus FaultGuard::NewRandomAccessFile(const std::string& path, const FileOptions& options,
                                         std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                         IODebugContext* dbg) {
  auto status = target()->NewRandomAccessFile(path, options, file, dbg);
  if (status.ok()) *file = std::make_unique<GuardedRandomAccessFile>(std::move(*file));
  return Retryable(std::move(status));
}

IOStatus FaultGuard::NewDirectory(const std::string& path, const IOOptions& options,
                                  std::unique_ptr<rocksdb::FSDirectory>* directory, IODebugContext* dbg) {
  auto status = target()->NewDirectory(path, options, directory, dbg);
  if (status.ok()) *directory = std::make_unique<GuardedDirectory>(std::move(*directory));
  return Retryable(std::move(status));
}

IOStatus FaultGuard::RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                                IODebugContext* dbg) {
  return Retryable(target()->RenameFile(from, to, options, dbg));
}

IOStatus FaultGuard::DeleteFile(const std::string& path, const IOOptions& options, IODebugContext* dbg) {
  return Retryable(target()->DeleteFile(path, options, dbg));
}

IOStatus FaultGuard::Guarded(IOStatus status, const std::string& path, std::uint64_t size,
                             std::unique_ptr<rocksdb::FSWritableFile>* file) {
  if (status.ok()) {
    const auto log = IsLog(path) ? ++newest_log_ : 0;
    *file = std::make_unique<GuardedFile>(std::move(*file), *this, log, size);
  }
  return Retryable(std::move(status));
}

}  // namespace storage::kv
