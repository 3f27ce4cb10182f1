#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/model/ids.h"
#include "protocol/model/partial_range.h"
#include "protocol/model/section.h"
#include "protocol/model/sequence_set.h"

namespace protocol {

/// One thing that FETCH is asked for (RFC 3501 §6.4.5).
struct FetchItem {
  enum class Kind : std::uint8_t {
    kUid,
    kFlags,
    kInternalDate,
    kRfc822Size,
    kEnvelope,
    kBody,  ///< BODY without brackets: the structure without extension data
    kBodyStructure,
    kRfc822,        ///< as BODY[], answered under its own name
    kRfc822Header,  ///< as BODY.PEEK[HEADER]
    kRfc822Text,    ///< as BODY[TEXT]
    kSection,       ///< BODY[section]<partial>
    kBinary,        ///< BINARY[section]<partial>, RFC 3516 §4.2
    kBinarySize,    ///< BINARY.SIZE[section]
    kEmailId,       ///< RFC 8474 §5.3
    kThreadId,      ///< RFC 8474 §5.3
    kSaveDate,      ///< RFC 8514 §4.2
    kModSeq,        ///< RFC 7162 §3.1.4.2
    kPreview,       ///< RFC 8970 §3
  };

  Kind kind = Kind::kFlags;
  bool lazy = false;  ///< kPreview: only if it costs little (RFC 8970 §4.1)
  bool peek = false;  ///< BODY.PEEK, BINARY.PEEK: \Seen stays as it is
  Section section;    ///< kSection, kBinary, kBinarySize
  std::optional<Partial> partial;

  /// Whether the message becomes \Seen.
  bool SetsSeen() const {
    return kind == Kind::kRfc822 || kind == Kind::kRfc822Text ||
           ((kind == Kind::kSection || kind == Kind::kBinary) && !peek);
  }

  friend bool operator==(const FetchItem&, const FetchItem&) = default;
};

}  // namespace protocol

namespace protocol::command {

/// FETCH and UID FETCH, RFC 3501 §6.4.5. ALL, FAST and FULL arrive expanded.
struct Fetch {
  NumberKind numbers = NumberKind::kSequence;
  SequenceSet set;
  std::vector<FetchItem> items;         ///< in the order asked for, at least one
  std::optional<ModSeq> changed_since;  ///< only messages with a higher mod-sequence (RFC 7162 §3.1.4.1)
  bool vanished = false;                ///< and what vanished since; UID FETCH only (RFC 7162 §3.2.6)
  std::optional<PartialRange> partial;  ///< only these of the messages; UID FETCH only (RFC 9394 §3.3)

  friend bool operator==(const Fetch&, const Fetch&) = default;
};

}  // namespace protocol::command
