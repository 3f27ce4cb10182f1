#pragma once

#include <optional>

#include "protocol/model/flags.h"
#include "protocol/model/ids.h"
#include "protocol/model/sequence_set.h"

namespace protocol::command {

/// STORE and UID STORE, RFC 3501 §6.4.6.
struct Store {
  NumberKind numbers = NumberKind::kSequence;
  SequenceSet set;  ///< as the client sent it; "*" is resolved later, by the view
  FlagChange change;
  bool silent = false;
  std::optional<ModSeq> unchanged_since;  ///< RFC 7162 §3.1.3; may be 0

  friend bool operator==(const Store&, const Store&) = default;
};

}  // namespace protocol::command
