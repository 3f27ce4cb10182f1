#pragma once

#include "storage/error.h"

namespace storage {

/// While one lives, its thread waits neither for a file nor for a commit, and begins nothing that takes long:
/// reads that memory does not answer, and all changes, fail with Errc::kUnavailable, and FellShort() is true
/// from then on. Whatever has been found out by then counts for nothing, be it an error of another kind or an
/// answer: it is done again without.
///
///   storage::MemoryOnly here;
///   auto status = store.GetFolder(account, path);
///   if (here.FellShort()) ...  // again, on the storage pool
///
/// Not nested. What else a call may wait for (a lock that is held for long) stays its own.
class MemoryOnly {
 public:
  MemoryOnly() { current_ = this; }
  ~MemoryOnly() { current_ = nullptr; }
  MemoryOnly(const MemoryOnly&) = delete;
  MemoryOnly& operator=(const MemoryOnly&) = delete;

  bool FellShort() const { return fell_short_; }

  /// For the engine, about the calling thread.
  static bool Holds() { return current_ != nullptr; }
  /// What is about to wait, or to take long, asks: true, it must not, and that has been noted.
  static bool Forbids() {
    if (current_ != nullptr) current_->fell_short_ = true;
    return current_ != nullptr;
  }
  /// The same as an error.
  static Result<> MayWait() {
    if (Forbids()) return Fail(Errc::kUnavailable, "not without waiting");
    return {};
  }

 private:
  static inline thread_local MemoryOnly* current_ = nullptr;
  bool fell_short_ = false;
};

}  // namespace storage
