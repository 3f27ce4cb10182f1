#include "storage/store/folder_tree.h"

#include <fmt/format.h>

#include "protocol/model/mailbox_name.h"
#include "storage/store/annotation_edit.h"
#include "storage/store/deferred.h"

namespace storage {
namespace {

using kv::Table;
using protocol::SpecialUse;

bool IsInferior(std::string_view path, std::string_view of) {
  return path.size() > of.size() && path.starts_with(of) && path[of.size()] == protocol::kHierarchyDelimiter;
}

}  // namespace

FolderStatus ToStatus(FolderRef ref, const schema::FolderRow& row) {
  return {.ref = ref,
          .path = row.path,
          .kind = static_cast<FolderKind>(row.kind),
          .use = row.use,
          .uid_validity = row.uid_validity,
          .uid_next = row.uid_next,
          .highest_modseq = row.highest_modseq,
          .messages = row.messages,
          .unseen = row.unseen,
          .deleted = row.deleted,
          .octets = row.octets,
          .recent = 0,
          .created = row.created};
}

Result<std::optional<schema::FolderNameRow>> FolderTree::Find(std::string_view path) const {
  if (!schema::PathKey::IsPath(path)) return std::optional<schema::FolderNameRow>{};
  ASSIGN_OR_RETURN(const auto value, txn_.Get(Table::kFolderNames,
                                              schema::PathKey{txn_.account(), std::string(path)}.Encode()));
  if (!value) return std::optional<schema::FolderNameRow>{};
  ASSIGN_OR_RETURN(auto row, schema::FolderNameRow::Decode(*value));
  return std::optional(row);
}

Result<FolderId> FolderTree::Resolve(std::string_view path) const {
  ASSIGN_OR_RETURN(const auto name, Find(path));
  if (!name || name->folder.value == 0) return Fail(Errc::kNoSuchFolder);
  return name->folder;
}

Result<bool> FolderTree::HasInferiors(std::string_view path) const {
  // Inferiors follow their parent at once in key order (PathKey).
  const std::string prefix = schema::PathKey{txn_.account(), fmt::format("{}/", path)}.Encode();
  bool found = false;
  RETURN_IF_ERROR(txn_.Scan(Table::kFolderNames, prefix, kv::PrefixEnd(prefix), [&](auto, auto) {
    found = true;
    return false;
  }));
  return found;
}

void FolderTree::PutName(std::string_view path, const schema::FolderNameRow& row) {
  txn_.Put(Table::kFolderNames, schema::PathKey{txn_.account(), std::string(path)}.Encode(), row.Encode());
}

void FolderTree::EraseName(std::string_view path) {
  txn_.Erase(Table::kFolderNames, schema::PathKey{txn_.account(), std::string(path)}.Encode());
}

Result<FolderId> FolderTree::Make(std::string_view path, FolderKind kind, SpecialUse use) {
  ASSIGN_OR_RETURN(const ModSeq modseq, txn_.NextModSeq());
  ASSIGN_OR_RETURN(auto account, txn_.Account());
  if (account.folders >= options_.max_folders) {
    return Fail(Errc::kLimit,
                fmt::format("An account holds at most {} folders; delete some first", options_.max_folders));
  }
  const FolderId id{account.next_folder++};
  schema::FolderRow row;
  row.path = path;
  row.kind = static_cast<std::uint8_t>(kind);
  row.use = use;
  row.uid_validity = {account.next_uid_validity++};
  row.highest_modseq = modseq;
  row.created = txn_.now();
  ++account.folders;
  txn_.PutAccount(std::move(account));
  txn_.PutFolder(id, row);
  PutName(path, {id, row.kind, use});
  txn_.Announce(actor_.origin, FolderCreated{id, std::string(path)});
  return id;
}

Result<> FolderTree::MakeSuperiors(std::string_view path) {
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const std::string_view superior = path.substr(0, slash);
    ASSIGN_OR_RETURN(const auto name, Find(superior));
    if (!name) RETURN_IF_ERROR(Make(superior, FolderKind::kUser, SpecialUse::kNone));
  }
  return {};
}

Result<FolderId> FolderTree::Create(std::string_view path, FolderKind kind, SpecialUse use) {
  ASSIGN_OR_RETURN(const auto name, Find(path));
  if (name && name->folder.value != 0) return Fail(Errc::kFolderExists);
  RETURN_IF_ERROR(MakeSuperiors(path));
  return Make(path, kind, use);
}

Result<> FolderTree::Delete(std::string_view path) {
  ASSIGN_OR_RETURN(const auto name, Find(path));
  if (!name) return Fail(Errc::kNoSuchFolder);
  ASSIGN_OR_RETURN(const bool inferiors, HasInferiors(path));
  if (name->folder.value == 0) return Fail(inferiors ? Errc::kFolderHasChildren : Errc::kNoSuchFolder);

  RETURN_IF_ERROR(txn_.NextModSeq());
  ASSIGN_OR_RETURN(const auto folder, txn_.Folder(name->folder));
  RETURN_IF_ERROR(ForgetAnnotations(txn_, name->folder));
  ASSIGN_OR_RETURN(auto account, txn_.Account());
  --account.folders;
  account.used_octets -= folder.octets;
  account.used_messages -= folder.messages;
  txn_.PutAccount(std::move(account));
  txn_.Erase(Table::kFolders, schema::FolderKey{txn_.account(), name->folder}.Encode());
  txn_.Put(Table::kIntents,
           schema::IntentKey{txn_.account(), schema::IntentKind::kDropFolder, name->folder.value}.Encode(),
           schema::MarkerRow());
  if (inferiors) {
    PutName(path, {});
  } else {
    EraseName(path);
    RETURN_IF_ERROR(PruneSuperiors(path));
  }
  txn_.Announce(actor_.origin, FolderDeleted{name->folder, std::string(path)});
  return {};
}

Result<> FolderTree::PruneSuperiors(std::string_view path) {
  for (path = protocol::ParentName(path); !path.empty(); path = protocol::ParentName(path)) {
    ASSIGN_OR_RETURN(const auto name, Find(path));
    if (!name || name->folder.value != 0) break;
    ASSIGN_OR_RETURN(const bool inferiors, HasInferiors(path));
    if (inferiors) break;
    EraseName(path);
  }
  return {};
}

Result<> FolderTree::Rename(std::string_view from, std::string_view to) {
  ASSIGN_OR_RETURN(const auto source, Find(from));
  if (!source) return Fail(Errc::kNoSuchFolder);
  if (IsInferior(to, from)) return Fail(Errc::kNotAllowed, "A folder cannot be moved below itself");
  ASSIGN_OR_RETURN(const auto target, Find(to));
  if (target) return Fail(Errc::kFolderExists);

  std::vector<std::pair<std::string, schema::FolderNameRow>> moved{{std::string(from), *source}};
  const std::string prefix = schema::PathKey{txn_.account(), fmt::format("{}/", from)}.Encode();
  Result<> bad;
  RETURN_IF_ERROR(txn_.Scan(Table::kFolderNames, prefix, kv::PrefixEnd(prefix),
                            [&](std::string_view key, std::string_view value) {
                              auto path = schema::PathKey::Decode(key);
                              auto row = schema::FolderNameRow::Decode(value);
                              if (path && row)
                                moved.emplace_back(std::move(path->path), *row);
                              else
                                bad = Fail(Errc::kCorruption, "folder name does not decode");
                              return bad.has_value();
                            }));
  RETURN_IF_ERROR(bad);

  RETURN_IF_ERROR(txn_.NextModSeq());
  RETURN_IF_ERROR(MakeSuperiors(to));
  for (const auto& [path, row] : moved) {
    const std::string renamed = fmt::format("{}{}", to, std::string_view(path).substr(from.size()));
    if (protocol::CheckMailboxName(renamed) != protocol::NameFault::kNone) {
      return Fail(Errc::kLimit, "The name of a folder below would become too long");
    }
    EraseName(path);
    PutName(renamed, row);
    if (row.folder.value == 0) continue;
    if (ActsAsOwner(actor_))
      RETURN_IF_ERROR(MakePermanent(txn_, row.folder, UidSet(Uid{1}, protocol::kMaxUid)));
    ASSIGN_OR_RETURN(auto folder, txn_.Folder(row.folder));
    folder.path = renamed;
    txn_.PutFolder(row.folder, folder);
    txn_.Announce(actor_.origin, FolderRenamed{row.folder, path, renamed});
  }
  return PruneSuperiors(from);
}

}  // namespace storage
