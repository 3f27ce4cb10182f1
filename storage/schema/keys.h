#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "protocol/model/ids.h"
#include "protocol/model/object_kind.h"
#include "storage/error.h"

/// Keys, one struct a table (storage/kv/engine.h, Table). Every key begins with the account id, but for the
/// tables `meta`, `addresses` and `grants`. Integers are big-endian, so byte order is number order; what
/// varies in length comes last.
namespace storage::schema {

using protocol::AccountId;
using protocol::FolderId;
using protocol::ModSeq;
using protocol::ObjectId;
using protocol::Uid;

/// All of one account's rows in a table start with this.
///
///   account_id u64 be
///   0000000000000003         account 3
std::string AccountPrefix(AccountId account);

/// Key in `accounts`: the account id alone.
struct AccountKey {
  AccountId account;
  std::string Encode() const { return AccountPrefix(account); }
  static Result<AccountKey> Decode(std::string_view key);
  friend auto operator<=>(const AccountKey&, const AccountKey&) = default;
};

/// Key in `folders`, and the prefix of all of a folder's rows in `states`, `messages`, `vanished`.
///
///   account_id u64 be | folder_id u64 be                       16 bytes
///   0000000000000003    0000000000000007                       account 3, folder 7
struct FolderKey {
  AccountId account;
  FolderId folder;
  std::string Encode() const;
  static Result<FolderKey> Decode(std::string_view key);
  friend auto operator<=>(const FolderKey&, const FolderKey&) = default;
};

/// Key in `folder_names` and in `subscriptions`.
///
///   account_id u64 be | path, '/' as octet 01                   8 + n bytes
///   0000000000000003    "Sent"
///
/// '/' is written as 01 (a path holds no control character) so that a folder's inferiors follow it at once:
/// "a", "a/b", "a b".
struct PathKey {
  AccountId account;
  std::string path;
  std::string Encode() const;
  static Result<PathKey> Decode(std::string_view key);
  /// The path's octets as they are on disk: comparing them is comparing keys.
  static std::string_view OnDisk(std::string_view key);
  /// Makes a path of them, in place.
  static void ToPath(std::span<char> octets);
  /// False: nothing has this path, and its key would be another path's.
  static bool IsPath(std::string_view path);
  friend auto operator<=>(const PathKey&, const PathKey&) = default;
};

/// Key in `states`: page n holds the UIDs 512 n to 512 n + 511.
///
///   account_id u64 be | folder_id u64 be | page u32 be         20 bytes
struct StateKey {
  AccountId account;
  FolderId folder;
  std::uint32_t page = 0;
  std::string Encode() const;
  static Result<StateKey> Decode(std::string_view key);
  friend auto operator<=>(const StateKey&, const StateKey&) = default;
};

/// Key in `messages` (value: MessageRow, written once).
///
///   account_id u64 be | folder_id u64 be  | uid u32 be         20 bytes
///   0000000000000003    0000000000000007    0000002a           account 3, folder 7, UID 42
///
/// Big-endian makes byte order equal UID order, so FETCH 1:* (ENVELOPE) is one forward scan.
struct MessageKey {
  AccountId account;
  FolderId folder;
  Uid uid;
  std::string Encode() const;
  static Result<MessageKey> Decode(std::string_view key);
  friend auto operator<=>(const MessageKey&, const MessageKey&) = default;
};

/// Key in `body_refs` and `texts`, and the prefix of an object's chunks in `bodies`.
///
///   account_id u64 be | object_id u64 be                       16 bytes
struct ObjectKey {
  AccountId account;
  ObjectId object;
  std::string Encode() const;
  static Result<ObjectKey> Decode(std::string_view key);
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

/// Key in `bodies`: chunk n holds the octets from n * 256 KiB on.
///
///   account_id u64 be | object_id u64 be | chunk u32 be        20 bytes
struct ChunkKey {
  AccountId account;
  ObjectId object;
  std::uint32_t chunk = 0;
  std::string Encode() const;
  static Result<ChunkKey> Decode(std::string_view key);
  friend auto operator<=>(const ChunkKey&, const ChunkKey&) = default;
};

/// What an `ids` row is about. On disk: append only.
enum class IdKind : std::uint8_t {
  kConversation = 1,
  kContribution = 2,
  kInReplyToContribution = 3,
  kImdnMessage = 4,
  kMessage = 5,
  kCorrelator = 6,
  kObjectKind = 7,  ///< one octet, the ObjectKind; of messages that have been classified
};

/// Key in `ids` (the value says nothing).
///
///   account_id u64 be | kind u8 | value, 00 | folder_id u64 be | uid u32 be
///
/// A value holds no NUL. One longer than 200 octets is cut there and must be compared with the object itself.
struct IdKey {
  static constexpr std::size_t kMaxValue = 200;

  AccountId account;
  IdKind kind = IdKind::kMessage;
  std::string value;
  FolderId folder;
  Uid uid;
  std::string Encode() const;
  /// All messages with this id.
  static std::string Prefix(AccountId account, IdKind kind, std::string_view value);
  /// Those of them in one folder.
  static std::string Prefix(AccountId account, IdKind kind, std::string_view value, FolderId folder);
  /// A classified message by its kind.
  static IdKey OfKind(AccountId account, protocol::ObjectKind kind, FolderId folder, Uid uid);
  /// The value as a key holds it: up to the first NUL, at most kMaxValue octets.
  static std::string_view Indexed(std::string_view value);
  static Result<IdKey> Decode(std::string_view key);
  friend auto operator<=>(const IdKey&, const IdKey&) = default;
};

/// Key in `vanished`.
///
///   account_id u64 be | folder_id u64 be | modseq u64 be       24 bytes
struct VanishedKey {
  AccountId account;
  FolderId folder;
  ModSeq modseq;
  std::string Encode() const;
  static Result<VanishedKey> Decode(std::string_view key);
  friend auto operator<=>(const VanishedKey&, const VanishedKey&) = default;
};

/// Key in `annotations`: the value of one METADATA entry (RFC 5464), or how much a scope holds.
///
///   account_id u64 be | folder_id u64 be | entry, 00 | viewer u64 be   25 + n bytes
///   0000000000000003    0000000000000007   "/shared/comment" 00  0000000000000000
///
/// Folder 0 is the server's scope. `entry` is in lower case and holds no NUL; the entries below "/shared/a"
/// begin with "/shared/a/". `viewer` is the account whose value it is, 0 for what all see. Without an entry:
/// an AnnotationUseRow, of the scope, or (folder kAllAnnotations) of the account.
struct AnnotationKey {
  AccountId account;
  FolderId folder;
  std::string entry;
  AccountId viewer;
  std::string Encode() const;
  /// The row of how much the scope holds.
  static AnnotationKey Use(AccountId account, FolderId folder) { return {account, folder, {}, {}}; }
  /// All keys of the scope whose entry begins with `entry`.
  static std::string Prefix(AccountId account, FolderId folder, std::string_view entry);
  static Result<AnnotationKey> Decode(std::string_view key);
  friend auto operator<=>(const AnnotationKey&, const AnnotationKey&) = default;
};

/// In an AnnotationKey: the scope of the server, and all scopes together.
inline constexpr FolderId kServerAnnotations{0};
inline constexpr FolderId kAllAnnotations{~std::uint64_t{0}};

/// Key in `grants`, which has no account prefix: a folder whose access control list names this identifier.
///
///   identifier, 00 | account_id u64 be | folder_id u64 be      17 + n bytes
///   "tel:+15550100222" 00  0000000000000003  0000000000000007
///
/// An identifier is as in an AclEntry, without the '-' of negative rights, and holds no NUL.
struct GrantKey {
  std::string identifier;
  AccountId account;
  FolderId folder;
  std::string Encode() const;
  /// All keys of this identifier.
  static std::string Prefix(std::string_view identifier);
  static Result<GrantKey> Decode(std::string_view key);
  friend auto operator<=>(const GrantKey&, const GrantKey&) = default;
};

/// Why something has a time in `expiries`. On disk: append only.
enum class ExpiryKind : std::uint8_t {
  kDeferred = 1,  ///< id: a UID. A temporary message that may be expunged then
  /// id: the modseq at which messages got \Deleted, 0 for those that had it before there was a grace; the
  /// value says which (UidsRow)
  kDeleted = 2,
  kReference = 3,  ///< id: of a reference (schema/references.h), whose folder stands here too
};

/// Key in `expiries`.
///
///   account_id u64 be | kind u8 | due u64 be | folder_id u64 be | id u64 be    33 bytes
///
/// `due` is in Unix seconds, so that what is due of an account comes first. A row is a reason to look, no
/// more: whether the messages are still to go is decided by their flags when the time has come.
struct ExpiryKey {
  AccountId account;
  ExpiryKind kind = ExpiryKind::kDeferred;
  std::int64_t due = 0;  ///< not negative
  FolderId folder;
  std::uint64_t id = 0;
  std::string Encode() const;
  /// All rows of this kind.
  static std::string Prefix(AccountId account, ExpiryKind kind);
  static Result<ExpiryKey> Decode(std::string_view key);
  friend auto operator<=>(const ExpiryKey&, const ExpiryKey&) = default;
};

/// What is half done and must be finished or undone, at once or after a crash. On disk: append only.
enum class IntentKind : std::uint8_t {
  kStagedObject = 1,  ///< id: object id. Chunks that no message refers to yet
  kPurge = 2,  ///< id: a modseq. Messages that are not, or no longer, visible: their rows are to be freed
  kDropFolder = 3,   ///< id: folder id. A folder that is gone: all its rows are to be freed
  kDropAccount = 4,  ///< id: 0. An account that is gone: all its rows are to be freed
  kGrants = 5,       ///< id: folder id. `grants` is to be made what the folder's access control list says
};

/// Key in `intents`.
///
///   account_id u64 be | kind u8 | id u64 be                    17 bytes
struct IntentKey {
  AccountId account;
  IntentKind kind = IntentKind::kPurge;
  std::uint64_t id = 0;
  std::string Encode() const;
  static Result<IntentKey> Decode(std::string_view key);
  friend auto operator<=>(const IntentKey&, const IntentKey&) = default;
};

}  // namespace storage::schema
