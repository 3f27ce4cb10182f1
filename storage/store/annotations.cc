// GetAnnotations and SetAnnotations: METADATA (RFC 5464) as the store sees it.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "protocol/model/metadata_entry.h"
#include "storage/store/annotation_edit.h"
#include "storage/store/annotation_rules.h"
#include "storage/store/core.h"
#include "storage/store/default_folder.h"
#include "storage/store/folder_tree.h"
#include "storage/store/rights.h"

namespace storage {
namespace {

using kv::Table;
using protocol::MetadataDepth;
using protocol::MetadataNameUse;
using schema::AnnotationKey;
using schema::AnnotationRow;

/// Front ends check names too, to say so in their own words; what gets here may have come from anywhere.
Result<> CheckEntryName(std::string_view name, MetadataNameUse use) {
  const auto fault = protocol::MetadataNameFault(name, use);
  if (fault.empty()) return {};
  return Fail(Errc::kInvalidArgument, fmt::format("\"{}\" is no name of an entry: expected {}", name, fault));
}

AccountId ViewerOf(std::string_view entry, AccountId viewer) {
  return protocol::IsPrivateMetadata(entry) ? viewer : AccountId{};
}

/// One query of one scope.
class Reading {
 public:
  Reading(const kv::View& view, FolderRef ref, const AnnotationScope& scope, const AnnotationQuery& query,
          AccountId viewer)
      : view_(view), ref_(ref), scope_(scope), query_(query), viewer_(viewer) {}

  Result<AnnotationAnswer> Run() {
    const bool below = query_.depth != MetadataDepth::kEntry;
    const auto use = below ? MetadataNameUse::kRoot : MetadataNameUse::kEntry;
    for (const auto& entry : query_.entries) RETURN_IF_ERROR(CheckEntryName(entry, use));
    for (const auto& entry : query_.entries) {
      RETURN_IF_ERROR(Named(entry));
      if (below) RETURN_IF_ERROR(Below(entry));
    }
    return std::move(answer_);
  }

 private:
  void Found(std::string_view name, std::optional<std::string> value, bool kept) {
    if (!told_.insert(protocol::MetadataKey(name)).second) return;
    if (value && query_.max_size && value->size() > *query_.max_size) {
      answer_.longest_left_out = std::max<std::uint64_t>(answer_.longest_left_out, value->size());
      return;
    }
    answer_.found.push_back({std::string(name), std::move(value), kept});
  }

  Result<std::optional<std::string>> Stored(std::string_view entry) const {
    const AnnotationKey key{ref_.account, ref_.folder, protocol::MetadataKey(entry),
                            ViewerOf(entry, viewer_)};
    ASSIGN_OR_RETURN(const auto value, view_.Get(Table::kAnnotations, key.Encode()));
    if (!value) return std::optional<std::string>{};
    ASSIGN_OR_RETURN(const auto row, AnnotationRow::Decode(*value));
    return std::optional<std::string>(row.value);
  }

  Result<> Named(std::string_view entry) {
    const KeptEntry* kept = FindKept(scope_, entry);
    std::optional<std::string> value;
    if (kept != nullptr) value = ComputeEntry(scope_, *kept);
    if (!value && (kept == nullptr || !kept->computed)) {
      ASSIGN_OR_RETURN(value, Stored(kept != nullptr ? kept->name : entry));
    }
    if (value || query_.depth == MetadataDepth::kEntry) Found(entry, std::move(value), kept != nullptr);
    return {};
  }

  /// What is stored and what is computed below `root`, in the order of their names.
  Result<> Below(std::string_view root) {
    const std::string prefix = protocol::MetadataKey(root) + '/';
    std::map<std::string, Annotation> below;
    Result<> bad;
    const std::string first = AnnotationKey::Prefix(ref_.account, ref_.folder, prefix);
    RETURN_IF_ERROR(view_.Scan(Table::kAnnotations, first, kv::PrefixEnd(first),
                               [&](std::string_view encoded, std::string_view value) {
                                 auto key = AnnotationKey::Decode(encoded);
                                 const auto row = AnnotationRow::Decode(value);
                                 if (!key || !row) {
                                   bad = tl::unexpected<Error>(key ? row.error() : key.error());
                                   return false;
                                 }
                                 if (key->viewer != ViewerOf(key->entry, viewer_) ||
                                     !InReach(key->entry, prefix))
                                   return true;
                                 below[key->entry] = {std::string(row->name), std::string(row->value),
                                                      FindKept(scope_, row->name) != nullptr};
                                 return true;
                               }));
    RETURN_IF_ERROR(bad);
    for (const KeptEntry* kept : ComputedEntries(scope_)) {
      std::string key = protocol::MetadataKey(kept->name);
      if (key.starts_with(prefix) && InReach(key, prefix))
        below[std::move(key)] = {std::string(kept->name), ComputeEntry(scope_, *kept), true};
    }
    for (auto& [key, annotation] : below)
      Found(annotation.entry, std::move(annotation.value), annotation.kept);
    return {};
  }

  bool InReach(std::string_view key, std::string_view prefix) const {
    return query_.depth == MetadataDepth::kInfinity || key.find('/', prefix.size()) == std::string_view::npos;
  }

  const kv::View& view_;
  const FolderRef ref_;
  const AnnotationScope& scope_;
  const AnnotationQuery& query_;
  const AccountId viewer_;
  AnnotationAnswer answer_;
  std::set<std::string> told_;
};

/// A name without a folder has no place for them.
tl::unexpected<Error> NoFolder(const std::optional<schema::FolderNameRow>& name, const Actor& actor) {
  if (!name || actor.guest) return Fail(Errc::kNoSuchFolder);
  return Fail(Errc::kNotAllowed, "This name has no mailbox, only inferiors, so it holds no entries");
}

Result<AnnotationAnswer> ReadFolder(MailStore::Core& core, const kv::View& view, FolderRef ref,
                                    const AnnotationQuery& query, AccountId viewer, const Actor& actor) {
  ASSIGN_OR_RETURN(const auto value,
                   view.Get(Table::kFolders, schema::FolderKey{ref.account, ref.folder}.Encode()));
  if (!value) return Fail(Errc::kNoSuchFolder);
  ASSIGN_OR_RETURN(const auto row, schema::FolderRow::Decode(*value));
  ASSIGN_OR_RETURN(const Rights rights, RightsOf(view, ref, row, actor));
  RETURN_IF_ERROR(DemandAnnotations(rights, /*set_shared=*/false));
  const AnnotationScope scope{.profile = core.options.profile, .folder = &row};
  return Reading(view, ref, scope, query, viewer).Run();
}

/// Blocks others' changes of the account: runs in its lane.
class Setting {
 public:
  Setting(AccountTxn& txn, const StoreOptions& options, std::string_view path, AccountId viewer, Actor actor)
      : txn_(txn), options_(options), path_(path), viewer_(viewer), actor_(actor) {}

  Result<> Run(const std::vector<AnnotationChange>& changes) {
    RETURN_IF_ERROR(txn_.Account());
    RETURN_IF_ERROR(FindScope());
    RETURN_IF_ERROR(CheckRights(changes));
    const AnnotationScope scope{.profile = options_.profile, .folder = row_ ? &*row_ : nullptr};
    for (const auto& change : changes) RETURN_IF_ERROR(CheckMaySet(scope, change.entry, actor_.role));
    for (const auto& change : changes) RETURN_IF_ERROR(CheckSize(change));
    ASSIGN_OR_RETURN(auto edit, AnnotationEdit::Load(txn_, folder_));
    std::vector<std::string> names;
    for (const auto& change : changes) {
      const KeptEntry* kept = FindKept(scope, change.entry);
      const std::string name(kept != nullptr ? kept->name : change.entry);
      ASSIGN_OR_RETURN(const bool changed, edit.Set(name, ViewerOf(name, viewer_), change.value));
      if (changed && std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    if (names.empty()) return {};
    RETURN_IF_ERROR(edit.Save(options_));
    ASSIGN_OR_RETURN(const ModSeq modseq, txn_.NextModSeq());
    // RFC 7162 §3.2: an entry of a mailbox is a part of it.
    if (row_) {
      row_->highest_modseq = modseq;
      txn_.PutFolder(folder_, *row_);
    }
    txn_.Announce(actor_.origin, AnnotationsChanged{folder_, std::string(path_), std::move(names), viewer_,
                                                    row_ ? row_->owner_rights : std::nullopt});
    return {};
  }

 private:
  Result<> FindScope() {
    if (path_.empty()) return {};
    ASSIGN_OR_RETURN(const auto name, FolderTree(txn_, options_, actor_).Find(path_));
    if (!name || name->folder.value == 0) return NoFolder(name, actor_);
    folder_ = name->folder;
    ASSIGN_OR_RETURN(row_, txn_.Folder(folder_));
    return {};
  }

  Result<> CheckRights(const std::vector<AnnotationChange>& changes) const {
    if (!row_) return {};
    ASSIGN_OR_RETURN(const Rights rights, RightsOf(txn_, {txn_.account(), folder_}, *row_, actor_));
    return DemandAnnotations(rights, std::ranges::any_of(changes, [](const AnnotationChange& change) {
                               return !protocol::IsPrivateMetadata(change.entry);
                             }));
  }

  Result<> CheckSize(const AnnotationChange& change) const {
    const std::uint64_t limit = options_.max_annotation_octets;
    if (!change.value || change.value->size() <= limit) return {};
    return tl::unexpected<Error>(Error{
        Errc::kAnnotationTooBig, fmt::format("The value of an entry holds at most {} octets", limit), limit});
  }

  AccountTxn& txn_;
  const StoreOptions& options_;
  const std::string_view path_;
  const AccountId viewer_;
  const Actor actor_;
  FolderId folder_ = schema::kServerAnnotations;
  std::optional<schema::FolderRow> row_;
};

}  // namespace

Result<AnnotationAnswer> MailStore::GetAnnotations(AccountId account, std::string_view path,
                                                   const AnnotationQuery& query, AccountId viewer,
                                                   const Actor& actor) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  const auto view = core_->engine.OpenView();
  if (path.empty()) {
    const Profile& profile = core_->options.profile;
    ASSIGN_OR_RETURN(std::string default_folder, FindDefaultFolder(*view, account, profile.default_folder));
    const AnnotationScope scope{.profile = profile, .default_folder = std::move(default_folder)};
    return Reading(*view, {account, schema::kServerAnnotations}, scope, query, viewer).Run();
  }
  if (!schema::PathKey::IsPath(path)) return Fail(Errc::kNoSuchFolder);
  ASSIGN_OR_RETURN(const auto value,
                   view->Get(Table::kFolderNames, schema::PathKey{account, std::string(path)}.Encode()));
  if (!value) return Fail(Errc::kNoSuchFolder);
  ASSIGN_OR_RETURN(const auto name, schema::FolderNameRow::Decode(*value));
  if (name.folder.value == 0) return NoFolder(name, actor);
  return ReadFolder(*core_, *view, {account, name.folder}, query, viewer, actor);
}

Result<AnnotationAnswer> MailStore::GetAnnotations(FolderRef folder, const AnnotationQuery& query,
                                                   AccountId viewer, const Actor& actor) {
  RETURN_IF_ERROR(core_->deleted.Check(folder.account));
  return ReadFolder(*core_, *core_->engine.OpenView(), folder, query, viewer, actor);
}

Result<> MailStore::SetAnnotations(AccountId account, std::string_view path,
                                   const std::vector<AnnotationChange>& changes, AccountId viewer,
                                   Actor actor) {
  for (const auto& change : changes) RETURN_IF_ERROR(CheckEntryName(change.entry, MetadataNameUse::kEntry));
  return core_->lanes.Run(account, [&](AccountTxn& txn) {
    return Setting(txn, core_->options, path, viewer, actor).Run(changes);
  });
}

}  // namespace storage
