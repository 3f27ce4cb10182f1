#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace protocol {

/// RFC 3501 §6.3.10; SIZE of RFC 8438, APPENDLIMIT of RFC 7889 §3.1, MAILBOXID of RFC 8474 §4.3,
/// HIGHESTMODSEQ of RFC 7162 §3.1.7, DELETED and DELETED-STORAGE of RFC 9208 §4.1.4.
enum class StatusItem : std::uint8_t {
  kMessages,
  kRecent,
  kUidNext,
  kUidValidity,
  kUnseen,
  kSize,
  kAppendLimit,
  kMailboxId,
  kHighestModSeq,
  kDeleted,
  kDeletedStorage,
};

}  // namespace protocol

namespace protocol::command {

/// RFC 3501 §6.3.10.
struct Status {
  std::string mailbox;            ///< UTF-8, canonical
  std::vector<StatusItem> items;  ///< in the order asked for; the answer keeps it

  friend bool operator==(const Status&, const Status&) = default;
};

}  // namespace protocol::command
