#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "storage/error.h"

// Inside storage/kv only: tells a log that power loss tore from a damaged one, which RocksDB cannot.

namespace storage::kv {

/// Goes with each batch into the log, and nowhere else.
///
///   "cms" 1 | opening u64 le | synced u64 le     20 bytes
///
/// `opening` is random for each opening of the store, so that octets of a message cannot pass for one;
/// `synced` is a sequence number: that batch and those before it were on stable storage when this one was
/// written.
struct LogMark {
  std::uint64_t opening;
  std::uint64_t synced;

  std::string Encode() const;
};

enum class LogTail {
  kWhole,    ///< the logs end with a record, or within one
  kGarbage,  ///< the newest ends with octets that make no record and were never acknowledged
};

/// Reads all logs of the store. After a power loss any part of what was not synced may be missing, its
/// beginning too; so a bad spot is damage only if a later record's mark says that it was synced: kCorruption,
/// with file and offset.
Result<LogTail> CheckLogs(const std::filesystem::path& folder);

}  // namespace storage::kv
