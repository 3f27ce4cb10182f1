#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store/account_txn.h"
#include "storage/store/folder.h"
#include "storage/store/mail_store.h"
#include "storage/store/model_rules.h"
#include "storage/store/rights.h"

namespace storage {

/// The names of one account within one transaction: the only code that writes `folder_names` and a folder's
/// kind. What the model forbids it refuses (model_rules.h).
class FolderTree {
 public:
  FolderTree(AccountTxn& txn, const StoreOptions& options, Actor actor)
      : txn_(txn), options_(options), actor_(std::move(actor)) {}

  /// nullopt: no such name.
  Result<std::optional<schema::FolderNameRow>> Find(std::string_view path) const;
  /// The folder of a name that can be selected; kNoSuchFolder otherwise.
  Result<FolderId> Resolve(std::string_view path) const;
  Result<bool> HasInferiors(std::string_view path) const;
  struct Name {
    std::string path;
    schema::FolderNameRow row;
  };
  /// The names below `path`, in path order.
  Result<std::vector<Name>> Inferiors(std::string_view path) const;

  /// Where the folder with this row stands, for the rules about what is written into it.
  Result<model::Place> PlaceOf(const schema::FolderRow& row) const;
  model::Asker Asker() const { return {actor_.role, options_.profile}; }

  /// What the actor may do with the folder of this row.
  Result<Rights> RightsIn(FolderId folder, const schema::FolderRow& row) const {
    return RightsOf(txn_, {txn_.account(), folder}, row, actor_);
  }
  /// RFC 4314 §4: CREATE and RENAME need `k` on the nearest superior there is; the top of an account is its
  /// owner's.
  Result<> DemandCreate(std::string_view path) const;

  /// With all superiors that are missing, each of the kind that its own superior makes it. A \Noselect name
  /// becomes a folder again. kFolderExists, kLimit, and what the model refuses.
  Result<FolderId> Create(std::string_view path, protocol::SpecialUse use);
  /// As a folder of another kind than its place makes it.
  Result<FolderId> CreateAs(FolderKind kind, std::string_view path, protocol::SpecialUse use = {});
  /// The folder of this path is of this kind from now on, and is made if it is missing. For what is made with
  /// an account, and for stores from before kinds.
  Result<FolderId> Establish(FolderKind kind, std::string_view path);
  /// The folders deleted: the conversation's session folders go with it. Other inferiors stay, and the name
  /// with them, as \Noselect (RFC 3501 §6.3.4).
  Result<std::vector<FolderId>> Delete(std::string_view path);
  /// Inferiors follow. Not for INBOX.
  Result<> Rename(std::string_view from, std::string_view to);
  /// Rename(), but what the model says of it: for stores from before the model.
  Result<> RenameUnasked(std::string_view from, std::string_view to);

  /// Path of the account's default folder; empty if it has none.
  Result<std::string> DefaultFolder() const;
  /// The conversation's folder: in the default folder, or wherever it was moved; made if there is none.
  /// `identity`: the peer's canonical address, or the Conversation-ID of a group. kInvalidArgument: no folder
  /// can be named by it; kFolderExists: its name is another conversation's.
  Result<FolderId> CreateConversation(std::string_view identity);
  /// The session's folder in the folder of a group conversation, made if it is missing. Errors likewise.
  Result<FolderId> CreateSession(FolderId conversation, std::string_view contribution_id);

 private:
  Result<> DemandOn(const schema::FolderNameRow& name, Rights needed) const;
  /// What a conversation or session folder stands for.
  struct Identity {
    std::string conversation_id;
    std::string contribution_id;
  };
  Result<FolderId> Make(std::string_view path, FolderKind kind, protocol::SpecialUse use, Identity identity);
  /// Make(), if the model lets it be there. `kind`: if other than its place makes it.
  Result<FolderId> MakeBelow(const model::Place& superior, std::string_view path,
                             std::optional<FolderKind> kind, protocol::SpecialUse use,
                             Identity identity = {});
  Result<FolderId> Create(std::string_view path, std::optional<FolderKind> kind, protocol::SpecialUse use);
  /// Makes those that are missing; the place of the last.
  Result<model::Place> MakeSuperiors(std::string_view path);
  /// Of a name and its row; nullopt: of the root of all names.
  Result<model::Place> PlaceOf(std::string_view path, const std::optional<schema::FolderNameRow>& name) const;
  /// True if the folder at `path`, or one above it, is of this kind.
  Result<bool> IsWithin(std::string_view path, FolderKind kind) const;
  Result<> CheckRename(const Name& source, const std::vector<Name>& inferiors, std::string_view to,
                       const model::Place& to_superior) const;
  Result<> DropFolder(FolderId folder, std::string_view path);
  Result<> Move(const std::vector<Name>& names, std::string_view from, std::string_view to);
  /// \Noselect superiors that have no inferiors left serve nobody.
  Result<> PruneSuperiors(std::string_view path);
  /// The folder of this path if it has this identity, or takes it on; nullopt: there is none.
  Result<std::optional<FolderId>> Identify(std::string_view path, std::string schema::FolderRow::* id,
                                           std::string_view identity);
  /// The conversation folder of this identity that is not where its identity would put it: remembered, or
  /// found by reading all folders of the account. The newest of several.
  Result<std::optional<FolderId>> FindMoved(std::string_view identity) const;
  Result<std::shared_ptr<const MovedConversations::ByIdentity>> ReadMoved() const;
  void ForgetMoved() const;
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
Result<> AddCounts(const kv::View& view, const StatusCounts& counts, const schema::FolderRow& row,
                   FolderStatus& status);

}  // namespace storage
