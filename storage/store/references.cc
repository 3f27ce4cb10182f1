// MailStore's calls for references, and how they end.
#include "storage/store/references.h"

#include <algorithm>
#include <functional>
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
          .due = ForgetAt(row),
          .folder = row.folder,
          .id = id};
}

Reference With(AccountId account, std::uint64_t id, ReferenceRow row) {
  Reference out{std::move(row), account, id};
  return out;
}

/// Writes `after` for `before`, and what goes with it.
void Rewrite(AccountTxn& txn, ReferencesUseRow& use, std::uint64_t id, const ReferenceRow& before,
             const ReferenceRow& after) {
  PutRow(txn, id, after);
  if ((before.over == 0) != (after.over == 0)) {
    auto& less = before.over == 0 ? use.count : use.over;
    if (less > 0) --less;
    ++(before.over == 0 ? use.over : use.count);
    PutUse(txn, use);
  }
  const auto due = ExpiryOf(txn, id, after);
  if (due == ExpiryOf(txn, id, before)) return;
  txn.Erase(Table::kExpiries, ExpiryOf(txn, id, before).Encode());
  txn.PutExpiry(due, schema::MarkerRow());
}

/// It is of no more use: it counts no more, and is remembered from now on, or from its time if that is over.
void End(const AccountTxn& txn, ReferenceRow& row) {
  if (row.over == 0) row.over = std::min(txn.now(), row.expires);
}

/// All rows of it.
void Erase(AccountTxn& txn, std::uint64_t id, const ReferenceRow& row) {
  txn.Erase(Table::kReferences, ReferenceKey{txn.account(), id}.Encode());
  txn.Erase(Table::kReferences, MessageReferenceKey{txn.account(), row.folder, row.uid, id}.Encode());
  txn.Erase(Table::kExpiries, ExpiryOf(txn, id, row).Encode());
}

Result<> Erase(AccountTxn& txn, ReferencesUseRow& use, const std::vector<std::uint64_t>& ids) {
  if (ids.empty()) return {};
  for (const std::uint64_t id : ids) {
    ASSIGN_OR_RETURN(const auto row, RowOf(txn, id));
    if (!row) continue;
    Erase(txn, id, *row);
    auto& less = row->over == 0 ? use.count : use.over;
    if (less > 0) --less;
  }
  PutUse(txn, use);
  return {};
}

Result<> Erase(AccountTxn& txn, const std::vector<std::uint64_t>& ids) {
  if (ids.empty()) return {};
  ASSIGN_OR_RETURN(auto use, UseOf(txn));
  return Erase(txn, use, ids);
}

/// References in the order in which they are forgotten, until `visit` returns false.
Result<> ForEachDue(const AccountTxn& txn, const std::function<Result<bool>(const ExpiryKey&)>& visit) {
  const std::string prefix = ExpiryKey::Prefix(txn.account(), ExpiryKind::kReference);
  Result<> bad;
  RETURN_IF_ERROR(txn.Scan(Table::kExpiries, prefix, kv::PrefixEnd(prefix), [&](std::string_view key, auto) {
    const auto at = ExpiryKey::Decode(key);
    const auto more = at ? visit(*at) : Result<bool>(tl::unexpected<Error>(at.error()));
    if (!more) bad = tl::unexpected<Error>(more.error());
    return more && *more;
  }));
  return bad;
}

/// Before `more` are added. Who issues and revokes all day long, or has what was issued used up, fills no
/// store: as many are remembered as may stand, and beyond that the oldest are forgotten before their time.
Result<> MakeRoom(AccountTxn& txn, ReferencesUseRow& use, std::size_t more, std::uint64_t most) {
  const std::uint64_t rows = use.count + use.over + more;
  if (rows <= 2 * most) return {};
  // Where the limit was lowered there may be many too many.
  const auto excess = std::min<std::uint64_t>(rows - 2 * most, 2 * kMaxReferencesAtOnce);
  std::vector<std::uint64_t> ids;
  RETURN_IF_ERROR(ForEachDue(txn, [&](const ExpiryKey& at) -> Result<bool> {
    ASSIGN_OR_RETURN(const auto row, RowOf(txn, at.id));
    if (row && (row->over != 0 || txn.now() > row->expires)) ids.push_back(at.id);
    return ids.size() < excess;
  }));
  return Erase(txn, use, ids);
}

/// Ends what is found by the keys in [first, end), which are MessageReferenceKeys; at most a batch of them.
/// Then `first` is where to go on; empty: nowhere.
Result<> EndSome(AccountTxn& txn, std::string& first, const std::string& end, std::uint64_t last) {
  constexpr std::size_t kMost = 250;  // three rows each
  std::vector<std::uint64_t> ids;
  std::string next;
  Result<> bad;
  RETURN_IF_ERROR(txn.Scan(Table::kReferences, first, end, [&](std::string_view key, auto) {
    const auto at = MessageReferenceKey::Decode(key);
    if (!at) bad = tl::unexpected<Error>(at.error());
    if (at && at->id <= last) ids.push_back(at->id);
    if (ids.size() == kMost) next = std::string(key) + '\0';
    return at && next.empty();
  }));
  RETURN_IF_ERROR(bad);
  ASSIGN_OR_RETURN(auto use, UseOf(txn));
  for (const std::uint64_t id : ids) {
    ASSIGN_OR_RETURN(const auto before, RowOf(txn, id));
    if (!before || before->over != 0) continue;
    ReferenceRow row = *before;
    End(txn, row);
    Rewrite(txn, use, id, *before, row);
  }
  first = std::move(next);
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
  RETURN_IF_ERROR(ForEachDue(txn, [&](const ExpiryKey& at) -> Result<bool> {
    if (at.due > txn.now()) return false;
    ids.push_back(at.id);
    return ids.size() < most;
  }));
  return Erase(txn, ids);
}

Result<std::uint64_t> LastReference(const AccountTxn& txn) {
  ASSIGN_OR_RETURN(const auto use, UseOf(txn));
  return use.last_id;
}

void EndReferences(AccountLanes& lanes, AccountId account, std::optional<FolderId> folder,
                   std::uint64_t last) {
  std::string first = schema::FolderKey{account, folder.value_or(FolderId{1})}.Encode();
  const std::string end = kv::PrefixEnd(folder ? first : schema::AccountPrefix(account));
  while (!first.empty()) {
    const auto done = lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
      RETURN_IF_ERROR(txn.Account());
      txn.NeedNotSync();
      return EndSome(txn, first, end, last);
    });
    if (!done) return;
  }
}

Result<std::vector<Reference>> MailStore::AddReferences(AccountId account, std::vector<ReferenceRow> rows) {
  if (rows.size() > kMaxReferencesAtOnce)
    return Fail(Errc::kInvalidArgument, fmt::format("At most {} at once", kMaxReferencesAtOnce));
  std::vector<Reference> added;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());
    ASSIGN_OR_RETURN(auto use, UseOf(txn));
    const std::uint64_t most = core_->options.max_references;
    if (use.count + rows.size() > most)
      return Fail(Errc::kLimit, fmt::format("The account has {} references of {}: revoke some, or wait; one "
                                            "that has expired counts for another day",
                                            use.count, most));
    RETURN_IF_ERROR(MakeRoom(txn, use, rows.size(), most));
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

Result<std::optional<std::uint64_t>> MailStore::NoteFetches(AccountId account,
                                                            const std::vector<std::uint64_t>& ids) {
  const std::set<std::uint64_t> each(ids.begin(), ids.end());
  std::optional<std::uint64_t> fallen;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    fallen.reset();
    RETURN_IF_ERROR(txn.Account());
    std::vector<ReferenceRow> rows;
    bool one_time = false;
    for (const std::uint64_t id : each) {
      ASSIGN_OR_RETURN(auto row, RowOf(txn, id));
      if (!row || !row->Stands(txn.now())) {
        fallen = id;
        return {};
      }
      one_time = one_time || row->one_time;
      rows.push_back(*std::move(row));
    }
    ASSIGN_OR_RETURN(auto use, one_time ? UseOf(txn) : Result<ReferencesUseRow>{});
    auto before = rows.begin();
    for (const std::uint64_t id : each) {
      ReferenceRow row = *before;
      ++row.fetches;
      row.last_fetch = txn.now();
      if (row.one_time) End(txn, row);
      Rewrite(txn, use, id, *before++, row);
    }
    // A count that a power loss sets back is no harm, a second fetch after it is.
    if (!one_time) txn.NeedNotSync();
    return {};
  }));
  return fallen;
}

Result<> MailStore::TakeBackFetches(AccountId account, const std::vector<std::uint64_t>& ids) {
  const std::set<std::uint64_t> each(ids.begin(), ids.end());
  return core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());
    ASSIGN_OR_RETURN(auto use, UseOf(txn));
    for (const std::uint64_t id : each) {
      ASSIGN_OR_RETURN(const auto before, RowOf(txn, id));
      if (!before || before->fetches == 0) continue;
      ReferenceRow row = *before;
      if (--row.fetches == 0) row.last_fetch = 0;
      // It stands again, though others may have taken its place meanwhile.
      if (row.one_time && row.fetches == 0 && row.revoked == 0) row.over = 0;
      Rewrite(txn, use, id, *before, row);
    }
    return {};
  });
}

Result<> MailStore::RevokeReference(AccountId account, std::uint64_t id) {
  return core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());
    ASSIGN_OR_RETURN(const auto before, RowOf(txn, id));
    // One that a former cmsd has revoked counts still, and does not once it is revoked again.
    if (!before || (before->revoked != 0 && before->over != 0)) return {};
    ASSIGN_OR_RETURN(auto use, UseOf(txn));
    ReferenceRow row = *before;
    if (row.revoked == 0) row.revoked = txn.now();
    End(txn, row);
    Rewrite(txn, use, id, *before, row);
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
