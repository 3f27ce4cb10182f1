// MailStore's calls for references, and how they end.
#include "storage/store/references.h"

#include <set>

#include <fmt/format.h>

#include "storage/schema/references.h"
#include "storage/schema/state_page.h"
#include "storage/store/core.h"
#include "storage/store/folder_edit.h"
#include "storage/store/reference.h"

namespace storage {
namespace {

using kv::Table;
using schema::ExpiryKey;
using schema::ExpiryKind;
using schema::MessageReferenceKey;
using schema::ReferenceKey;
using schema::ReferenceRow;
using schema::ReferencesUseRow;

Result<ReferencesUseRow> UseOf(const AccountTxn& txn) {
  ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kReferences, ReferenceKey::Use(txn.account()).Encode()));
  if (!value) return ReferencesUseRow{};
  return ReferencesUseRow::Decode(*value);
}

void PutUse(AccountTxn& txn, const ReferencesUseRow& use) {
  txn.Put(Table::kReferences, ReferenceKey::Use(txn.account()).Encode(), use.Encode());
}

Result<std::optional<ReferenceRow>> RowOf(const AccountTxn& txn, std::uint64_t id) {
  ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kReferences, ReferenceKey{txn.account(), id}.Encode()));
  if (!value) return std::optional<ReferenceRow>{};
  ASSIGN_OR_RETURN(auto row, ReferenceRow::Decode(*value));
  return std::optional(std::move(row));
}

void PutRow(AccountTxn& txn, std::uint64_t id, const ReferenceRow& row) {
  txn.Put(Table::kReferences, ReferenceKey{txn.account(), id}.Encode(), row.Encode());
}

ExpiryKey ExpiryOf(const AccountTxn& txn, std::uint64_t id, const ReferenceRow& row) {
  return {.account = txn.account(),
          .kind = ExpiryKind::kReference,
          .due = row.expires + kReferenceMemory,
          .folder = row.folder,
          .id = id};
}

Reference With(AccountId account, std::uint64_t id, ReferenceRow row) {
  Reference out{std::move(row), account, id};
  return out;
}

/// All rows of it.
void Erase(AccountTxn& txn, std::uint64_t id, const ReferenceRow& row) {
  txn.Erase(Table::kReferences, ReferenceKey{txn.account(), id}.Encode());
  txn.Erase(Table::kReferences, MessageReferenceKey{txn.account(), row.folder, row.uid, id}.Encode());
  txn.Erase(Table::kExpiries, ExpiryOf(txn, id, row).Encode());
}

Result<> Erase(AccountTxn& txn, const std::vector<std::uint64_t>& ids) {
  if (ids.empty()) return {};
  ASSIGN_OR_RETURN(auto use, UseOf(txn));
  for (const std::uint64_t id : ids) {
    ASSIGN_OR_RETURN(const auto row, RowOf(txn, id));
    if (!row) continue;
    Erase(txn, id, *row);
    if (use.count > 0) --use.count;
  }
  PutUse(txn, use);
  return {};
}

/// Whether the message is there: of what is committed, or seen by a change.
template <class From>
Result<bool> IsPresent(const From& from, AccountId account, FolderId folder, Uid uid) {
  const schema::StateKey key{account, folder, schema::StatePage::PageOf(uid)};
  ASSIGN_OR_RETURN(const auto value, from.Get(Table::kStates, key.Encode()));
  if (!value) return false;
  schema::StatePage page;
  RETURN_IF_ERROR(schema::StatePage::Decode(*value, page));
  return page.Has(schema::StatePage::SlotOf(uid));
}

}  // namespace

Result<std::size_t> ForgetReferences(AccountTxn& txn, FolderId folder, Uid uid, std::size_t most) {
  const std::string prefix = MessageReferenceKey::Prefix(txn.account(), folder, uid);
  std::vector<std::uint64_t> ids;
  Result<> bad;
  RETURN_IF_ERROR(
      txn.Scan(Table::kReferences, prefix, kv::PrefixEnd(prefix), [&](std::string_view key, auto) {
        const auto at = MessageReferenceKey::Decode(key);
        if (!at) bad = tl::unexpected<Error>(at.error());
        if (at) ids.push_back(at->id);
        return at && ids.size() < most;
      }));
  RETURN_IF_ERROR(bad);
  RETURN_IF_ERROR(Erase(txn, ids));
  return ids.size();
}

Result<> ReapReferences(AccountTxn& txn, std::size_t most) {
  std::vector<std::uint64_t> ids;
  Result<> bad;
  const ExpiryKey end{txn.account(), ExpiryKind::kReference, txn.now() + 1, {}, 0};
  RETURN_IF_ERROR(txn.Scan(Table::kExpiries, ExpiryKey::Prefix(txn.account(), ExpiryKind::kReference),
                           end.Encode(), [&](std::string_view key, auto) {
                             const auto at = ExpiryKey::Decode(key);
                             if (!at) bad = tl::unexpected<Error>(at.error());
                             if (at) ids.push_back(at->id);
                             return at && ids.size() < most;
                           }));
  RETURN_IF_ERROR(bad);
  return Erase(txn, ids);
}

Result<std::vector<Reference>> MailStore::AddReferences(AccountId account, std::vector<ReferenceRow> rows) {
  if (rows.size() > kMaxReferencesAtOnce)
    return Fail(Errc::kInvalidArgument, fmt::format("At most {} at once", kMaxReferencesAtOnce));
  std::vector<Reference> added;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());
    ASSIGN_OR_RETURN(auto use, UseOf(txn));
    if (use.count + rows.size() > core_->options.max_references)
      return Fail(Errc::kLimit, fmt::format("The account has {} references of {}: revoke some, or wait until "
                                            "some have expired",
                                            use.count, core_->options.max_references));
    added.clear();
    for (const auto& given : rows) {
      ReferenceRow row = given;
      RETURN_IF_ERROR(txn.Folder(row.folder));
      ASSIGN_OR_RETURN(const bool there, IsPresent(txn, account, row.folder, row.uid));
      if (!there) return Fail(Errc::kNoSuchMessage, fmt::format("UID {}", row.uid.value));
      row.created = txn.now();
      const std::uint64_t id = ++use.last_id;
      ++use.count;
      PutRow(txn, id, row);
      txn.Put(Table::kReferences, MessageReferenceKey{account, row.folder, row.uid, id}.Encode(),
              schema::MarkerRow());
      txn.PutExpiry(ExpiryOf(txn, id, row), schema::MarkerRow());
      added.push_back(With(account, id, std::move(row)));
    }
    PutUse(txn, use);
    return {};
  }));
  return added;
}

Result<std::optional<Reference>> MailStore::FindReference(AccountId account, std::uint64_t id) {
  const std::optional<Reference> none;
  if (core_->deleted.Contains(account) || id == 0) return none;
  ASSIGN_OR_RETURN(const auto value,
                   core_->engine.Get(Table::kReferences, ReferenceKey{account, id}.Encode()));
  if (!value) return none;
  ASSIGN_OR_RETURN(auto row, ReferenceRow::Decode(*value));
  return std::optional(With(account, id, std::move(row)));
}

Result<bool> MailStore::NoteFetch(AccountId account, std::uint64_t id) { return NoteFetches(account, {id}); }

Result<bool> MailStore::NoteFetches(AccountId account, const std::vector<std::uint64_t>& ids) {
  const std::set<std::uint64_t> each(ids.begin(), ids.end());
  bool good = false;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    good = false;
    std::vector<ReferenceRow> rows;
    bool one_time = false;
    for (const std::uint64_t id : each) {
      ASSIGN_OR_RETURN(auto row, RowOf(txn, id));
      if (!row || row->revoked != 0 || txn.now() > row->expires || (row->one_time && row->fetches > 0))
        return {};
      ++row->fetches;
      row->last_fetch = txn.now();
      one_time = one_time || row->one_time;
      rows.push_back(*std::move(row));
    }
    auto row = rows.begin();
    for (const std::uint64_t id : each) PutRow(txn, id, *row++);
    // A count that a power loss sets back is no harm, a second fetch after it is.
    if (!one_time) txn.NeedNotSync();
    good = true;
    return {};
  }));
  return good;
}

Result<> MailStore::TakeBackFetches(AccountId account, const std::vector<std::uint64_t>& ids) {
  const std::set<std::uint64_t> each(ids.begin(), ids.end());
  return core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    for (const std::uint64_t id : each) {
      ASSIGN_OR_RETURN(auto row, RowOf(txn, id));
      if (!row || row->fetches == 0) continue;
      if (--row->fetches == 0) row->last_fetch = 0;
      PutRow(txn, id, *row);
    }
    return {};
  });
}

Result<> MailStore::RevokeReference(AccountId account, std::uint64_t id) {
  return core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, RowOf(txn, id));
    if (!row || row->revoked != 0) return {};
    row->revoked = txn.now();
    PutRow(txn, id, *row);
    return {};
  });
}

Result<std::vector<Reference>> MailStore::ListReferences(AccountId account, std::uint64_t after,
                                                         std::size_t limit) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  const auto view = core_->engine.OpenView();
  std::vector<Reference> out;
  Result<> bad;
  RETURN_IF_ERROR(view->Scan(Table::kReferences, ReferenceKey{account, after + 1}.Encode(),
                             kv::PrefixEnd(ReferenceKey::Prefix(account)),
                             [&](std::string_view key, std::string_view value) {
                               const auto at = ReferenceKey::Decode(key);
                               auto row = ReferenceRow::Decode(value);
                               if (!at || !row) {
                                 bad = tl::unexpected<Error>(at ? row.error() : at.error());
                                 return false;
                               }
                               out.push_back(With(account, at->id, *std::move(row)));
                               return out.size() < limit;
                             }));
  RETURN_IF_ERROR(bad);
  return out;
}

Result<bool> MailStore::IsThere(FolderRef folder, Uid uid) {
  RETURN_IF_ERROR(core_->deleted.Check(folder.account));
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto row,
                   view->Get(Table::kFolders, schema::FolderKey{folder.account, folder.folder}.Encode()));
  if (!row) return false;
  return IsPresent(*view, folder.account, folder.folder, uid);
}

}  // namespace storage
