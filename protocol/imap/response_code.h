#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/model/flags.h"
#include "protocol/model/ids.h"
#include "protocol/model/sequence_set.h"
#include "protocol/model/uid_set.h"

namespace protocol {

/// resp-text-code of RFC 3501 §7.1 and its extensions, as a value: one of the names below, or a code with
/// arguments. `No(ResponseCode::kNonExistent, "...")`, `Ok(ResponseCode::AppendUid{...}, "...")`.
struct ResponseCode {
  enum Plain : std::uint8_t {
    kNone,  ///< no brackets at all
    // RFC 3501 §7.1
    kAlert,
    kParse,
    kReadOnly,
    kReadWrite,
    kTryCreate,
    // RFC 5530 §3
    kUnavailable,
    kAuthenticationFailed,
    kAuthorizationFailed,
    kExpired,
    kPrivacyRequired,
    kContactAdmin,
    kNoPerm,
    kInUse,
    kExpungeIssued,
    kCorruption,
    kServerBug,
    kClientBug,
    kCannot,
    kLimit,
    kOverQuota,
    kAlreadyExists,
    kNonExistent,
    kUidNotSticky,          ///< RFC 4315 §3
    kUnknownCte,            ///< RFC 3516 §4.3
    kClosed,                ///< RFC 7162 §3.2.11
    kNotSaved,              ///< RFC 5182 §2.1
    kTooBig,                ///< RFC 7888 §4
    kUseAttr,               ///< RFC 6154 §3
    kHasChildren,           ///< RFC 9051 §7.1: DELETE of a name with inferiors
    kMetadataTooMany,       ///< RFC 5464 §4.3
    kMetadataNoPrivate,     ///< RFC 5464 §4.3
    kUidRequired,           ///< RFC 9586 §3
    kNotificationOverflow,  ///< RFC 5465 §5.8
    kUrlMech,               ///< RFC 4467 §8: INTERNAL, the one that there is
  };

  /// An empty list names no charsets.
  struct BadCharset {
    std::vector<std::string> charsets;
    friend bool operator==(const BadCharset&, const BadCharset&) = default;
  };
  /// The words after CAPABILITY, as WriteCapabilities gives them.
  struct Capability {
    std::string words;
    friend bool operator==(const Capability&, const Capability&) = default;
  };
  struct PermanentFlags {
    FlagSet flags;
    bool new_keywords = true;  ///< "\*"
    friend bool operator==(const PermanentFlags&, const PermanentFlags&) = default;
  };
  struct UidNext {
    Uid uid;
    friend bool operator==(const UidNext&, const UidNext&) = default;
  };
  struct UidValidity {
    protocol::UidValidity value;
    friend bool operator==(const UidValidity&, const UidValidity&) = default;
  };
  struct Unseen {
    SeqNum first;
    friend bool operator==(const Unseen&, const Unseen&) = default;
  };
  /// RFC 4315 §3.
  struct AppendUid {
    protocol::UidValidity validity;
    UidSet uids;  ///< in the order of the messages of a MULTIAPPEND
    friend bool operator==(const AppendUid&, const AppendUid&) = default;
  };
  /// RFC 4315 §3. The n-th UID of `from` became the n-th of `to`, both counted in ascending order.
  struct CopyUid {
    protocol::UidValidity validity;  ///< of the destination
    UidSet from;
    UidSet to;
    friend bool operator==(const CopyUid&, const CopyUid&) = default;
  };
  /// RFC 8474 §4.1, §4.2.
  struct MailboxId {
    FolderId folder;
    friend bool operator==(const MailboxId&, const MailboxId&) = default;
  };

  /// RFC 5464 §4.2.1: the longest value that was left out.
  struct MetadataLongEntries {
    std::uint64_t octets = 0;
    friend bool operator==(const MetadataLongEntries&, const MetadataLongEntries&) = default;
  };
  /// RFC 5464 §4.3: the longest value that is taken.
  struct MetadataMaxSize {
    std::uint64_t octets = 0;
    friend bool operator==(const MetadataMaxSize&, const MetadataMaxSize&) = default;
  };

  /// RFC 7162 §3.1.2.1.
  struct HighestModSeq {
    ModSeq modseq;
    friend bool operator==(const HighestModSeq&, const HighestModSeq&) = default;
  };
  /// RFC 7162 §3.1.3: the messages that failed UNCHANGEDSINCE, as numbers or as UIDs; sorted ranges.
  struct Modified {
    std::vector<NumberRange> messages;
    friend bool operator==(const Modified&, const Modified&) = default;
  };

  /// RFC 9585 §4: how far a command is.
  struct InProgress {
    std::string tag;
    std::uint32_t done = 0;
    std::uint32_t goal = 0;  ///< when `done` is this, it is done; 0: unknown
    friend bool operator==(const InProgress&, const InProgress&) = default;
  };
  /// RFC 5267 §4.3.1: the command whose RETURN (UPDATE) is not, or no longer, honoured.
  struct NoUpdate {
    std::string tag;
    friend bool operator==(const NoUpdate&, const NoUpdate&) = default;
  };
  /// RFC 5465 §3.1: an event that is none of those that are supported, which it names.
  struct BadEvent {
    friend bool operator==(const BadEvent&, const BadEvent&) = default;
  };

  /// RFC 4469 §4.1.
  struct BadUrl {
    std::string url;  ///< as the client spelled it
    friend bool operator==(const BadUrl&, const BadUrl&) = default;
  };

  using Value = std::variant<Plain, BadCharset, Capability, PermanentFlags, UidNext, UidValidity, Unseen,
                             AppendUid, CopyUid, MailboxId, MetadataLongEntries, MetadataMaxSize,
                             HighestModSeq, Modified, InProgress, NoUpdate, BadEvent, BadUrl>;

  Value value = kNone;

  ResponseCode() = default;
  ResponseCode(Plain plain) : value(plain) {}  // NOLINT: implicit by design, see the example above
  template <class T>
    requires(!std::is_same_v<std::decay_t<T>, ResponseCode>) &&
            std::is_constructible_v<Value, std::in_place_type_t<std::decay_t<T>>, T>
  ResponseCode(T&& code) : value(std::in_place_type<std::decay_t<T>>, std::forward<T>(code)) {}  // NOLINT

  friend bool operator==(const ResponseCode&, const ResponseCode&) = default;
};

/// "READ-ONLY"; empty for kNone.
std::string_view Name(ResponseCode::Plain code);

/// Appends "[CODE args] " with the trailing space, or nothing for kNone.
void Write(std::string& out, const ResponseCode& code);

}  // namespace protocol
