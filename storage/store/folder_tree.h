#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "storage/store/account_txn.h"
#include "storage/store/folder.h"
#include "storage/store/mail_store.h"

namespace storage {

/// The names of one account within one transaction: the only code that writes `folder_names`.
class FolderTree {
 public:
  FolderTree(AccountTxn& txn, const StoreOptions& options, Actor actor)
      : txn_(txn), options_(options), actor_(actor) {}

  /// nullopt: no such name.
  Result<std::optional<schema::FolderNameRow>> Find(std::string_view path) const;
  /// The folder of a name that can be selected; kNoSuchFolder otherwise.
  Result<FolderId> Resolve(std::string_view path) const;
  Result<bool> HasInferiors(std::string_view path) const;

  /// With all superiors that are missing. A \Noselect name becomes a folder again. kFolderExists, kLimit.
  Result<FolderId> Create(std::string_view path, FolderKind kind, protocol::SpecialUse use);
  Result<> Delete(std::string_view path);
  /// Inferiors follow. Not for INBOX.
  Result<> Rename(std::string_view from, std::string_view to);

 private:
  Result<FolderId> Make(std::string_view path, FolderKind kind, protocol::SpecialUse use);
  Result<> MakeSuperiors(std::string_view path);
  /// \Noselect superiors that have no inferiors left serve nobody.
  Result<> PruneSuperiors(std::string_view path);
  void PutName(std::string_view path, const schema::FolderNameRow& row);
  void EraseName(std::string_view path);

  AccountTxn& txn_;
  const StoreOptions& options_;
  Actor actor_;
};

/// kNotAllowed, kLimit: no folder or subscription may have this name. (folders.cc)
Result<> CheckName(std::string_view path);

/// FolderStatus of a row. `recent` is left to who counts it.
FolderStatus ToStatus(FolderRef ref, const schema::FolderRow& row);

/// FolderStatus::recent. (folders.cc)
Result<std::uint32_t> CountRecent(const kv::View& view, FolderRef ref, const schema::FolderRow& row);

}  // namespace storage
