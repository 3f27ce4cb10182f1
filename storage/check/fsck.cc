#include "storage/check/fsck.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "storage/check/account_check.h"
#include "storage/schema/bytes.h"
#include "storage/store/account.h"
#include "storage/store/rights.h"

namespace storage::check {
namespace {

using kv::Table;
using schema::AccountId;

/// Every account id that any table has rows of: one step a table and account, whatever the account's size.
Result<std::set<std::uint64_t>> AccountsWithRows(const kv::View& view) {
  static constexpr std::array kTables{
      Table::kAccounts,   Table::kFolders,     Table::kFolderNames, Table::kStates,        Table::kMessages,
      Table::kBodies,     Table::kBodyRefs,    Table::kTexts,       Table::kIds,           Table::kVanished,
      Table::kIntents,    Table::kAnnotations, Table::kAcl,         Table::kSubscriptions, Table::kUrlKeys,
      Table::kReferences, Table::kExpiries,    Table::kSeen};
  std::set<std::uint64_t> accounts;
  for (const Table table : kTables) {
    std::string from;
    for (bool more = true; more;) {
      more = false;
      RETURN_IF_ERROR(view.Scan(table, from, {}, [&](std::string_view key, std::string_view) {
        schema::Reader in(key);
        const AccountId account{in.U64()};
        accounts.insert(account.value);
        from = kv::PrefixEnd(schema::AccountPrefix(account));
        more = !from.empty();
        return false;
      }));
    }
  }
  return accounts;
}

Result<std::uint64_t> Counter(const kv::View& view, std::string_view name) {
  ASSIGN_OR_RETURN(const auto value, view.Get(Table::kMeta, name));
  if (!value) return 1;
  schema::Reader in(*value);
  return in.U64();
}

/// False for a store from before folders had kinds, which has not been opened by this program yet.
Result<bool> HasKinds(const kv::View& view) {
  ASSIGN_OR_RETURN(const auto value, view.Get(Table::kMeta, "format"));
  if (!value) return true;
  schema::Reader in(*value);
  return in.U32() >= 2;
}

/// Invariant 2: address rows and accounts name each other.
Result<> CheckAddresses(const kv::View& view, FsckReport& report) {
  Result<> bad;
  std::uint64_t rows = 0;
  RETURN_IF_ERROR(view.Scan(Table::kAddresses, {}, {}, [&](std::string_view address, std::string_view value) {
    ++rows;
    const auto row = schema::AddressRow::Decode(value);
    if (!row) {
      report.violations.push_back({1, row.error().detail});
      return true;
    }
    const auto account_value = view.Get(Table::kAccounts, schema::AccountKey{row->account}.Encode());
    if (!account_value) {
      bad = tl::unexpected<Error>(account_value.error());
      return false;
    }
    const auto account =
        *account_value ? schema::AccountRow::Decode(**account_value) : Fail(Errc::kNoSuchAccount);
    const bool known =
        account && (account->address == address || std::find(account->aliases.begin(), account->aliases.end(),
                                                             address) != account->aliases.end());
    if (!known)
      report.violations.push_back({2, fmt::format("address {} names account {}, which does not have it",
                                                  address, row->account.value)});
    return true;
  }));
  RETURN_IF_ERROR(bad);
  std::uint64_t claimed = 0;
  RETURN_IF_ERROR(view.Scan(Table::kAccounts, {}, {}, [&](std::string_view, std::string_view value) {
    const auto account = schema::AccountRow::Decode(value);
    if (account && account->status != static_cast<std::uint8_t>(AccountStatus::kDeleting))
      claimed += 1 + account->aliases.size();
    return true;
  }));
  // Each row names an account that has it, and no two rows are alike: then equal numbers mean that none is
  // missing.
  if (rows != claimed)
    report.violations.push_back({2, fmt::format("accounts have {} addresses, the table {}", claimed, rows)});
  return {};
}

/// Whether an intent is about to settle this grant, or an account's end to free it.
Result<bool> BeingSettled(const kv::View& view, const schema::GrantKey& grant) {
  using schema::IntentKind;
  const schema::IntentKey drop{grant.account, IntentKind::kDropAccount, 0};
  ASSIGN_OR_RETURN(const auto dropped, view.Get(Table::kIntents, drop.Encode()));
  if (dropped) return true;
  const schema::IntentKey settle{grant.account, IntentKind::kGrants, grant.folder.value};
  ASSIGN_OR_RETURN(const auto value, view.Get(Table::kIntents, settle.Encode()));
  if (!value) return false;
  ASSIGN_OR_RETURN(const auto row, schema::GrantsRow::Decode(*value));
  return std::ranges::find(row.identifiers, grant.identifier) != row.identifiers.end();
}

/// Invariant 22: a list names whom `grants` says it names.
Result<> CheckGrants(const kv::View& view, FsckReport& report) {
  std::vector<schema::GrantKey> grants;
  RETURN_IF_ERROR(view.Scan(Table::kGrants, {}, {}, [&](std::string_view key, std::string_view) {
    const auto grant = schema::GrantKey::Decode(key);
    if (grant)
      grants.push_back(*grant);
    else
      report.violations.push_back({1, grant.error().detail});
    return true;
  }));
  for (const auto& grant : grants) {
    ASSIGN_OR_RETURN(const auto acl, ReadAcl(view, {grant.account, grant.folder}));
    const auto names = NamesIn(acl);
    if (std::ranges::find(names, grant.identifier) != names.end()) continue;
    ASSIGN_OR_RETURN(const bool settled, BeingSettled(view, grant));
    if (!settled) {
      report.violations.push_back(
          {22, fmt::format("grants names {} for folder {} of account {}, its list does not", grant.identifier,
                           grant.folder.value, grant.account.value)});
    }
  }
  return {};
}

}  // namespace

Result<FsckReport> Fsck(kv::Engine& engine, const FsckOptions& options) {
  FsckReport report;
  const auto view = engine.OpenView();
  RETURN_IF_ERROR(CheckAddresses(*view, report));
  RETURN_IF_ERROR(CheckGrants(*view, report));
  ASSIGN_OR_RETURN(const auto next_object, Counter(*view, "next_object"));
  ASSIGN_OR_RETURN(const auto next_account, Counter(*view, "next_account"));
  ASSIGN_OR_RETURN(const bool kinds, HasKinds(*view));
  ASSIGN_OR_RETURN(const auto accounts, AccountsWithRows(*view));
  std::uint64_t done = 0;
  for (const std::uint64_t account : accounts) {
    if (account == 0 || account >= next_account)
      report.violations.push_back({16, fmt::format("account id {} is not below the counter", account)});
    RETURN_IF_ERROR(AccountCheck(*view, AccountId{account}, options, next_object, kinds, report).Run());
    if (options.progress) options.progress(++done);
  }
  return report;
}

}  // namespace storage::check
