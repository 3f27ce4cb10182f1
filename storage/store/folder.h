#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "protocol/model/flags.h"
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
  std::uint32_t recent = 0;  ///< messages no session was told of yet as \Recent
  std::int64_t created = 0;  ///< Unix seconds
  /// Of a conversation: the peer's canonical address, or the group's Conversation-ID (empty as long as only
  /// its name is known).
  std::string conversation_id;
  std::string contribution_id;  ///< of a session, likewise
};

/// What SELECT needs, as of one moment.
struct OpenedFolder {
  FolderStatus status;
  std::shared_ptr<const KeywordTable> keywords;
  UidSet uids;
  std::optional<Uid> first_unseen;
  Uid recent_from;  ///< messages from here on are \Recent to this session (RFC 3501 §2.3.2)
};

/// One name of LIST, in path order.
struct FolderEntry {
  std::string path;
  FolderId id;  ///< zero: a name that only has inferiors (\Noselect)
  FolderKind kind = FolderKind::kUser;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
};

}  // namespace storage
