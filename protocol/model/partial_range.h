#pragma once

#include <cstdint>
#include <string>

#include "protocol/model/uid_set.h"

namespace protocol {

/// partial-range of RFC 9394 §4: some of many results by their places, "1:500" or, counted from the last
/// one, "-1:-100".
struct PartialRange {
  std::uint32_t first = 1;  ///< as it was sent, without the minus: either may be the greater one
  std::uint32_t last = 1;
  bool from_end = false;

  /// Places from 0, as far as there are results: [begin, end).
  struct Window {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    friend bool operator==(const Window&, const Window&) = default;
  };
  Window Among(std::uint64_t results) const;

  /// As it was sent.
  std::string ToString() const;

  friend bool operator==(const PartialRange&, const PartialRange&) = default;
};

/// Those of `results`, which are in ascending order, that the range names.
UidSet PartOf(const UidSet& results, const PartialRange& range);

}  // namespace protocol
