#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "protocol/model/flags.h"
#include "protocol/model/internal_date.h"
#include "protocol/model/sequence_set.h"

/// APPEND and REPLACE stream, so they are no alternatives of Command: CommandReader gives them out in these
/// steps. A message's octets are one literal, or with CATENATE any number of parts.
namespace protocol::command {

/// What a REPLACE takes away from the selected mailbox (RFC 8508 §3).
struct Replaced {
  NumberKind numbers = NumberKind::kSequence;
  SequenceSet message;  ///< one number, or "*"

  friend bool operator==(const Replaced&, const Replaced&) = default;
};

/// RFC 3501 §6.3.11 with MULTIAPPEND (RFC 3502): the start of the command.
struct AppendBegin {
  std::string tag;
  std::string mailbox;               ///< UTF-8, canonical
  std::optional<Replaced> replaces;  ///< the command is REPLACE, and has one message

  friend bool operator==(const AppendBegin&, const AppendBegin&) = default;
};

/// One message is announced; not one octet of it has been read.
struct AppendMessage {
  FlagSet flags;
  std::optional<InternalDate> date;
  bool catenate = false;      ///< no literal of its own: CatenateUrl and CatenateText follow (RFC 4469)
  std::uint64_t size = 0;     ///< octets; 0 means that the client cancels (RFC 3502 §6.3.11): answer NO
  bool binary = false;        ///< literal8: may hold NUL (RFC 3516 §4.4)
  bool synchronizing = true;  ///< the client waits for "+ ..." before it sends the octets
  std::size_t index = 0;      ///< 0 for the first message of the command

  friend bool operator==(const AppendMessage&, const AppendMessage&) = default;
};

/// The next octets of the message are those that an IMAP URL names.
struct CatenateUrl {
  std::string url;

  friend bool operator==(const CatenateUrl&, const CatenateUrl&) = default;
};

/// The next octets of the message are a literal's, of which none has been read.
struct CatenateText {
  std::uint64_t size = 0;
  bool binary = false;
  bool synchronizing = true;

  friend bool operator==(const CatenateText&, const CatenateText&) = default;
};

}  // namespace protocol::command
