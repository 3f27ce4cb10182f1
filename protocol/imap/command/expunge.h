#pragma once

#include <optional>

#include "protocol/model/sequence_set.h"

namespace protocol::command {

/// EXPUNGE, RFC 3501 §6.4.3, and UID EXPUNGE, RFC 4315 §2.1.
struct Expunge {
  std::optional<SequenceSet> uids;  ///< present for UID EXPUNGE: only these

  friend bool operator==(const Expunge&, const Expunge&) = default;
};

}  // namespace protocol::command
