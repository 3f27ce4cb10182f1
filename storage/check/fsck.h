#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/error.h"
#include "storage/kv/engine.h"

namespace storage::check {

/// A numbered invariant of storage/README.md that does not hold.
struct Violation {
  int invariant = 0;
  std::string text;  ///< which rows, and how they disagree
};

struct FsckOptions {
  bool bodies = true;                ///< read every body and compare lengths: the slow part
  bool default_folder = false;       ///< accounts must have one: so says every profile that is configured
  std::size_t max_violations = 100;  ///< per account; more of the same help nobody
  /// Called after each account with how many are done.
  std::function<void(std::uint64_t accounts)> progress;
};

struct FsckReport {
  std::vector<Violation> violations;
  std::uint64_t accounts = 0;
  std::uint64_t folders = 0;
  std::uint64_t messages = 0;
  std::uint64_t intents = 0;  ///< steps that the next start would finish
};

/// Walks one view of the whole store and verifies every numbered invariant. Changes nothing. Memory: some
/// hundred octets for each message of the largest account.
Result<FsckReport> Fsck(kv::Engine& engine, const FsckOptions& options = {});

}  // namespace storage::check
