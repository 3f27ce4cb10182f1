#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/model/flags.h"
#include "protocol/model/rights.h"
#include "protocol/model/uid_set.h"
#include "storage/store/account.h"

namespace storage {

struct FolderRef {
  AccountId account;
  FolderId folder;
  friend auto operator<=>(const FolderRef&, const FolderRef&) = default;
};

/// What a folder is in the CPM model (spec note 1.1). On disk: append only.
enum class FolderKind : std::uint8_t {
  kUser = 0,
  kInbox = 1,
  kDefault = 2,       ///< the default system folder: one an account
  kConversation = 3,  ///< history of one conversation
  kSession = 4,       ///< history of one session of a group conversation
  kRoot = 5,          ///< holds what the user keeps for good: at most one an account
};

/// Flags of one message as bits: the five system flags, and the folder's keywords by their number in its
/// KeywordTable.
struct FlagBits {
  std::uint32_t system = 0;
  std::uint64_t keywords = 0;
  bool Has(protocol::SystemFlag flag) const { return (system & protocol::FlagSet::Bit(flag)) != 0; }
  friend auto operator<=>(const FlagBits&, const FlagBits&) = default;
};

/// Keyword i is bit i. Keywords are only ever added, so an older table is a prefix of a newer one.
using KeywordTable = std::vector<std::string>;
inline constexpr std::size_t kMaxKeywords = 64;

struct MessageState {
  Uid uid;
  FlagBits flags;
  ModSeq modseq;
  friend bool operator==(const MessageState&, const MessageState&) = default;
};

/// What STATUS tells that is in no row, and counted if it is asked for.
struct StatusCounts {
  bool recent = false;          ///< reads the state pages of what is new
  bool deleted_octets = false;  ///< if some have \Deleted and others not, reads all pages and their rows
};

/// A folder as its row says: what STATUS tells.
struct FolderStatus {
  FolderRef ref;
  std::string path;
  FolderKind kind = FolderKind::kUser;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
  UidValidity uid_validity;
  Uid uid_next{1};
  ModSeq highest_modseq;
  std::uint32_t messages = 0;
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t octets = 0;
  std::uint32_t recent = 0;          ///< messages no session was told of yet as \Recent
  std::uint64_t deleted_octets = 0;  ///< of those with \Deleted; 0 unless asked for
  std::int64_t created = 0;          ///< Unix seconds
  /// Of a conversation: the peer's canonical address, or the group's Conversation-ID (empty as long as only
  /// its name is known).
  std::string conversation_id;
  std::string contribution_id;                   ///< of a session, likewise
  std::optional<protocol::Rights> owner_rights;  ///< nullopt: all (no access control list)
};

/// What SELECT needs, as of one moment.
struct OpenedFolder {
  FolderStatus status;
  std::shared_ptr<const KeywordTable> keywords;
  UidSet uids;
  std::optional<Uid> first_unseen;
  Uid recent_from;  ///< messages from here on are \Recent to this session (RFC 3501 §2.3.2)
  protocol::Rights rights = protocol::Rights::All();  ///< of whoever opened it
};

/// A folder that URLs can be authorised for (RFC 4467).
struct KeyedFolder {
  FolderRef ref;
  UidValidity uid_validity;
  std::string key;  ///< the mailbox access key: a secret
};

/// One name of LIST, in path order.
struct FolderEntry {
  std::string path;
  FolderId id;  ///< zero: a name that only has inferiors (\Noselect)
  FolderKind kind = FolderKind::kUser;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
};

}  // namespace storage
