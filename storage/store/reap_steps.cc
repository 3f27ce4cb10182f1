#include "storage/store/reap_steps.h"

#include "storage/store/deferred.h"
#include "storage/store/message_rows.h"
#include "storage/store/references.h"

namespace storage {
namespace {

using kv::Table;
using protocol::FlagSet;
using protocol::SystemFlag;
using schema::ExpiryKey;
using schema::ExpiryKind;
using schema::StatePage;

// Rows looked at in one transaction (design.md 5: no batch over about 1,000 keys).
constexpr std::size_t kRowsPerStep = 500;
constexpr std::size_t kReferencesPerStep = 250;  // three rows each

bool IsDeleted(const StatePage::State& state) {
  return (state.system & FlagSet::Bit(SystemFlag::kDeleted)) != 0;
}

/// Visits the account's rows of a kind in [first, end) until `visit` returns false.
Result<> ForEachExpiry(const AccountTxn& txn, const std::string& first, const std::string& end,
                       const std::function<Result<bool>(const ExpiryKey&, std::string_view)>& visit) {
  Result<> bad;
  RETURN_IF_ERROR(txn.Scan(Table::kExpiries, first, end, [&](std::string_view key, std::string_view value) {
    const auto at = ExpiryKey::Decode(key);
    const auto more = at ? visit(*at, value) : Result<bool>(tl::unexpected<Error>(at.error()));
    if (!more) bad = tl::unexpected<Error>(more.error());
    return more && *more;
  }));
  return bad;
}

/// The first key of a kind that is due after `time`.
std::string After(AccountId account, ExpiryKind kind, std::int64_t time) {
  return ExpiryKey{account, kind, time + 1, {}, 0}.Encode();
}

/// Due rows of one folder.
struct Due {
  std::optional<FolderId> folder;  ///< nullopt: nothing is due
  UidSet uids;
  std::vector<ExpiryKey> rows;
};

Result<Due> TakeDue(AccountTxn& txn, ExpiryKind kind) {
  Due due;
  std::size_t seen = 0;
  RETURN_IF_ERROR(ForEachExpiry(txn, ExpiryKey::Prefix(txn.account(), kind),
                                After(txn.account(), kind, txn.now()),
                                [&](const ExpiryKey& key, std::string_view value) -> Result<bool> {
                                  if (!due.folder) due.folder = key.folder;
                                  if (key.folder != *due.folder) return ++seen < kRowsPerStep;
                                  due.rows.push_back(key);
                                  if (kind == ExpiryKind::kDeferred) {
                                    due.uids.Add(Uid{static_cast<std::uint32_t>(key.id)});
                                  } else {
                                    ASSIGN_OR_RETURN(const auto row, schema::UidsRow::Decode(value));
                                    for (const auto& range : row.uids.ranges())
                                      due.uids.Add(range.first, range.last);
                                  }
                                  return ++seen < kRowsPerStep;
                                }));
  for (const auto& key : due.rows) txn.Erase(Table::kExpiries, key.Encode());
  return due;
}

/// The messages of the folder that got \Deleted later than `time`: (once more) after they had lost it.
Result<UidSet> DeletedAfter(const AccountTxn& txn, FolderId folder, std::int64_t time) {
  UidSet later;
  RETURN_IF_ERROR(ForEachExpiry(txn, After(txn.account(), ExpiryKind::kDeleted, time),
                                kv::PrefixEnd(ExpiryKey::Prefix(txn.account(), ExpiryKind::kDeleted)),
                                [&](const ExpiryKey& key, std::string_view value) -> Result<bool> {
                                  if (key.folder != folder) return true;
                                  ASSIGN_OR_RETURN(const auto row, schema::UidsRow::Decode(value));
                                  for (const auto& range : row.uids.ranges())
                                    later.Add(range.first, range.last);
                                  return true;
                                }));
  return later;
}

/// Expunges those of `due` that `goes` says are still to go.
Result<> ExpungeDue(AccountTxn& txn, const Due& due,
                    const std::function<bool(const FolderEdit&, const StatePage::State&)>& goes,
                    Reaped& out) {
  auto edit = FolderEdit::Load(txn, *due.folder);
  if (!edit && edit.error().code == Errc::kNoSuchFolder) return {};  // its rows are on their way out
  if (!edit) return tl::unexpected<Error>(edit.error());
  UidSet going;
  RETURN_IF_ERROR(edit->ForEach(due.uids, [&](Uid uid, const StatePage::State& state) {
    if (goes(*edit, state)) going.Add(uid);
  }));
  if (going.empty()) return {};
  ASSIGN_OR_RETURN(out.intent, ExpungeMessages(txn, *edit, going, Origin{}));
  return {};
}

Result<std::optional<std::int64_t>> FirstDue(const AccountTxn& txn) {
  std::optional<std::int64_t> first;
  for (const auto kind : {ExpiryKind::kDeferred, ExpiryKind::kDeleted, ExpiryKind::kReference}) {
    const std::string prefix = ExpiryKey::Prefix(txn.account(), kind);
    RETURN_IF_ERROR(ForEachExpiry(txn, prefix, kv::PrefixEnd(prefix),
                                  [&](const ExpiryKey& key, std::string_view) -> Result<bool> {
                                    first = std::min(key.due, first.value_or(key.due));
                                    return false;
                                  }));
  }
  return first;
}

}  // namespace

Result<> ReapDue(AccountTxn& txn, Reaped& out) {
  out = {};
  RETURN_IF_ERROR(txn.Account());  // not of one that is being deleted
  ASSIGN_OR_RETURN(auto due, TakeDue(txn, ExpiryKind::kDeferred));
  if (due.folder) {
    RETURN_IF_ERROR(ExpungeDue(
        txn, due,
        [](const FolderEdit& edit, const StatePage::State& state) {
          return (state.keywords & MarksOf(edit.row().keywords).deferred) != 0;
        },
        out));
  } else {
    ASSIGN_OR_RETURN(due, TakeDue(txn, ExpiryKind::kDeleted));
    if (due.folder && txn.deleted_grace() != 0) {
      ASSIGN_OR_RETURN(const UidSet later, DeletedAfter(txn, *due.folder, txn.now()));
      due.uids = due.uids.Minus(later);
      RETURN_IF_ERROR(ExpungeDue(
          txn, due, [](const FolderEdit&, const StatePage::State& state) { return IsDeleted(state); }, out));
    }
    if (!due.folder) RETURN_IF_ERROR(ReapReferences(txn, kReferencesPerStep));
  }
  ASSIGN_OR_RETURN(out.next_due, FirstDue(txn));
  return {};
}

Result<> ReapOld(AccountTxn& txn, FolderId folder, std::int64_t until, std::optional<Uid>& from,
                 Reaped& out) {
  out = {};
  RETURN_IF_ERROR(txn.Account());
  ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, folder));
  const std::string first = schema::MessageKey{txn.account(), folder, *from}.Encode();
  const std::string end = kv::PrefixEnd(schema::FolderKey{txn.account(), folder}.Encode());
  UidSet old;
  std::size_t seen = 0;
  std::optional<Uid> next;
  Result<> bad;
  // Messages come into a folder in the order of their UIDs, so the first that is young enough ends the walk.
  RETURN_IF_ERROR(txn.Scan(Table::kMessages, first, end, [&](std::string_view key, std::string_view value) {
    const auto at = schema::MessageKey::Decode(key);
    const auto row = schema::StoredMessage::Decode(value);
    if (!at || !row) {
      bad = tl::unexpected<Error>(at ? row.error() : at.error());
      return false;
    }
    if (row->save_date > until) return false;
    if (seen++ == kRowsPerStep) {
      next = at->uid;
      return false;
    }
    old.Add(at->uid);
    return true;
  }));
  RETURN_IF_ERROR(bad);
  UidSet going;
  const std::uint64_t archived = MarksOf(edit.row().keywords).archived;
  RETURN_IF_ERROR(edit.ForEach(old, [&](Uid uid, const StatePage::State& state) {
    if ((state.keywords & archived) == 0) going.Add(uid);
  }));
  if (!going.empty()) {
    ASSIGN_OR_RETURN(out.intent, ExpungeMessages(txn, edit, going, Origin{}));
  }
  from = next;
  return {};
}

Result<> CoverDeleted(AccountTxn& txn, FolderId folder) {
  RETURN_IF_ERROR(txn.Account());
  ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, folder));
  if (edit.row().deleted == 0 || txn.deleted_grace() == 0) return {};
  UidSet deleted;
  RETURN_IF_ERROR(
      edit.ForEach(UidSet(Uid{1}, protocol::kMaxUid), [&](Uid uid, const StatePage::State& state) {
        if (IsDeleted(state)) deleted.Add(uid);
      }));
  ASSIGN_OR_RETURN(const UidSet covered, DeletedAfter(txn, folder, -1));
  deleted = deleted.Minus(covered);
  if (deleted.empty()) return {};
  // No change of the folder, so there is no modseq to name the row; another such row would have covered
  // these.
  txn.PutExpiry({.account = txn.account(),
                 .kind = ExpiryKind::kDeleted,
                 .due = txn.now() + txn.deleted_grace(),
                 .folder = folder,
                 .id = 0},
                schema::UidsRow{std::move(deleted)}.Encode());
  return {};
}

}  // namespace storage
