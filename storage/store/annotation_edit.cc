#include "storage/store/annotation_edit.h"

#include <fmt/format.h>

#include "protocol/model/metadata_entry.h"
#include "storage/store/quota.h"

namespace storage {
namespace {

using kv::Table;
using schema::AnnotationKey;
using schema::AnnotationRow;
using schema::AnnotationUseRow;

Result<AnnotationUseRow> UseOf(const AccountTxn& txn, FolderId folder) {
  ASSIGN_OR_RETURN(const auto value,
                   txn.Get(Table::kAnnotations, AnnotationKey::Use(txn.account(), folder).Encode()));
  if (!value) return AnnotationUseRow{};
  return AnnotationUseRow::Decode(*value);
}

void PutUse(AccountTxn& txn, FolderId folder, const AnnotationUseRow& use) {
  const std::string key = AnnotationKey::Use(txn.account(), folder).Encode();
  if (use.entries == 0)
    txn.Erase(Table::kAnnotations, key);
  else
    txn.Put(Table::kAnnotations, key, use.Encode());
}

std::string_view NameOf(ServerAnnotation name) {
  switch (name) {
    case ServerAnnotation::kSessionInfo: return "/shared/vendor/vendor.oma/cpm/SessionInfo";
    case ServerAnnotation::kGroupState: return "/shared/vendor/vendor.oma/cpm/GroupState";
    case ServerAnnotation::kParticipants: return "/shared/vendor/vendor.oma/cpm/Participants";
  }
  return "";
}

}  // namespace

Result<AnnotationEdit> AnnotationEdit::Load(AccountTxn& txn, FolderId folder) {
  AnnotationEdit edit(txn, folder);
  ASSIGN_OR_RETURN(edit.scope_, UseOf(txn, folder));
  ASSIGN_OR_RETURN(edit.account_, UseOf(txn, schema::kAllAnnotations));
  edit.scope_before_ = edit.scope_;
  edit.account_before_ = edit.account_;
  return edit;
}

void AnnotationEdit::Count(std::uint64_t added_octets, std::uint64_t removed_octets, int entries) {
  for (AnnotationUseRow* use : {&scope_, &account_}) {
    use->entries += static_cast<std::uint64_t>(entries);  // modulo 2^64, so -1 subtracts
    use->octets += added_octets - removed_octets;
  }
}

Result<bool> AnnotationEdit::Set(std::string_view name, AccountId viewer,
                                 const std::optional<std::string>& value) {
  const std::string key =
      AnnotationKey{txn_->account(), folder_, protocol::MetadataKey(name), viewer}.Encode();
  ASSIGN_OR_RETURN(const auto before, txn_->Get(Table::kAnnotations, key));
  std::uint64_t octets_before = 0;
  if (before) {
    ASSIGN_OR_RETURN(const auto row, AnnotationRow::Decode(*before));
    if (value && row.value == *value) return false;
    octets_before = row.name.size() + row.value.size();
  } else if (!value) {
    return false;
  }
  if (value) {
    txn_->Put(Table::kAnnotations, key, AnnotationRow{name, *value}.Encode());
    Count(name.size() + value->size(), octets_before, before ? 0 : 1);
  } else {
    txn_->Erase(Table::kAnnotations, key);
    Count(0, octets_before, -1);
  }
  return true;
}

Result<> AnnotationEdit::CopyFrom(FolderId from) {
  const std::string prefix = AnnotationKey::Prefix(txn_->account(), from, "/");
  std::vector<std::pair<std::string, std::string>> copies;  // written after the scan of what they come from
  Result<> bad;
  RETURN_IF_ERROR(txn_->Scan(Table::kAnnotations, prefix, kv::PrefixEnd(prefix),
                             [&](std::string_view encoded, std::string_view value) {
                               auto key = AnnotationKey::Decode(encoded);
                               const auto row = AnnotationRow::Decode(value);
                               if (!key || !row) {
                                 bad = tl::unexpected<Error>(key ? row.error() : key.error());
                                 return false;
                               }
                               key->folder = folder_;
                               copies.emplace_back(key->Encode(), value);
                               Count(row->name.size() + row->value.size(), 0, 1);
                               return true;
                             }));
  RETURN_IF_ERROR(bad);
  for (const auto& [key, value] : copies) txn_->Put(Table::kAnnotations, key, value);
  return {};
}

Result<> AnnotationEdit::Save(const StoreOptions& options) {
  if (scope_.entries > options.max_annotations && scope_.entries > scope_before_.entries) {
    return Fail(Errc::kTooManyAnnotations,
                fmt::format("{} at most {} entries; remove some first",
                            folder_ == schema::kServerAnnotations ? "The server holds" : "A mailbox holds",
                            options.max_annotations));
  }
  if (account_.octets > options.max_account_annotation_octets && account_.octets > account_before_.octets) {
    return Fail(Errc::kTooManyAnnotations,
                fmt::format("An account's entries hold at most {} octets; remove some first",
                            options.max_account_annotation_octets));
  }
  if (account_.octets > account_before_.octets) {
    ASSIGN_OR_RETURN(const auto row, txn_->Account());
    RETURN_IF_ERROR(CheckAnnotationQuota(row.quota, account_.octets));
  }
  Save();
  return {};
}

void AnnotationEdit::Save() {
  PutUse(*txn_, folder_, scope_);
  PutUse(*txn_, schema::kAllAnnotations, account_);
}

Result<schema::AnnotationUseRow> UseOfAnnotations(const kv::View& view, AccountId account) {
  ASSIGN_OR_RETURN(const auto value, view.Get(Table::kAnnotations,
                                              AnnotationKey::Use(account, schema::kAllAnnotations).Encode()));
  if (!value) return AnnotationUseRow{};
  return AnnotationUseRow::Decode(*value);
}

Result<std::optional<std::string>> GetServerAnnotation(const AccountTxn& txn, FolderId folder,
                                                       ServerAnnotation name) {
  const std::string key =
      AnnotationKey{txn.account(), folder, protocol::MetadataKey(NameOf(name)), AccountId{}}.Encode();
  ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kAnnotations, key));
  if (!value) return std::optional<std::string>{};
  ASSIGN_OR_RETURN(const auto row, AnnotationRow::Decode(*value));
  return std::optional<std::string>(row.value);
}

Result<> SetServerAnnotation(AccountTxn& txn, FolderId folder, ServerAnnotation name,
                             const std::optional<std::string>& value) {
  const std::string key =
      AnnotationKey{txn.account(), folder, protocol::MetadataKey(NameOf(name)), AccountId{}}.Encode();
  ASSIGN_OR_RETURN(const auto before, txn.Get(Table::kAnnotations, key));
  if (!before && !value) return {};
  ASSIGN_OR_RETURN(auto edit, AnnotationEdit::Load(txn, folder));
  ASSIGN_OR_RETURN(const bool changed, edit.Set(NameOf(name), AccountId{}, value));
  if (!changed) return {};
  edit.Save();
  RETURN_IF_ERROR(txn.NextModSeq());
  ASSIGN_OR_RETURN(const auto row, txn.Folder(folder));
  // The server's doing, not the actor's, who is told of it too.
  txn.Announce(Origin{}, AnnotationsChanged{
                             folder, row.path, {std::string(NameOf(name))}, AccountId{}, row.owner_rights});
  return {};
}

Result<> ForgetAnnotations(AccountTxn& txn, FolderId folder) {
  ASSIGN_OR_RETURN(const auto scope, UseOf(txn, folder));
  if (scope.entries == 0) return {};
  ASSIGN_OR_RETURN(auto account, UseOf(txn, schema::kAllAnnotations));
  account.entries -= scope.entries;
  account.octets -= scope.octets;
  PutUse(txn, schema::kAllAnnotations, account);
  return {};
}

Result<> CopyAnnotations(AccountTxn& txn, FolderId from, FolderId to, const StoreOptions& options) {
  ASSIGN_OR_RETURN(auto edit, AnnotationEdit::Load(txn, to));
  RETURN_IF_ERROR(edit.CopyFrom(from));
  return edit.Save(options);
}

}  // namespace storage
