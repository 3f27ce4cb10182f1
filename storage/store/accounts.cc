#include <algorithm>

#include <fmt/format.h>

#include "storage/schema/bytes.h"
#include "storage/store/annotation_edit.h"
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
          .quota = row.quota,
          .used_octets = row.used_octets,
          .used_messages = row.used_messages,
          .folders = row.folders,
          .created = row.created,
          .modseq = row.modseq,
          .act_for = std::move(row.act_for)};
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

Result<> CheckLimits(const QuotaLimits& limits) {
  for (const auto& limit : {limits.octets, limits.messages, limits.folders, limits.annotation_octets}) {
    if (limit && *limit > kMaxQuota)
      return Fail(Errc::kInvalidArgument, fmt::format("A quota is at most {}", kMaxQuota));
  }
  return {};
}

/// What is shown to the operator in one piece, and read at each login of a PF.
constexpr std::size_t kMaxActFor = 200;
constexpr std::size_t kMaxPattern = 255;  ///< octets; an address has no more

Result<> CheckPattern(std::string_view pattern) {
  const bool printable = std::ranges::all_of(pattern, [](char c) { return c > ' ' && c < '\x7f'; });
  if ((pattern.starts_with("tel:") || pattern.starts_with("sip:")) && printable &&
      pattern.size() <= kMaxPattern)
    return {};
  return Fail(Errc::kInvalidArgument,
              fmt::format("A pattern begins with tel: or sip:, as canonical addresses do, and has at most {} "
                          "printable ASCII characters",
                          kMaxPattern));
}

Result<> CheckActFor(Role role, const std::vector<std::string>& patterns) {
  if (role != Role::kPf && !patterns.empty())
    return Fail(Errc::kInvalidArgument, "Only an account of role pf acts for others");
  if (patterns.size() > kMaxActFor)
    return Fail(Errc::kLimit,
                fmt::format("It has at most {} patterns; one may stand for many addresses", kMaxActFor));
  for (const auto& pattern : patterns) RETURN_IF_ERROR(CheckPattern(pattern));
  return {};
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
  RETURN_IF_ERROR(CheckLimits(account.quota));
  RETURN_IF_ERROR(CheckActFor(account.role, account.act_for));

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
    row.quota = account.quota;
    row.act_for = account.act_for;
    row.created = txn.now();
    // A later account under the same address must not repeat a UIDVALIDITY that clients have cached.
    row.next_uid_validity = std::max(floor, static_cast<std::uint32_t>(txn.now()));
    row.marks.emplace();
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

Result<> MailStore::SetQuota(AccountId account, const QuotaLimits& limits) {
  return ChangeQuota(account, [&](QuotaLimits& quota) { quota = limits; });
}

Result<> MailStore::ChangeQuota(AccountId account, const std::function<void(QuotaLimits&)>& change) {
  return core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Account());
    change(row.quota);
    RETURN_IF_ERROR(CheckLimits(row.quota));
    txn.PutAccount(std::move(row));
    return {};
  });
}

Result<Quota> MailStore::GetQuota(AccountId account) {
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto value, view->Get(Table::kAccounts, schema::AccountKey{account}.Encode()));
  if (!value) return Fail(Errc::kNoSuchAccount);
  ASSIGN_OR_RETURN(const auto row, schema::AccountRow::Decode(*value));
  if (IsDeleting(row)) return Fail(Errc::kNoSuchAccount);
  ASSIGN_OR_RETURN(const auto annotations, UseOfAnnotations(*view, account));
  const auto& options = core_->options;
  const auto least = [](const std::optional<std::uint64_t>& own, std::uint64_t of_all) {
    return std::min(own.value_or(of_all), of_all);
  };
  Quota quota{.use = {.octets = row.used_octets,
                      .messages = row.used_messages,
                      .folders = row.folders,
                      .annotation_octets = annotations.octets},
              .own = row.quota,
              .limits = row.quota};
  quota.limits.folders = least(row.quota.folders, options.max_folders);
  quota.limits.annotation_octets = least(row.quota.annotation_octets, options.max_account_annotation_octets);
  return quota;
}

Result<std::vector<std::string>> MailStore::ChangeActFor(AccountId account,
                                                         const std::vector<std::string>& allow,
                                                         const std::vector<std::string>& revoke) {
  std::vector<std::string> now;
  RETURN_IF_ERROR(core_->lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Account());
    if (row.role != static_cast<std::uint8_t>(Role::kPf))
      return Fail(Errc::kInvalidArgument, "Only an account of role pf acts for others");
    for (const auto& pattern : revoke) {
      if (std::erase(row.act_for, pattern) == 0)
        return Fail(Errc::kInvalidArgument, fmt::format("It has no pattern \"{}\"", pattern));
    }
    for (const auto& pattern : allow) {
      if (std::ranges::find(row.act_for, pattern) == row.act_for.end()) row.act_for.push_back(pattern);
    }
    RETURN_IF_ERROR(CheckActFor(Role::kPf, row.act_for));
    now = row.act_for;
    txn.PutAccount(std::move(row));
    return {};
  }));
  return now;
}

Result<> MailStore::DeleteAccount(AccountId account) {
  const std::scoped_lock lock(core_->addresses);
  const schema::IntentKey intent{account, schema::IntentKind::kDropAccount, 0};
  // Before the addresses are free for another, who must not be taken for this one.
  RETURN_IF_ERROR(ForgetGrantee(*core_, account));
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
  // Who was named meanwhile. If that fails, a later owner of the address has what was given to this one in
  // the last moment.
  static_cast<void>(ForgetGrantee(*core_, account));
  core_->deleted.Add(account);
  core_->janitor.Add(intent);
  return {};
}

}  // namespace storage
