#pragma once

#include <cstdint>
#include <vector>

#include "protocol/imap/command/search.h"

namespace protocol {

enum class SortKey : std::uint8_t {
  kArrival,
  kCc,
  kDate,
  kFrom,
  kSize,
  kSubject,
  kTo,
  kDisplayFrom,  ///< RFC 5957
  kDisplayTo
};

/// sort-criterion of RFC 5256 §5.
struct SortCriterion {
  SortKey key = SortKey::kArrival;
  bool reverse = false;
  friend bool operator==(const SortCriterion&, const SortCriterion&) = default;
};

enum class ThreadAlgorithm : std::uint8_t {
  kOrderedSubject,
  kReferences,
  kCpmContribution  ///< X-CPM-CONTRIBUTION: by Contribution-ID and InReplyTo-Contribution-ID
};

}  // namespace protocol

namespace protocol::command {

/// SORT and UID SORT, RFC 5256 §3, with the return options of RFC 5267 §3.
struct Sort {
  std::vector<SortCriterion> criteria;  ///< at least one
  Search search;                        ///< with a charset

  friend bool operator==(const Sort&, const Sort&) = default;
};

/// THREAD and UID THREAD, RFC 5256 §3.
struct Thread {
  ThreadAlgorithm algorithm = ThreadAlgorithm::kOrderedSubject;
  Search search;  ///< with a charset, without return options

  friend bool operator==(const Thread&, const Thread&) = default;
};

}  // namespace protocol::command
