#include <algorithm>

#include "storage/schema/bytes.h"
#include "storage/store/core.h"
#include "storage/store/folder_tree.h"

namespace storage {
namespace {

using kv::Table;

AccountInfo ToInfo(AccountId id, schema::AccountRow row) {
  return {.id = id,
          .address = std::move(row.address),
          .aliases = std::move(row.aliases),
          .role = static_cast<Role>(row.role),
          .status = static_cast<AccountStatus>(row.status),
          .password_hash = std::move(row.password_hash),
          .quota_octets = row.quota_octets,
          .quota_messages = row.quota_messages,
          .used_octets = row.used_octets,
          .used_messages = row.used_messages,
          .folders = row.folders,
          .created = row.created,
          .modseq = row.modseq};
}

bool IsDeleting(const schema::AccountRow& row) {
  return row.status == static_cast<std::uint8_t>(AccountStatus::kDeleting);
}

constexpr std::string_view kUidValidityFloor = "uid_validity_floor";

/// Above every UIDVALIDITY of the accounts that were deleted.
Result<std::uint32_t> UidValidityFloor(kv::Engine& engine) {
  ASSIGN_OR_RETURN(const auto value, engine.Get(Table::kMeta, kUidValidityFloor));
  if (!value) return 1;
  schema::Reader in(*value);
  const auto floor = in.U32();
  if (!in.Done()) return Fail(Errc::kCorruption, "uid_validity_floor (table meta) does not decode");
  return floor;
}

/// Changes the account's row by `change`.
Result<> Edit(MailStore::Core& core, AccountId account,
              const std::function<void(schema::AccountRow&)>& change) {
  return core.lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Account());
    change(row);
    txn.PutAccount(std::move(row));
    return {};
  });
}

}  // namespace

Result<AccountId> MailStore::CreateAccount(const NewAccount& account) {
  std::vector<std::string> addresses = account.aliases;
  addresses.push_back(account.address);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());

  for (const auto& folder : account.folders) RETURN_IF_ERROR(CheckName(folder.name));

  const std::scoped_lock lock(core_->addresses);
  for (const auto& address : addresses) {
    if (address.empty()) return Fail(Errc::kInvalidArgument, "An address is empty");
    ASSIGN_OR_RETURN(const auto taken, core_->engine.Get(Table::kAddresses, address));
    if (taken) return Fail(Errc::kAccountExists, address);
  }
  ASSIGN_OR_RETURN(const auto floor, UidValidityFloor(core_->engine));
  ASSIGN_OR_RETURN(const auto id, core_->accounts.Next());
  const AccountId account_id{id};
  RETURN_IF_ERROR(core_->lanes.Run(account_id, [&](AccountTxn& txn) -> Result<> {
    schema::AccountRow row;
    row.role = static_cast<std::uint8_t>(account.role);
    row.address = account.address;
    for (const auto& address : addresses) {
      if (address != account.address) row.aliases.push_back(address);
      txn.Put(Table::kAddresses, address, schema::AddressRow{account_id}.Encode());
    }
    row.password_hash = account.password_hash;
    row.quota_octets = account.quota_octets;
    row.quota_messages = account.quota_messages;
    row.created = txn.now();
    // A later account under the same address must not repeat a UIDVALIDITY that clients have cached.
    row.next_uid_validity = std::max(floor, static_cast<std::uint32_t>(txn.now()));
    txn.PutAccount(std::move(row));

    FolderTree tree(txn, core_->options, Actor({}, Role::kOperator));
    const Profile& profile = core_->options.profile;
    RETURN_IF_ERROR(tree.CreateAs(FolderKind::kInbox, "INBOX"));
    // Many clients show what is subscribed, and nothing else.
    const auto subscribe = [&](const std::string& path) {
      txn.Put(Table::kSubscriptions, schema::PathKey{account_id, path}.Encode(), schema::MarkerRow());
    };
    for (const auto& [kind, path] : {std::pair(FolderKind::kDefault, profile.default_folder),
                                     std::pair(FolderKind::kRoot, profile.permanent_root)}) {
      if (path.empty()) continue;
      RETURN_IF_ERROR(tree.CreateAs(kind, path));
      subscribe(path);
    }
    for (const auto& folder : account.folders) {
      if (folder.name == "INBOX" || folder.name == profile.default_folder ||
          folder.name == profile.permanent_root)
        continue;
      RETURN_IF_ERROR(tree.Create(folder.name, folder.use));
      subscribe(folder.name);
    }
    return {};
  }));
  return account_id;
}

Result<std::optional<AccountInfo>> MailStore::FindAccount(std::string_view address) {
  ASSIGN_OR_RETURN(const auto value, core_->engine.Get(Table::kAddresses, address));
  if (!value) return std::optional<AccountInfo>{};
  ASSIGN_OR_RETURN(const auto row, schema::AddressRow::Decode(*value));
  auto info = GetAccount(row.account);
  if (!info && info.error().code == Errc::kNoSuchAccount) return std::optional<AccountInfo>{};
  if (!info) return tl::unexpected<Error>(info.error());
  return std::optional<AccountInfo>(*std::move(info));
}

Result<AccountInfo> MailStore::GetAccount(AccountId account) {
  ASSIGN_OR_RETURN(const auto value,
                   core_->engine.Get(Table::kAccounts, schema::AccountKey{account}.Encode()));
  if (!value) return Fail(Errc::kNoSuchAccount);
  ASSIGN_OR_RETURN(auto row, schema::AccountRow::Decode(*value));
  if (IsDeleting(row)) return Fail(Errc::kNoSuchAccount);
  return ToInfo(account, std::move(row));
}

Result<std::vector<AccountInfo>> MailStore::ListAccounts(AccountId after, std::size_t limit) {
  std::vector<AccountInfo> out;
  Result<> bad;
  const auto view = core_->engine.OpenView();
  const auto first = schema::AccountKey{AccountId{after.value + 1}}.Encode();
  RETURN_IF_ERROR(view->Scan(Table::kAccounts, first, {}, [&](std::string_view key, std::string_view value) {
    const auto id = schema::AccountKey::Decode(key);
    auto row = schema::AccountRow::Decode(value);
    if (!id || !row) {
      bad = tl::unexpected<Error>(id ? row.error() : id.error());
      return false;
    }
    if (!IsDeleting(*row)) out.push_back(ToInfo(id->account, *std::move(row)));
    return out.size() < limit;
  }));
  RETURN_IF_ERROR(bad);
  return out;
}

Result<> MailStore::SetPasswordHash(AccountId account, std::string hash) {
  return Edit(*core_, account, [&](schema::AccountRow& row) { row.password_hash = std::move(hash); });
}

Result<> MailStore::SetStatus(AccountId account, AccountStatus status) {
  if (status == AccountStatus::kDeleting) return Fail(Errc::kInvalidArgument, "Use DeleteAccount");
  return core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Account());
    row.status = static_cast<std::uint8_t>(status);
    txn.PutAccount(std::move(row));
    if (status == AccountStatus::kDisabled) txn.Announce(Origin{}, AccountClosed{});
    return {};
  });
}

Result<> MailStore::SetQuota(AccountId account, std::uint64_t octets, std::uint64_t messages) {
  return Edit(*core_, account, [&](schema::AccountRow& row) {
    row.quota_octets = octets;
    row.quota_messages = messages;
  });
}

Result<> MailStore::DeleteAccount(AccountId account) {
  const std::scoped_lock lock(core_->addresses);
  const schema::IntentKey intent{account, schema::IntentKind::kDropAccount, 0};
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Account());
    row.status = static_cast<std::uint8_t>(AccountStatus::kDeleting);
    txn.Erase(Table::kAddresses, row.address);
    for (const auto& alias : row.aliases) txn.Erase(Table::kAddresses, alias);
    ASSIGN_OR_RETURN(const auto floor, UidValidityFloor(core_->engine));
    if (row.next_uid_validity > floor)
      txn.Put(Table::kMeta, kUidValidityFloor, schema::Writer().U32(row.next_uid_validity).Take());
    txn.PutAccount(std::move(row));
    txn.Put(Table::kIntents, intent.Encode(), schema::MarkerRow());
    txn.Announce(Origin{}, AccountClosed{});
    return {};
  }));
  core_->deleted.Add(account);
  core_->janitor.Add(intent);
  return {};
}

}  // namespace storage
