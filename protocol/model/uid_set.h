#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/model/ids.h"

namespace protocol {

/// Inclusive range.
struct UidRange {
  Uid first;
  Uid last;
  friend bool operator==(const UidRange&, const UidRange&) = default;
};

/// A set of UIDs as sorted, disjoint, non-adjacent ranges: 100,000 consecutive UIDs take 8 bytes.
class UidSet {
 public:
  UidSet() = default;
  explicit UidSet(Uid uid) { Add(uid); }
  UidSet(Uid first, Uid last) { Add(first, last); }
  /// Of ranges in any order, overlapping or not.
  static UidSet Of(std::vector<UidRange> ranges);

  void Add(Uid uid) { Add(uid, uid); }
  /// first <= last, first >= 1. Appending in ascending order is O(1), elsewhere O(ranges).
  void Add(Uid first, Uid last);
  void Remove(Uid first, Uid last);
  void Remove(Uid uid) { Remove(uid, uid); }

  bool Contains(Uid uid) const;
  bool empty() const { return ranges_.empty(); }
  std::uint64_t size() const;
  Uid front() const { return ranges_.front().first; }
  Uid back() const { return ranges_.back().last; }
  const std::vector<UidRange>& ranges() const { return ranges_; }

  /// Visits every UID in ascending order.
  template <class F>
  void ForEach(F&& f) const {
    for (const auto& range : ranges_) {
      for (std::uint64_t uid = range.first.value; uid <= range.last.value; ++uid)
        f(Uid{static_cast<std::uint32_t>(uid)});
    }
  }

  UidSet Intersect(const UidSet& other) const;
  UidSet Minus(const UidSet& other) const;

  /// "1:3,7" (RFC 3501 §9 sequence-set, RFC 4315 §4 uid-set); empty for the empty set.
  std::string ToString() const;

  friend bool operator==(const UidSet&, const UidSet&) = default;

 private:
  std::vector<UidRange> ranges_;
};

}  // namespace protocol
