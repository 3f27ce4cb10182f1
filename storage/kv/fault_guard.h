#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include <rocksdb/file_system.h>

namespace storage::kv {

class GuardedFile;

/// Cuts the calling thread's record off the log, if it is writing one. Called where a fault refuses it.
void TakeBackRecord();

/// Put around one rocksdb::DB::Write: names the log record that the calling thread is about to write, so that
/// a fault can take it back. See FaultGuard.
class RecordScope {
 public:
  RecordScope();
  ~RecordScope();
  RecordScope(const RecordScope&) = delete;
  RecordScope& operator=(const RecordScope&) = delete;

 private:
  friend class GuardedFile;

  /// Cuts the calling thread's record off the log, if it is writing one. Called where a fault refuses it.
  void TakeBackRecord();
  friend void TakeBackRecord();

  GuardedFile* file_ = nullptr;  ///< where this thread's record begins; nullptr: nothing written yet
  std::uint64_t begin_ = 0;
};

/// A file system for RocksDB that makes its faults survivable:
///
/// - RocksDB calls most write faults fatal and then wants to be closed; a fault marked "retryable" it lets
/// DB::Resume() mend. So all
///   faults are marked so, a full disk among them (RocksDB would poll for space by itself, out of our hands).
/// - A record whose write or sync failed was refused to the caller, but its octets may be in the log, and a
/// restart would replay
///   them. So the log is cut back to where the record began, at the moment of the fault; cutting needs no
///   space.
///
/// Thread: any.
class FaultGuard final : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;

  const char* Name() const override { return "FaultGuard"; }

  /// False while the newest log file is one that failed, or was cut: nothing may be appended to it any more.
  bool LogIsSound() const { return newest_log_ > failed_log_; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus NewRandomAccessFile(const std::string& path, const rocksdb::FileOptions& options,
                                        std::unique_ptr<rocksdb::FSRandomAccessFile>* file,
                                        rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus NewDirectory(const std::string& path, const rocksdb::IOOptions& options,
                                 std::unique_ptr<rocksdb::FSDirectory>* directory,
                                 rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus RenameFile(const std::string& from, const std::string& to,
                               const rocksdb::IOOptions& options, rocksdb::IODebugContext* dbg) override;
  rocksdb::IOStatus DeleteFile(const std::string& path, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* dbg) override;

 private:
  friend class GuardedFile;

  rocksdb::IOStatus Guarded(rocksdb::IOStatus status, const std::string& path, std::uint64_t size,
                            std::unique_ptr<rocksdb::FSWritableFile>* file);

  std::atomic<std::uint64_t> newest_log_ = 1;  ///< log files are counted as they are made
  std::atomic<std::uint64_t> failed_log_ = 0;
};

}  // namespace storage::kv
