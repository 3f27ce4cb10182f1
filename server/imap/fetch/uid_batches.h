#pragma once

#include <algorithm>
#include <cstdint>

#include "protocol/model/uid_set.h"

namespace server::imap {

/// A set of UIDs in ascending portions.
///
/// Lifetime: the set outlives it.
class UidBatches {
 public:
  explicit UidBatches(const protocol::UidSet& uids) : uids_(uids) {}

  bool done() const { return range_ == uids_.ranges().size(); }

  /// The next `count` UIDs at most; empty when done.
  protocol::UidSet Next(std::uint32_t count) {
    protocol::UidSet batch;
    while (count > 0 && !done()) {
      const auto& range = uids_.ranges()[range_];
      const std::uint64_t first = std::max(next_, std::uint64_t{range.first.value});
      const std::uint64_t last = std::min(std::uint64_t{range.last.value}, first + count - 1);
      batch.Add(protocol::Uid{static_cast<std::uint32_t>(first)},
                protocol::Uid{static_cast<std::uint32_t>(last)});
      count -= static_cast<std::uint32_t>(last - first + 1);
      next_ = last + 1;
      if (next_ > range.last.value) ++range_;
    }
    return batch;
  }

  /// The next portion begins after `uid`, which was in the last one.
  void ResumeAfter(protocol::Uid uid) {
    next_ = std::uint64_t{uid.value} + 1;
    const auto& ranges = uids_.ranges();
    while (range_ > 0 && ranges[range_ - 1].last.value >= next_) --range_;
  }

 private:
  const protocol::UidSet& uids_;
  std::size_t range_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace server::imap
