#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace protocol {

/// Whether a command's numbers are positions in the view or UIDs: FETCH or UID FETCH.
enum class NumberKind : std::uint8_t { kSequence, kUid };

/// One element of a SequenceSet. kLargest stands for "*"; a client may give the ends in either order.
struct SequenceRange {
  static constexpr std::uint32_t kLargest = 0;  ///< zero is no nz-number, so it is free for "*"

  std::uint32_t first = 0;
  std::uint32_t last = 0;
  friend bool operator==(const SequenceRange&, const SequenceRange&) = default;
};

/// Inclusive, first <= last, first >= 1.
struct NumberRange {
  std::uint32_t first = 1;
  std::uint32_t last = 1;
  friend bool operator==(const NumberRange&, const NumberRange&) = default;
};

/// sequence-set of RFC 3501 §9 as the client sent it: order and overlaps kept, "*" unresolved.
struct SequenceSet {
  std::vector<SequenceRange> ranges;
  bool saved_result = false;  ///< "$" (RFC 5182 §2.1); then `ranges` is empty

  /// Sorted, disjoint, non-adjacent ranges, "*" replaced by `largest` (the highest number in use). Numbers
  /// above `largest` stay: whether they are an error depends on the command. With `largest` 0 (an empty
  /// mailbox) "*" is 1, a number that is not there.
  std::vector<NumberRange> Resolve(std::uint32_t largest) const;

  /// "1:3,7,9:*" or "$".
  std::string ToString() const;

  friend bool operator==(const SequenceSet&, const SequenceSet&) = default;
};

}  // namespace protocol
