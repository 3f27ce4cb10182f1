#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "storage/schema/keys.h"

/// The table `url_keys`: what makes IMAP URLs good without a password (RFC 4467), and what they called their
/// folders. A folder's row has a FolderKey; other rows are found by a path that a folder no longer has.
namespace storage::schema {

inline constexpr std::size_t kUrlKeyOctets = 32;
/// A folder's former names that its URLs may still use; the oldest is forgotten.
inline constexpr std::size_t kFormerPaths = 8;

/// Value of a folder:  version | key, 32 octets | n, former path str * n
struct UrlKeyRow {
  std::string key;                        ///< kUrlKeyOctets random ones
  std::vector<std::string> former_paths;  ///< since the key was made; the latest last, at most kFormerPaths

  std::string Encode() const;
  static Result<UrlKeyRow> Decode(std::string_view value);
  friend bool operator==(const UrlKeyRow&, const UrlKeyRow&) = default;
};

/// Key of a former path (the value says nothing).
///
///   account_id u64 be | 0 u64 be | path, 00 | folder_id u64 be         25 + n bytes
///
/// No folder has the id 0, so a FolderKey is none of these. A path holds no NUL. Several folders may have had
/// one path.
struct FormerPathKey {
  AccountId account;
  std::string path;
  FolderId folder;

  std::string Encode() const;
  /// All folders that had this path.
  static std::string Prefix(AccountId account, std::string_view path);
  static Result<FormerPathKey> Decode(std::string_view key);
  /// Of a key in this table: it is no FolderKey.
  static bool Is(std::string_view key) { return key.size() != 16; }
  friend auto operator<=>(const FormerPathKey&, const FormerPathKey&) = default;
};

}  // namespace storage::schema
