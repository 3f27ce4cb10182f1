#include "storage/store/grants.h"

#include <algorithm>

#include "storage/store/core.h"

namespace storage {
namespace {

using kv::Table;
using schema::GrantKey;
using schema::IntentKey;
using schema::IntentKind;

constexpr std::size_t kListsPerSlice = 8;  // of up to kMaxAclEntries: about a thousand keys

bool Names(const Acl& acl, std::string_view who) {
  return std::ranges::any_of(acl, [&](const auto& entry) { return WhoOf(entry.identifier) == who; });
}

}  // namespace

Result<> Grants::Leave(AccountTxn& txn, FolderId folder, const std::vector<std::string>& identifiers) {
  const std::string key = IntentKey{txn.account(), IntentKind::kGrants, folder.value}.Encode();
  schema::GrantsRow row;
  ASSIGN_OR_RETURN(const auto left, txn.Get(Table::kIntents, key));
  if (left) {
    ASSIGN_OR_RETURN(row, schema::GrantsRow::Decode(*left));
  }
  ASSIGN_OR_RETURN(row.modseq, txn.NextModSeq());
  for (const auto& identifier : identifiers) row.identifiers.emplace_back(WhoOf(identifier));
  std::ranges::sort(row.identifiers);
  const auto [first, last] = std::ranges::unique(row.identifiers);
  row.identifiers.erase(first, last);
  txn.Put(Table::kIntents, key, row.Encode());
  txn.LeaveIntent({txn.account(), IntentKind::kGrants, folder.value});
  return {};
}

Result<> Grants::SettleNow(const IntentKey& intent, const schema::GrantsRow& row) {
  const std::scoped_lock lock(mutex_);
  Acl acl;
  if (!deleted_.Contains(intent.account)) {
    ASSIGN_OR_RETURN(acl, ReadAcl(engine_, {intent.account, FolderId{intent.id}}));
  }
  kv::Batch batch;
  for (const auto& identifier : row.identifiers) {
    const std::string key = GrantKey{identifier, intent.account, FolderId{intent.id}}.Encode();
    if (Names(acl, identifier))
      batch.Put(Table::kGrants, key, schema::MarkerRow());
    else
      batch.Erase(Table::kGrants, key);
  }
  return engine_.Apply(batch, kv::Durability::kBeforeNext);
}

Result<> Grants::Settle(const IntentKey& intent) {
  ASSIGN_OR_RETURN(const auto value, engine_.Get(Table::kIntents, intent.Encode()));
  if (!value) return {};
  ASSIGN_OR_RETURN(const auto row, schema::GrantsRow::Decode(*value));
  RETURN_IF_ERROR(SettleNow(intent, row));
  return lanes_.Run(intent.account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    ASSIGN_OR_RETURN(const auto now, txn.Get(Table::kIntents, intent.Encode()));
    // Another: the list has changed again, and whoever changed it settles that.
    if (now == value) txn.Erase(Table::kIntents, intent.Encode());
    return {};
  });
}

Result<bool> Grants::FreeSome(AccountId account) {
  // What went from a list shortly before may still be here.
  std::vector<IntentKey> intents;
  std::vector<std::pair<std::string, Acl>> lists;  // by key
  Result<> bad;
  const auto view = engine_.OpenView();
  const std::string first = IntentKey{account, IntentKind::kGrants, 0}.Encode();
  const std::string last = IntentKey{account, IntentKind::kGrants, ~std::uint64_t{0}}.Encode() + '\0';
  RETURN_IF_ERROR(view->Scan(Table::kIntents, first, last, [&](std::string_view key, std::string_view) {
    const auto intent = IntentKey::Decode(key);
    if (intent) intents.push_back(*intent);
    return intents.size() < kListsPerSlice;
  }));
  for (const auto& intent : intents) RETURN_IF_ERROR(Settle(intent));

  const std::string prefix = schema::AccountPrefix(account);
  RETURN_IF_ERROR(view->Scan(Table::kAcl, prefix, kv::PrefixEnd(prefix),
                             [&](std::string_view key, std::string_view value) {
                               auto row = schema::AclRow::Decode(value);
                               if (row)
                                 lists.emplace_back(key, std::move(row->entries));
                               else
                                 bad = tl::unexpected<Error>(row.error());
                               return bad.has_value() && lists.size() < kListsPerSlice;
                             }));
  RETURN_IF_ERROR(bad);
  if (lists.empty()) return intents.size() < kListsPerSlice;
  kv::Batch batch;
  for (const auto& [key, acl] : lists) {
    ASSIGN_OR_RETURN(const auto at, schema::FolderKey::Decode(key));
    for (const auto& entry : acl)
      batch.Erase(Table::kGrants,
                  GrantKey{std::string(WhoOf(entry.identifier)), account, at.folder}.Encode());
  }
  {
    const std::scoped_lock lock(mutex_);
    RETURN_IF_ERROR(engine_.Apply(batch, kv::Durability::kBeforeNext));
  }
  RETURN_IF_ERROR(lanes_.Run(account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    for (const auto& [key, acl] : lists) txn.Erase(Table::kAcl, key);
    return {};
  }));
  return false;
}

Result<std::vector<GrantKey>> Grants::Find(std::string_view identifier, std::size_t limit,
                                           const std::optional<GrantKey>& after) const {
  std::vector<GrantKey> found;
  Result<> bad;
  const std::string prefix = GrantKey::Prefix(identifier);
  const std::string first = after ? after->Encode() + '\0' : prefix;
  RETURN_IF_ERROR(engine_.OpenView()->Scan(Table::kGrants, first, kv::PrefixEnd(prefix),
                                           [&](std::string_view key, std::string_view) {
                                             auto grant = GrantKey::Decode(key);
                                             if (grant)
                                               found.push_back(*std::move(grant));
                                             else
                                               bad = tl::unexpected<Error>(grant.error());
                                             return bad.has_value() && found.size() < limit;
                                           }));
  RETURN_IF_ERROR(bad);
  return found;
}

}  // namespace storage
