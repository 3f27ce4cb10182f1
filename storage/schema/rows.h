#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/internal_date.h"
#include "protocol/model/object_kind.h"
#include "protocol/model/rights.h"
#include "protocol/model/special_use.h"
#include "protocol/model/uid_set.h"
#include "storage/error.h"
#include "storage/schema/keys.h"
#include "storage/schema/quota_limits.h"

/// Values, one struct a table, but for the state page (state_page.h). Each begins with a version octet; an
/// unknown version is kCorruption with a text that says so. Integers are varints (bytes.h) unless the grammar
/// says otherwise.
namespace storage::schema {

using protocol::UidSet;
using protocol::UidValidity;

/// Value in `addresses`:  version | account_id
struct AddressRow {
  AccountId account;
  std::string Encode() const;
  static Result<AddressRow> Decode(std::string_view value);
  friend bool operator==(const AddressRow&, const AddressRow&) = default;
};

/// Value in `accounts`:
///   version | role | status | address str | n, alias str * n | password_hash str | quota_octets |
///   quota_messages | used_octets | used_messages | folders | created signed | next_folder |
///   next_uid_validity | modseq
/// and then, from version 2:  subscriptions
/// in version 3:  subscriptions + 1, or 0 if they are not counted | names modseq | annotations modseq
/// in version 4:  subscriptions likewise | marks? 0, or 1, names modseq, annotations modseq
///                | quota_folders | quota_annotation_octets | n, act_for str * n
/// A quota is its limit + 1, or 0 if there is none; up to version 3 the limit itself, or 0 if there is none.
struct AccountRow {
  std::uint8_t role = 0;
  std::uint8_t status = 0;
  std::string address;
  std::vector<std::string> aliases;
  std::string password_hash;
  QuotaLimits quota;
  std::uint64_t used_octets = 0;
  std::uint64_t used_messages = 0;
  std::uint32_t folders = 0;  ///< rows in `folders`
  std::int64_t created = 0;
  std::uint64_t next_folder = 1;
  std::uint32_t next_uid_validity = 1;
  ModSeq modseq;  ///< of the last change
  std::optional<std::uint32_t>
      subscriptions;  ///< rows in `subscriptions`; nullopt: not counted yet (version 1)
  /// When what is no message last changed.
  struct Marks {
    ModSeq names;        ///< names of folders, and subscriptions
    ModSeq annotations;  ///< METADATA entries
    friend bool operator==(const Marks&, const Marks&) = default;
  };
  std::optional<Marks> marks;        ///< nullopt: not known (before version 3)
  std::vector<std::string> act_for;  ///< of role pf: patterns of addresses that it may act for

  std::string Encode() const;
  static Result<AccountRow> Decode(std::string_view value);
  friend bool operator==(const AccountRow&, const AccountRow&) = default;
};

/// Value in `folders`:
///   version | path str | kind | use | uid_validity | uid_next | highest_modseq | messages | unseen | deleted
///   | octets | recent_from | created signed | conversation_id str | contribution_id str | n, keyword str * n
/// and then, in version 2:  owner's rights
struct FolderRow {
  std::string path;
  std::uint8_t kind = 0;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
  UidValidity uid_validity;
  Uid uid_next{1};
  ModSeq highest_modseq;
  std::uint32_t messages = 0;
  std::uint32_t unseen = 0;
  std::uint32_t deleted = 0;
  std::uint64_t octets = 0;
  Uid recent_from{1};  ///< no session was told of the messages from here on
  std::int64_t created = 0;
  std::string conversation_id;
  std::string contribution_id;
  std::vector<std::string> keywords;  ///< keyword i is bit i of a message's keyword bits
  /// What its access control list leaves to its owner, so that nobody reads the list to know; nullopt: it has
  /// none (version 1).
  std::optional<protocol::Rights> owner_rights;

  std::string Encode() const;
  static Result<FolderRow> Decode(std::string_view value);
  /// Without the path, and of what comes after `created` only the owner's rights: for whoever reads thousands
  /// of rows for their counts.
  static Result<FolderRow> DecodeCounts(std::string_view value);
  friend bool operator==(const FolderRow&, const FolderRow&) = default;
};

/// Value in `folder_names`:  version | folder_id (0: \Noselect) | kind | use
struct FolderNameRow {
  FolderId folder;
  std::uint8_t kind = 0;
  protocol::SpecialUse use = protocol::SpecialUse::kNone;

  std::string Encode() const;
  static Result<FolderNameRow> Decode(std::string_view value);
  friend bool operator==(const FolderNameRow&, const FolderNameRow&) = default;
};

/// One entry of a message in the `ids` table.
struct IndexedId {
  IdKind kind = IdKind::kMessage;
  std::string value;
  friend bool operator==(const IndexedId&, const IndexedId&) = default;
};

/// Value in `messages`:
///   version | internal_date signed | zone signed | save_date signed | size | object_id | object_kind, plus
///   80 if malformed | expiry signed | sent? 0 or 1, date signed, zone signed | envelope str | body str |
///   body_structure str | parts str | n, (kind, value str) * n
/// The views point into what was decoded, or into what is to be encoded.
struct StoredMessage {
  protocol::InternalDate internal_date;
  std::int64_t save_date = 0;
  std::uint64_t size = 0;
  ObjectId object;
  protocol::ObjectKind object_kind = protocol::ObjectKind::kUnclassified;
  bool malformed = false;  ///< it cannot be read as what it claims to be
  std::int64_t expiry = 0;
  std::optional<protocol::InternalDate> sent;
  std::string_view envelope;
  std::string_view body;
  std::string_view body_structure;
  std::string_view parts;
  std::string_view ids;  ///< EncodeIds()

  std::string Encode() const;
  static Result<StoredMessage> Decode(std::string_view value);
  friend bool operator==(const StoredMessage&, const StoredMessage&) = default;
};

std::string EncodeIds(const std::vector<IndexedId>& ids);
Result<std::vector<IndexedId>> DecodeIds(std::string_view bytes);
/// All keys that the message has in `ids`, encoded: its identifiers', and that of its kind.
Result<std::vector<std::string>> IdKeysOf(AccountId account, FolderId folder, Uid uid,
                                          const StoredMessage& message);

/// Value in `texts`:  version | truncated | header str | body str
struct TextRow {
  bool truncated = false;
  std::string_view header;
  std::string_view body;

  std::string Encode() const;
  static Result<TextRow> Decode(std::string_view value);
  friend bool operator==(const TextRow&, const TextRow&) = default;
};

/// Value in `body_refs`:  version | count (2 or more)
struct BodyRefRow {
  std::uint64_t count = 1;
  std::string Encode() const;
  static Result<BodyRefRow> Decode(std::string_view value);
  friend bool operator==(const BodyRefRow&, const BodyRefRow&) = default;
};

/// Value in `vanished`:  version | when signed (Unix seconds) | uids
/// Without UIDs: what vanished at this modseq or before it is forgotten; such a row is its folder's first.
/// Value in `intents` of kind kPurge:  version | folder_id | uids
/// where uids = n, (first - end of the range before, last - first) * n
struct VanishedRow {
  std::int64_t when = 0;
  UidSet uids;
  std::string Encode() const;
  static Result<VanishedRow> Decode(std::string_view value);
  friend bool operator==(const VanishedRow&, const VanishedRow&) = default;
};
struct PurgeRow {
  FolderId folder;
  UidSet uids;
  std::string Encode() const;
  static Result<PurgeRow> Decode(std::string_view value);
  friend bool operator==(const PurgeRow&, const PurgeRow&) = default;
};

/// One identifier of an access control list and what it has been given (RFC 4314 §3).
struct AclEntry {
  std::string identifier;  ///< canonical; '-' before it: these rights are taken away
  protocol::Rights rights;
  friend bool operator==(const AclEntry&, const AclEntry&) = default;
};

/// Value in `acl`:  version | n (1 or more), (identifier str | rights) * n
/// Identifiers ascend, rights are not empty.
struct AclRow {
  std::vector<AclEntry> entries;
  std::string Encode() const;
  static Result<AclRow> Decode(std::string_view value);
  friend bool operator==(const AclRow&, const AclRow&) = default;
};

/// Value in `intents` of kind kGrants:  version | modseq | n, identifier str * n
struct GrantsRow {
  ModSeq modseq;                         ///< of the last change that is to be settled
  std::vector<std::string> identifiers;  ///< as in a GrantKey
  std::string Encode() const;
  static Result<GrantsRow> Decode(std::string_view value);
  friend bool operator==(const GrantsRow&, const GrantsRow&) = default;
};

/// Value in `annotations`, of an entry:  version | name str | value str
struct AnnotationRow {
  std::string_view name;  ///< as its maker spelled it; in lower case it is the key's
  std::string_view value;
  std::string Encode() const;
  static Result<AnnotationRow> Decode(std::string_view value);
  friend bool operator==(const AnnotationRow&, const AnnotationRow&) = default;
};

/// Value in `annotations`, of a scope or of an account; absent: zero.  version | entries (1 or more) | octets
struct AnnotationUseRow {
  std::uint64_t entries = 0;
  std::uint64_t octets = 0;  ///< of names and values
  std::string Encode() const;
  static Result<AnnotationUseRow> Decode(std::string_view value);
  friend bool operator==(const AnnotationUseRow&, const AnnotationUseRow&) = default;
};

/// Value in `expiries` of kind kDeleted:  version | uids
struct UidsRow {
  UidSet uids;
  std::string Encode() const;
  static Result<UidsRow> Decode(std::string_view value);
  friend bool operator==(const UidsRow&, const UidsRow&) = default;
};

/// The value of rows whose key says it all: version.
std::string MarkerRow();

}  // namespace storage::schema
