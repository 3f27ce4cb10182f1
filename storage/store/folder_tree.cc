#include "storage/store/folder_tree.h"

#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "protocol/cpm/names.h"
#include "protocol/model/mailbox_name.h"
#include "storage/store/annotation_edit.h"
#include "storage/store/default_folder.h"
#include "storage/store/deferred.h"
#include "storage/store/quota.h"
#include "storage/store/url_keys.h"

namespace storage {
namespace {

using kv::Table;
using protocol::SpecialUse;

std::uint8_t Stored(FolderKind kind) { return static_cast<std::uint8_t>(kind); }
FolderKind KindOf(const schema::FolderNameRow& row) { return static_cast<FolderKind>(row.kind); }

std::string_view LastPart(std::string_view path) {
  return path.substr(path.rfind(protocol::kHierarchyDelimiter) + 1);
}

bool IsOneToOne(const schema::FolderRow& row) {
  return row.kind == Stored(FolderKind::kConversation) && model::IsOneToOne(row.conversation_id);
}

/// What a conversation's folder is called as long as nobody renames it.
auto NameOf(std::string_view identity) {
  return model::IsOneToOne(identity) ? protocol::cpm::ConversationFolderName(identity)
                                     : protocol::cpm::FolderNameOfId(identity);
}

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
          .created = row.created,
          .conversation_id = row.conversation_id,
          .contribution_id = row.contribution_id,
          .owner_rights = row.owner_rights};
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

Result<std::vector<FolderTree::Name>> FolderTree::Inferiors(std::string_view path) const {
  std::vector<Name> out;
  const std::string prefix = schema::PathKey{txn_.account(), fmt::format("{}/", path)}.Encode();
  Result<> bad;
  RETURN_IF_ERROR(txn_.Scan(Table::kFolderNames, prefix, kv::PrefixEnd(prefix),
                            [&](std::string_view key, std::string_view value) {
                              auto at = schema::PathKey::Decode(key);
                              auto row = schema::FolderNameRow::Decode(value);
                              if (at && row)
                                out.push_back({std::move(at->path), *row});
                              else
                                bad = Fail(Errc::kCorruption, "folder name does not decode");
                              return bad.has_value();
                            }));
  RETURN_IF_ERROR(bad);
  return out;
}

Result<bool> FolderTree::IsWithin(std::string_view path, FolderKind kind) const {
  for (; !path.empty(); path = protocol::ParentName(path)) {
    ASSIGN_OR_RETURN(const auto name, Find(path));
    if (name && KindOf(*name) == kind) return true;
  }
  return false;
}

Result<model::Place> FolderTree::PlaceOf(std::string_view path,
                                         const std::optional<schema::FolderNameRow>& name) const {
  model::Place place;
  if (!name) return place;
  place.kind = KindOf(*name);
  // Looked up only where a rule asks for it: the usual profile costs no read.
  if (place.kind == FolderKind::kConversation && name->folder.value != 0) {
    ASSIGN_OR_RETURN(const auto row, txn_.Folder(name->folder));
    place.one_to_one = IsOneToOne(row);
  }
  if (!options_.profile.owner_may_write_default) {
    ASSIGN_OR_RETURN(place.in_default, IsWithin(path, FolderKind::kDefault));
  }
  if (options_.profile.user_folders_only_below_root) {
    ASSIGN_OR_RETURN(place.in_root, IsWithin(path, FolderKind::kRoot));
  }
  return place;
}

Result<model::Place> FolderTree::PlaceOf(const schema::FolderRow& row) const {
  model::Place place{.kind = static_cast<FolderKind>(row.kind), .one_to_one = IsOneToOne(row)};
  if (!options_.profile.owner_may_write_default) {
    ASSIGN_OR_RETURN(place.in_default, IsWithin(row.path, FolderKind::kDefault));
  }
  return place;
}

Result<> FolderTree::DemandOn(const schema::FolderNameRow& name, Rights needed) const {
  if (actor_.role == Role::kOperator) return {};  // spares the read
  if (name.folder.value == 0) {
    // It has no list, so it is its owner's.
    if (actor_.guest) return Fail(Errc::kNoSuchFolder);
    return {};
  }
  ASSIGN_OR_RETURN(const auto row, txn_.Folder(name.folder));
  ASSIGN_OR_RETURN(const Rights have, RightsIn(name.folder, row));
  return Demand(have, needed);
}

Result<> FolderTree::DemandCreate(std::string_view path) const {
  for (path = protocol::ParentName(path); !path.empty(); path = protocol::ParentName(path)) {
    ASSIGN_OR_RETURN(const auto superior, Find(path));
    if (superior && superior->folder.value != 0) return DemandOn(*superior, Right::kCreate);
  }
  if (actor_.guest) return Fail(Errc::kNoSuchFolder);
  return {};
}

Result<FolderId> FolderTree::Make(std::string_view path, FolderKind kind, SpecialUse use, Identity identity) {
  ASSIGN_OR_RETURN(const ModSeq modseq, txn_.NextModSeq());
  ASSIGN_OR_RETURN(auto account, txn_.Account());
  if (account.folders >= options_.max_folders) {
    return Fail(Errc::kLimit,
                fmt::format("An account holds at most {} folders; delete some first", options_.max_folders));
  }
  RETURN_IF_ERROR(CheckFolderQuota(account.quota, std::uint64_t{account.folders} + 1));
  const FolderId id{account.next_folder++};
  schema::FolderRow row;
  row.path = path;
  row.kind = Stored(kind);
  row.use = use;
  row.uid_validity = {account.next_uid_validity++};
  row.highest_modseq = modseq;
  row.created = txn_.now();
  row.conversation_id = std::move(identity.conversation_id);
  row.contribution_id = std::move(identity.contribution_id);
  ++account.folders;
  txn_.PutAccount(std::move(account));
  txn_.PutFolder(id, row);
  if (const auto above = protocol::ParentName(path); !above.empty()) {
    ASSIGN_OR_RETURN(const auto superior, Find(above));
    if (superior && superior->folder.value != 0) RETURN_IF_ERROR(InheritAcl(txn_, superior->folder, id, row));
  }
  PutName(path, {id, row.kind, use});
  txn_.Announce(actor_.origin, FolderCreated{id, std::string(path), SummaryOf(row)});
  return id;
}

Result<FolderId> FolderTree::MakeBelow(const model::Place& superior, std::string_view path,
                                       std::optional<FolderKind> kind, SpecialUse use, Identity identity) {
  if (!kind) kind = model::KindBelow(superior.kind);
  RETURN_IF_ERROR(model::MayCreate(*kind, superior, Asker()));
  if (kind == FolderKind::kConversation && identity.conversation_id.empty()) {
    // A name tells a peer by its address. A Conversation-ID is not read off it: names may be encoded.
    if (auto peer = protocol::cpm::Canonical(LastPart(path))) {
      if (*peer != LastPart(path)) {
        return Fail(Errc::kNotAllowed,
                    fmt::format("The folder of the conversation with this peer is named \"{}\"", *peer));
      }
      identity.conversation_id = *std::move(peer);
    }
  }
  return Make(path, *kind, use, std::move(identity));
}

Result<model::Place> FolderTree::MakeSuperiors(std::string_view path) {
  std::optional<schema::FolderNameRow> last;
  std::string_view superior;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    const std::string_view next = path.substr(0, slash);
    ASSIGN_OR_RETURN(auto name, Find(next));
    if (!name) {
      ASSIGN_OR_RETURN(const model::Place place, PlaceOf(superior, last));
      RETURN_IF_ERROR(MakeBelow(place, next, std::nullopt, SpecialUse::kNone));
      ASSIGN_OR_RETURN(name, Find(next));
    }
    superior = next;
    last = name;
  }
  return PlaceOf(superior, last);
}

Result<FolderId> FolderTree::Create(std::string_view path, std::optional<FolderKind> kind, SpecialUse use) {
  RETURN_IF_ERROR(DemandCreate(path));
  ASSIGN_OR_RETURN(const auto name, Find(path));
  if (name && name->folder.value != 0) return Fail(Errc::kFolderExists);
  ASSIGN_OR_RETURN(const model::Place superior, MakeSuperiors(path));
  return MakeBelow(superior, path, kind, use);
}

Result<FolderId> FolderTree::Create(std::string_view path, SpecialUse use) {
  return Create(path, std::nullopt, use);
}

Result<FolderId> FolderTree::CreateAs(FolderKind kind, std::string_view path, SpecialUse use) {
  return Create(path, std::optional(kind), use);
}

Result<FolderId> FolderTree::Establish(FolderKind kind, std::string_view path) {
  ASSIGN_OR_RETURN(auto name, Find(path));
  if (!name || name->folder.value == 0) return CreateAs(kind, path);
  if (KindOf(*name) == kind) return name->folder;
  ASSIGN_OR_RETURN(auto row, txn_.Folder(name->folder));
  row.kind = name->kind = Stored(kind);
  if (kind == FolderKind::kConversation && row.conversation_id.empty())
    row.conversation_id = protocol::cpm::Canonical(LastPart(path)).value_or("");
  txn_.PutFolder(name->folder, row);
  PutName(path, *name);
  return name->folder;
}

Result<> FolderTree::DropFolder(FolderId id, std::string_view path) {
  ASSIGN_OR_RETURN(const auto folder, txn_.Folder(id));
  if (folder.kind == Stored(FolderKind::kConversation)) ForgetMoved();
  RETURN_IF_ERROR(ForgetAnnotations(txn_, id));
  RETURN_IF_ERROR(DropAcl(txn_, id, folder));
  RETURN_IF_ERROR(ForgetUrlKey(txn_, id));
  ASSIGN_OR_RETURN(auto account, txn_.Account());
  --account.folders;
  account.used_octets -= folder.octets;
  account.used_messages -= folder.messages;
  txn_.PutAccount(std::move(account));
  txn_.Erase(Table::kFolders, schema::FolderKey{txn_.account(), id}.Encode());
  txn_.Put(Table::kIntents,
           schema::IntentKey{txn_.account(), schema::IntentKind::kDropFolder, id.value}.Encode(),
           schema::MarkerRow());
  txn_.Announce(actor_.origin, FolderDeleted{id, std::string(path)});
  return {};
}

Result<std::vector<FolderId>> FolderTree::Delete(std::string_view path) {
  ASSIGN_OR_RETURN(const auto name, Find(path));
  if (!name) return Fail(Errc::kNoSuchFolder);
  RETURN_IF_ERROR(DemandOn(*name, Right::kDeleteMailbox));
  ASSIGN_OR_RETURN(const bool inferiors, HasInferiors(path));
  if (name->folder.value == 0) return Fail(inferiors ? Errc::kFolderHasChildren : Errc::kNoSuchFolder);
  RETURN_IF_ERROR(model::MayDelete(KindOf(*name)));

  std::vector<FolderId> dropped{name->folder};
  RETURN_IF_ERROR(txn_.NextModSeq());
  if (inferiors && KindOf(*name) != FolderKind::kConversation) {
    RETURN_IF_ERROR(DropFolder(name->folder, path));
    PutName(path, {});
    return dropped;
  }
  if (inferiors) {
    // One commit, however many: three small rows each, as many as a RENAME writes. Their messages go later.
    ASSIGN_OR_RETURN(const auto sessions, Inferiors(path));
    for (const Name& session : sessions) {
      if (session.row.folder.value != 0) {
        // RFC 4314 §4: each has its own list. One that denies it keeps all, as nothing is committed.
        const auto may = DemandOn(session.row, Right::kDeleteMailbox);
        // The folder that is named is there, whatever may be seen of those below it.
        if (!may && may.error().code == Errc::kNoSuchFolder) return Fail(Errc::kNoPermission);
        RETURN_IF_ERROR(may);
        RETURN_IF_ERROR(DropFolder(session.row.folder, session.path));
        dropped.push_back(session.row.folder);
      }
      EraseName(session.path);
    }
  }
  RETURN_IF_ERROR(DropFolder(name->folder, path));
  EraseName(path);
  RETURN_IF_ERROR(PruneSuperiors(path));
  return dropped;
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

Result<> FolderTree::CheckRename(const Name& source, const std::vector<Name>& inferiors, std::string_view to,
                                 const model::Place& to_superior) const {
  const bool in_place = protocol::ParentName(source.path) == protocol::ParentName(to);
  RETURN_IF_ERROR(model::MayRename(KindOf(source.row), to_superior, in_place, Asker()));
  for (const Name& inferior : inferiors) RETURN_IF_ERROR(model::MayFollow(KindOf(inferior.row)));
  return {};
}

Result<> FolderTree::Rename(std::string_view from, std::string_view to) {
  ASSIGN_OR_RETURN(const auto source, Find(from));
  if (!source) return Fail(Errc::kNoSuchFolder);
  RETURN_IF_ERROR(DemandOn(*source, Right::kDeleteMailbox));
  RETURN_IF_ERROR(DemandCreate(to));
  if (IsInferior(to, from)) return Fail(Errc::kNotAllowed, "A folder cannot be moved below itself");
  ASSIGN_OR_RETURN(const auto target, Find(to));
  if (target) return Fail(Errc::kFolderExists);

  RETURN_IF_ERROR(txn_.NextModSeq());
  ASSIGN_OR_RETURN(auto moved, Inferiors(from));
  const Name name{std::string(from), *source};
  ASSIGN_OR_RETURN(const model::Place to_superior, MakeSuperiors(to));
  RETURN_IF_ERROR(CheckRename(name, moved, to, to_superior));
  moved.insert(moved.begin(), name);
  RETURN_IF_ERROR(Move(moved, from, to));
  // Who keeps a conversation has accessed what is in it (spec note 6).
  if (KindOf(*source) != FolderKind::kConversation || !ActsAsOwner(actor_)) return {};
  for (const Name& one : moved) {
    if (one.row.folder.value == 0) continue;
    RETURN_IF_ERROR(MakePermanent(txn_, one.row.folder, UidSet(Uid{1}, protocol::kMaxUid)));
  }
  return {};
}

Result<> FolderTree::RenameUnasked(std::string_view from, std::string_view to) {
  ASSIGN_OR_RETURN(const auto source, Find(from));
  if (!source) return Fail(Errc::kNoSuchFolder);
  RETURN_IF_ERROR(txn_.NextModSeq());
  ASSIGN_OR_RETURN(auto moved, Inferiors(from));
  RETURN_IF_ERROR(MakeSuperiors(to));
  moved.insert(moved.begin(), {std::string(from), *source});
  return Move(moved, from, to);
}

Result<> FolderTree::Move(const std::vector<Name>& names, std::string_view from, std::string_view to) {
  for (const auto& [path, row] : names) {
    const std::string renamed = fmt::format("{}{}", to, std::string_view(path).substr(from.size()));
    if (protocol::CheckMailboxName(renamed) != protocol::NameFault::kNone) {
      return Fail(Errc::kLimit, "The name of a folder below would become too long");
    }
    EraseName(path);
    PutName(renamed, row);
    const std::size_t below = path.size() - from.size();
    if (row.folder.value == 0) {
      if (below == 0) txn_.Announce(actor_.origin, FolderRenamed{{}, path, renamed});
      continue;
    }
    if (KindOf(row) == FolderKind::kConversation) ForgetMoved();
    if (ActsAsOwner(actor_))
      RETURN_IF_ERROR(MakePermanent(txn_, row.folder, UidSet(Uid{1}, protocol::kMaxUid)));
    ASSIGN_OR_RETURN(auto folder, txn_.Folder(row.folder));
    folder.path = renamed;
    txn_.PutFolder(row.folder, folder);
    RETURN_IF_ERROR(NoteFormerPath(txn_, row.folder, path));
    txn_.Announce(actor_.origin, FolderRenamed{row.folder, path, renamed, below, SummaryOf(folder)});
  }
  return PruneSuperiors(from);
}

Result<std::string> FolderTree::DefaultFolder() const {
  return FindDefaultFolder(txn_, txn_.account(), options_.profile.default_folder);
}

Result<std::optional<FolderId>> FolderTree::Identify(std::string_view path,
                                                     std::string schema::FolderRow::* id,
                                                     std::string_view identity) {
  ASSIGN_OR_RETURN(const auto name, Find(path));
  if (!name || name->folder.value == 0) return std::optional<FolderId>{};
  ASSIGN_OR_RETURN(auto row, txn_.Folder(name->folder));
  if (row.*id == identity) return std::optional(name->folder);
  // Made by its name alone; any other was renamed to it.
  if (!(row.*id).empty())
    return Fail(Errc::kFolderExists, fmt::format("the folder of this name is that of {}", row.*id));
  row.*id = identity;
  txn_.PutFolder(name->folder, row);
  return std::optional(name->folder);
}

Result<std::shared_ptr<const MovedConversations::ByIdentity>> FolderTree::ReadMoved() const {
  ASSIGN_OR_RETURN(const std::string home, DefaultFolder());
  auto moved = std::make_shared<MovedConversations::ByIdentity>();
  Result<> bad;
  const std::string prefix = schema::AccountPrefix(txn_.account());
  RETURN_IF_ERROR(txn_.Scan(
      Table::kFolders, prefix, kv::PrefixEnd(prefix), [&](std::string_view key, std::string_view value) {
        const auto at = schema::FolderKey::Decode(key);
        auto row = schema::FolderRow::Decode(value);
        if (!at || !row) {
          bad = Fail(Errc::kCorruption, "folder does not decode");
        } else if (row->kind == Stored(FolderKind::kConversation) && !row->conversation_id.empty()) {
          const auto name = NameOf(row->conversation_id);
          if (!name || row->path != fmt::format("{}/{}", home, *name))
            (*moved)[std::move(row->conversation_id)] = at->folder;
        }
        return bad.has_value();
      }));
  RETURN_IF_ERROR(bad);
  return std::shared_ptr<const MovedConversations::ByIdentity>(std::move(moved));
}

Result<std::optional<FolderId>> FolderTree::FindMoved(std::string_view identity) const {
  MovedConversations* memory = txn_.moved_conversations();
  auto moved = memory != nullptr ? memory->Find(txn_.account()) : nullptr;
  if (!moved) {
    ASSIGN_OR_RETURN(moved, ReadMoved());
    if (memory != nullptr && txn_.SeesCommittedOnly()) memory->Keep(txn_.account(), moved);
  }
  const auto found = moved->find(identity);
  if (found == moved->end()) return std::optional<FolderId>{};
  return std::optional(found->second);
}

void FolderTree::ForgetMoved() const {
  if (auto* memory = txn_.moved_conversations()) memory->Forget(txn_.account());
}

Result<FolderId> FolderTree::CreateConversation(std::string_view identity) {
  const auto name = NameOf(identity);
  if (!name)
    return Fail(Errc::kInvalidArgument, fmt::format("No conversation is named so: {}", name.error().text));
  ASSIGN_OR_RETURN(const std::string folder, DefaultFolder());
  if (folder.empty()) return Fail(Errc::kNotAllowed, "The account has no default folder to record into");
  const std::string path = fmt::format("{}/{}", folder, *name);
  RETURN_IF_ERROR(CheckName(path));
  ASSIGN_OR_RETURN(const auto known, Identify(path, &schema::FolderRow::conversation_id, identity));
  if (known) return *known;
  ASSIGN_OR_RETURN(const auto moved, FindMoved(identity));
  if (moved) return *moved;
  ASSIGN_OR_RETURN(const auto superior, Find(folder));
  ASSIGN_OR_RETURN(const model::Place place, PlaceOf(folder, superior));
  return MakeBelow(place, path, std::nullopt, SpecialUse::kNone, {std::string(identity), {}});
}

Result<FolderId> FolderTree::CreateSession(FolderId conversation, std::string_view contribution_id) {
  const auto name = protocol::cpm::FolderNameOfId(contribution_id);
  if (!name)
    return Fail(Errc::kInvalidArgument, fmt::format("No session is named so: {}", name.error().text));
  ASSIGN_OR_RETURN(const auto row, txn_.Folder(conversation));
  const std::string path = fmt::format("{}/{}", row.path, *name);
  RETURN_IF_ERROR(CheckName(path));
  ASSIGN_OR_RETURN(const auto known, Identify(path, &schema::FolderRow::contribution_id, contribution_id));
  if (known) return *known;
  ASSIGN_OR_RETURN(const model::Place place, PlaceOf(row));
  return MakeBelow(place, path, FolderKind::kSession, SpecialUse::kNone,
                   {row.conversation_id, std::string(contribution_id)});
}

}  // namespace storage
