#pragma once

#include <string>

#include "protocol/model/sequence_set.h"

namespace protocol::command {

/// COPY and UID COPY, RFC 3501 §6.4.7.
struct Copy {
  NumberKind numbers = NumberKind::kSequence;
  SequenceSet set;
  std::string mailbox;  ///< UTF-8, canonical

  friend bool operator==(const Copy&, const Copy&) = default;
};

/// MOVE and UID MOVE, RFC 6851 §3.1.
struct Move {
  NumberKind numbers = NumberKind::kSequence;
  SequenceSet set;
  std::string mailbox;  ///< UTF-8, canonical

  friend bool operator==(const Move&, const Move&) = default;
};

}  // namespace protocol::command
