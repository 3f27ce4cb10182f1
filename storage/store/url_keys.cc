// MailStore's calls for URLAUTH (RFC 4467), and what changes of folders do to keys.
#include "storage/store/url_keys.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "storage/memory_only.h"
#include "storage/schema/url_keys.h"
#include "storage/store/core.h"
#include "storage/store/folder_tree.h"
#include "storage/store/references.h"

namespace storage {
namespace {

using kv::Table;
using schema::FolderKey;
using schema::FormerPathKey;
using schema::UrlKeyRow;

/// RESETKEY of everything is a change each so many rows: an account may have thousands of keys.
constexpr std::size_t kRowsPerCommit = 500;

Result<std::optional<UrlKeyRow>> RowOf(const AccountTxn& txn, FolderId folder) {
  ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kUrlKeys, FolderKey{txn.account(), folder}.Encode()));
  if (!value) return std::optional<UrlKeyRow>{};
  ASSIGN_OR_RETURN(auto row, UrlKeyRow::Decode(*value));
  return std::optional(std::move(row));
}

void Put(AccountTxn& txn, FolderId folder, const UrlKeyRow& row) {
  txn.Put(Table::kUrlKeys, FolderKey{txn.account(), folder}.Encode(), row.Encode());
}

/// The folder's key and UIDVALIDITY, if it has both.
Result<std::optional<KeyedFolder>> Keyed(const kv::View& view, FolderRef ref) {
  const std::string key = FolderKey{ref.account, ref.folder}.Encode();
  ASSIGN_OR_RETURN(const auto url_key, view.Get(Table::kUrlKeys, key));
  ASSIGN_OR_RETURN(const auto folder, view.Get(Table::kFolders, key));
  if (!url_key || !folder) return std::optional<KeyedFolder>{};
  ASSIGN_OR_RETURN(auto row, UrlKeyRow::Decode(*url_key));
  ASSIGN_OR_RETURN(const auto counts, schema::FolderRow::DecodeCounts(*folder));
  return std::optional(KeyedFolder{ref, counts.uid_validity, std::move(row.key)});
}

Result<> CheckKey(std::string_view key) {
  if (key.size() == schema::kUrlKeyOctets) return {};
  return Fail(Errc::kInvalidArgument, "A key has 32 octets");
}

}  // namespace

Result<> NoteFormerPath(AccountTxn& txn, FolderId folder, std::string_view path) {
  ASSIGN_OR_RETURN(auto row, RowOf(txn, folder));
  if (!row) return {};
  auto& paths = row->former_paths;
  std::erase(paths, path);
  paths.emplace_back(path);
  txn.Put(Table::kUrlKeys, FormerPathKey{txn.account(), std::string(path), folder}.Encode(),
          schema::MarkerRow());
  if (paths.size() > schema::kFormerPaths) {
    txn.Erase(Table::kUrlKeys, FormerPathKey{txn.account(), paths.front(), folder}.Encode());
    paths.erase(paths.begin());
  }
  Put(txn, folder, *row);
  return {};
}

Result<> ForgetUrlKey(AccountTxn& txn, FolderId folder) {
  ASSIGN_OR_RETURN(const auto row, RowOf(txn, folder));
  if (!row) return {};
  for (const auto& path : row->former_paths)
    txn.Erase(Table::kUrlKeys, FormerPathKey{txn.account(), path, folder}.Encode());
  txn.Erase(Table::kUrlKeys, FolderKey{txn.account(), folder}.Encode());
  return {};
}

Result<std::optional<std::string>> MailStore::KnownUrlKey(FolderRef folder) {
  RETURN_IF_ERROR(core_->deleted.Check(folder.account));
  ASSIGN_OR_RETURN(const auto value,
                   core_->engine.Get(Table::kUrlKeys, FolderKey{folder.account, folder.folder}.Encode()));
  if (!value) return std::optional<std::string>();
  ASSIGN_OR_RETURN(auto row, UrlKeyRow::Decode(*value));
  return std::optional(std::move(row.key));
}

Result<std::string> MailStore::UrlKey(FolderRef folder, std::string_view fresh) {
  RETURN_IF_ERROR(CheckKey(fresh));
  ASSIGN_OR_RETURN(auto known, KnownUrlKey(folder));
  if (known) return *std::move(known);
  std::string key;
  RETURN_IF_ERROR(core_->lanes.Run(folder.account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());
    RETURN_IF_ERROR(txn.Folder(folder.folder));
    ASSIGN_OR_RETURN(auto row, RowOf(txn, folder.folder));  // of two who come at once one makes it
    if (!row) {
      row = UrlKeyRow{std::string(fresh), {}};
      Put(txn, folder.folder, *row);
    }
    key = std::move(row->key);
    return {};
  }));
  return key;
}

Result<> MailStore::FindKeyed(AccountId account, std::string_view path,
                              const std::function<bool(const KeyedFolder&)>& visit) {
  if (core_->deleted.Contains(account)) return {};
  if (!schema::PathKey::IsPath(path) || path.find('\0') != std::string_view::npos) return {};
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto value,
                   view->Get(Table::kFolderNames, schema::PathKey{account, std::string(path)}.Encode()));
  if (value) {
    ASSIGN_OR_RETURN(const auto name, schema::FolderNameRow::Decode(*value));
    ASSIGN_OR_RETURN(const auto keyed, Keyed(*view, {account, name.folder}));
    if (keyed && !visit(*keyed)) return {};
  }
  std::deque<FolderId> former_folders;
  const std::string former = FormerPathKey::Prefix(account, path);
  RETURN_IF_ERROR(view->Scan(Table::kUrlKeys, former, kv::PrefixEnd(former), [&](std::string_view key, auto) {
    if (const auto at = FormerPathKey::Decode(key)) former_folders.push_back(at->folder);
    if (former_folders.size() <= schema::kFormerPaths) return true;
    former_folders.pop_front();  // the newest are last
    return !MemoryOnly::Forbids();
  }));
  // None takes as long as one.
  if (!value && former_folders.empty()) static_cast<void>(Keyed(*view, {account, {}}));
  for (const FolderId folder : former_folders) {
    ASSIGN_OR_RETURN(const auto keyed, Keyed(*view, {account, folder}));
    if (keyed && !visit(*keyed)) return {};
  }
  return {};
}

Result<std::optional<KeyedFolder>> MailStore::FindUrlKey(FolderRef folder) {
  if (core_->deleted.Contains(folder.account)) return std::optional<KeyedFolder>{};
  return Keyed(*core_->engine.OpenView(), folder);
}

Result<> MailStore::ResetUrlKey(AccountId account, std::string_view path, std::string_view fresh,
                                Actor actor) {
  RETURN_IF_ERROR(CheckKey(fresh));
  FolderId folder;
  std::uint64_t last = 0;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());
    ASSIGN_OR_RETURN(folder, FolderTree(txn, core_->options, actor).Resolve(path));
    ASSIGN_OR_RETURN(last, LastReference(txn));
    RETURN_IF_ERROR(ForgetUrlKey(txn, folder));
    Put(txn, folder, {std::string(fresh), {}});
    RETURN_IF_ERROR(txn.NextModSeq());
    txn.Announce(actor.origin, UrlKeysReset{folder});
    return {};
  }));
  EndReferences(core_->lanes, account, folder, last);
  return {};
}

Result<> MailStore::ResetUrlKeys(AccountId account, Actor actor) {
  constexpr std::size_t kFoldersPerCommit = kRowsPerCommit / (1 + schema::kFormerPaths);
  std::size_t gone = 0;
  std::uint64_t last = 0;  // of those issued before any key was removed: later ones may have a new one
  for (bool more = true; more;) {
    std::vector<FolderId> folders;
    auto done = core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
      folders.clear();
      RETURN_IF_ERROR(txn.Account());
      if (gone == 0) {
        ASSIGN_OR_RETURN(last, LastReference(txn));
      }
      // From the end of the keys of former paths on: those go with their folder's row.
      const std::string first = FolderKey{account, FolderId{1}}.Encode();
      Result<> bad;
      RETURN_IF_ERROR(txn.Scan(Table::kUrlKeys, first, kv::PrefixEnd(schema::AccountPrefix(account)),
                               [&](std::string_view key, std::string_view) {
                                 const auto at = FolderKey::Decode(key);
                                 if (!at) {
                                   bad = tl::unexpected<Error>(at.error());
                                   return false;
                                 }
                                 folders.push_back(at->folder);
                                 return folders.size() < kFoldersPerCommit;
                               }));
      RETURN_IF_ERROR(bad);
      for (const FolderId folder : folders) RETURN_IF_ERROR(ForgetUrlKey(txn, folder));
      // Each says so for itself: there may be no other after it.
      if (folders.empty() && gone != 0) return {};
      RETURN_IF_ERROR(txn.NextModSeq());
      txn.Announce(actor.origin, UrlKeysReset{});
      return {};
    });
    if (!done && gone != 0 && done.error().code == Errc::kUnavailable)
      return Fail(Errc::kPartlyDone, fmt::format("The store cannot write now: the keys of {} mailboxes are "
                                                 "removed, others may not be; ask again",
                                                 gone));
    RETURN_IF_ERROR(std::move(done));
    gone += folders.size();
    more = folders.size() == kFoldersPerCommit;
  }
  EndReferences(core_->lanes, account, std::nullopt, last);
  return {};
}

}  // namespace storage
