#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/schema/keys.h"

/// The table `references`: what was issued to fetch stored data by (System Description §5.5.2.19), each with
/// a row of its own, and a row by which its message finds it.
namespace storage::schema {

/// Key of a reference (value: ReferenceRow), and with the id 0 of what the account has (ReferencesUseRow).
///
///   account_id u64 be | 0 u64 be | id u64 be                   24 bytes
///
/// Ids are per account, ascending, never reused. No folder has the id 0, so a MessageReferenceKey is none of
/// these.
struct ReferenceKey {
  AccountId account;
  std::uint64_t id = 0;
  std::string Encode() const;
  /// The row of what the account has; the references follow it.
  static ReferenceKey Use(AccountId account) { return {account, 0}; }
  static std::string Prefix(AccountId account);
  static Result<ReferenceKey> Decode(std::string_view key);
  /// Of a key in this table.
  static bool Is(std::string_view key) { return key.size() == 24; }
  friend auto operator<=>(const ReferenceKey&, const ReferenceKey&) = default;
};

/// Key by which a message's references are found (the value says nothing).
///
///   account_id u64 be | folder_id u64 be | uid u32 be | id u64 be          28 bytes
struct MessageReferenceKey {
  AccountId account;
  FolderId folder;
  Uid uid;
  std::uint64_t id = 0;
  std::string Encode() const;
  static std::string Prefix(AccountId account, FolderId folder, Uid uid);
  static Result<MessageReferenceKey> Decode(std::string_view key);
  friend auto operator<=>(const MessageReferenceKey&, const MessageReferenceKey&) = default;
};

/// Value of ReferenceKey::Use:
///   version | last_id varint | count varint | if the version is 2: over varint
///
/// Version 1 is written as long as none is over before its time.
struct ReferencesUseRow {
  std::uint64_t last_id = 0;  ///< the highest that was given out
  std::uint64_t count = 0;    ///< rows whose `over` is 0
  std::uint64_t over = 0;     ///< all others
  std::string Encode() const;
  static Result<ReferencesUseRow> Decode(std::string_view value);
  friend bool operator==(const ReferencesUseRow&, const ReferencesUseRow&) = default;
};

/// For whom a reference is. On disk: append only.
enum class ReferenceAudience : std::uint8_t {
  kSubmit = 0,  ///< who submits messages for the owner
  kUser = 1,    ///< `audience`, a canonical address
  kAnyone = 2,
};

/// Value of a reference:
///   version | folder u64 be | uid u32 be | section str | partial | issuer u64 be | kind u8 | audience str |
///   flags u8 | created signed | expires signed | revoked signed | fetches varint | last_fetch signed |
///   part_size varint | key_check, 8 octets | if the version is 2: over signed
///   partial = 00 / 01 offset varint / 02 offset varint count varint
///   flags   = 01 one_time
///
/// Version 1 is written as long as it is not over before its time. Those of a cmsd that knew no other may be
/// revoked, or used, all the same: they count until their time is over.
struct ReferenceRow {
  FolderId folder;
  Uid uid;
  std::string section;  ///< as between the brackets of BODY[]
  std::optional<std::uint32_t> offset;
  std::optional<std::uint32_t> count;  ///< only with `offset`; nullopt: to the end
  AccountId issuer;
  ReferenceAudience kind = ReferenceAudience::kSubmit;
  std::string audience;
  bool one_time = false;
  std::int64_t created = 0;  ///< Unix seconds, as all times here
  std::int64_t expires = 0;  ///< the last second at which it is good
  std::int64_t revoked = 0;  ///< 0: it is not
  std::uint64_t fetches = 0;
  std::int64_t last_fetch = 0;  ///< 0: none
  std::uint64_t part_size = 0;  ///< octets of the section without transfer encoding, whatever `offset` says
  std::string key_check;  ///< kKeyCheckOctets; which of the folder's keys (url_keys) it was issued under
  std::int64_t over = 0;  ///< since when it is of no more use, though `expires` is later; 0: it is not

  /// Its time is over.
  bool Expired(std::int64_t now) const { return now > expires; }
  /// It was for one fetch, and there was one.
  bool Used() const { return one_time && fetches > 0; }
  /// It may be fetched, if what it names is there and the folder's key is still the one of its issue.
  bool Stands(std::int64_t now) const { return over == 0 && revoked == 0 && !Expired(now) && !Used(); }

  static constexpr std::size_t kKeyCheckOctets = 8;
  std::string Encode() const;
  static Result<ReferenceRow> Decode(std::string_view value);
  friend bool operator==(const ReferenceRow&, const ReferenceRow&) = default;
};

}  // namespace storage::schema
