#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>

#include "storage/kv/engine.h"

namespace rocksdb {
class FileSystem;
}  // namespace rocksdb

namespace storage::kv {

/// What a deployment sets. Memory: storage/kv/README.md, "Memory ceiling".
struct RocksEngineOptions {
  std::filesystem::path path;
  bool create_if_missing = false;
  std::size_t block_cache_bytes = std::size_t{384}
                                  << 20;  ///< data, index and filter blocks of all tables together
  /// Rows of all tables that are not in table files yet; up to three times this while flushes are behind.
  std::size_t write_buffer_bytes = std::size_t{64} << 20;
  std::size_t log_bytes = std::size_t{64} << 20;  ///< about the most that a start after a kill has to replay
  int max_open_files = 1024;                      ///< table files held open
  int background_threads = 2;                     ///< flushes and compactions at once
  /// After a failed write, the pause before the next Apply tries again; in between Apply is refused at once.
  std::chrono::milliseconds retry_pause{500};
  /// Below the engine; nullptr: the operating system's. Tests inject faults here.
  std::shared_ptr<rocksdb::FileSystem> file_system;
};

/// RocksDB behind the seam. How it behaves on faults is in storage/kv/README.md.
///
/// Views must be destroyed before the engine.
class RocksEngine : public Engine {
 public:
  /// kUnavailable: another process has the store open, or an I/O error. kCorruption: a file is damaged or
  /// missing; `detail` names it and says what to do. kInvalidArgument: no store at the path, or one of a
  /// newer version. Never repairs.
  static Result<std::unique_ptr<RocksEngine>> Open(const RocksEngineOptions& options);

  /// Reads every block of every file and compares the checksums: slow, for `cms-admin store check`.
  virtual Result<> VerifyChecksums() = 0;

  /// Writes all rows to table files.
  virtual Result<> Flush() = 0;

  /// Merges all files of all tables: slow, reads and writes the whole store.
  virtual Result<> Compact() = 0;
};

}  // namespace storage::kv
