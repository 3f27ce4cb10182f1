#pragma once

#include <memory>

#include <rocksdb/file_system.h>

namespace storage::kv {

class GuardedFile;

/// Cuts the calling thread's record off the log, if it is writing one. Called where a fault refuses it.
void TakeBackRecord();

/// Put around one rocksdb::DB::Write: names the log record that the calling thread is about to write, so that
/// a fault can take it back. See NewFaultGuard.
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
std::shared_ptr<rocksdb::FileSystem> NewFaultGuard(std::shared_ptr<rocksdb::FileSystem> target);

}  // namespace storage::kv
