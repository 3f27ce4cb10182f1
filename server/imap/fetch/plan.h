#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/imap/command/fetch.h"

namespace server::imap {

using protocol::FetchItem;

/// What a session has enabled that shows in FETCH answers.
struct FetchForm {
  bool condstore = false;  ///< what is told unasked tells UID and MODSEQ, too (RFC 7162 §3.2.4)
  bool uid_only = false;   ///< UIDFETCH, which names the UID, so that the item is told when asked for only
};

/// What a FETCH has to read, and what it answers in which order: UID first, then the items as asked for.
struct FetchPlan {
  /// From the cheapest to the dearest.
  enum class Reads : std::uint8_t {
    kNothing,  ///< the view knows it
    kStates,   ///< flags only: state pages
    kRows,     ///< message rows, with states if `states`
    kBodies,   ///< rows, then octets of objects
  };

  FetchPlan(const protocol::command::Fetch& cmd, bool read_only, FetchForm form);

  std::vector<FetchItem> items;  ///< without UID
  bool uid = false;
  bool states = false;
  bool flags_asked = false;
  bool modseq_asked = false;
  std::optional<protocol::ModSeq> changed_since;  ///< only messages with a higher one
  FetchForm form;
  bool marks_seen = false;  ///< and FLAGS are told of messages that became \Seen by it
  bool access = false;  ///< gives out content, not headers only: access to deferred messages (spec note 6)
  bool structures = false;  ///< ENVELOPE, BODY, BODYSTRUCTURE
  Reads reads = Reads::kNothing;
};

}  // namespace server::imap
