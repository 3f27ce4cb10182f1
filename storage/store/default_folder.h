#pragma once

#include <string>
#include <utility>

#include "storage/kv/engine.h"
#include "storage/schema/keys.h"
#include "storage/schema/rows.h"
#include "storage/store/folder.h"

namespace storage {

/// The path of an account's default system folder; empty if it has none. `Rows` is a kv::View or an
/// AccountTxn. `usual`, the profile's, is where it nearly always is: one point read; an account made under
/// another profile keeps its own place, and all its names are looked at.
template <class Rows>
Result<std::string> FindDefaultFolder(const Rows& rows, AccountId account, const std::string& usual) {
  const auto is_default = [](const schema::FolderNameRow& row) {
    return row.kind == static_cast<std::uint8_t>(FolderKind::kDefault);
  };
  if (schema::PathKey::IsPath(usual)) {
    ASSIGN_OR_RETURN(const auto value, rows.Get(kv::Table::kFolderNames, schema::PathKey{account, usual}.Encode()));
    if (value) {
      ASSIGN_OR_RETURN(const auto row, schema::FolderNameRow::Decode(*value));
      if (is_default(row)) return usual;
    }
  }
  std::string found;
  Result<> bad;
  const std::string prefix = schema::AccountPrefix(account);
  RETURN_IF_ERROR(rows.Scan(kv::Table::kFolderNames, prefix, kv::PrefixEnd(prefix),
                            [&](std::string_view key, std::string_view value) {
                              auto path = schema::PathKey::Decode(key);
                              const auto row = schema::FolderNameRow::Decode(value);
                              if (!path || !row) {
                                bad = Fail(Errc::kCorruption, "folder name does not decode");
                              } else if (is_default(*row)) {
                                found = std::move(path->path);
                              }
                              return bad.has_value() && found.empty();
                            }));
  RETURN_IF_ERROR(bad);
  return found;
}

}  // namespace storage
