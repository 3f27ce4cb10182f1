// SetAcl, DeleteAcl, GetAcl, ListRights, MyRights: RFC 4314 as the store sees it. Who may do what with a
// folder is decided in rights.h.
#include <algorithm>

#include <fmt/format.h>

#include "storage/store/core.h"
#include "storage/store/default_folder.h"
#include "storage/store/folder_tree.h"
#include "storage/store/rights.h"

namespace storage {
namespace {

using kv::Table;
using protocol::RightsChange;
using schema::AclEntry;

auto FindEntry(Acl& acl, std::string_view identifier) {
  return std::ranges::lower_bound(acl, identifier, {},
                                  [](const AclEntry& entry) -> std::string_view { return entry.identifier; });
}

/// The list, and with it what the folder's row says of it.
void PutAcl(AccountTxn& txn, FolderId folder, schema::FolderRow& row, const Acl& acl,
            const schema::AccountRow& owner) {
  const std::string key = schema::FolderKey{txn.account(), folder}.Encode();
  if (acl.empty()) {
    row.owner_rights.reset();
    txn.Erase(Table::kAcl, key);
  } else {
    row.owner_rights = OwnersPart(acl, owner);
    txn.Put(Table::kAcl, key, schema::AclRow{acl}.Encode());
  }
  txn.PutFolder(folder, row);
}

/// One folder that somebody asks about, in the account's lane or in a view.
template <class Rows>
class Asked {
 public:
  /// kNoSuchFolder also for names without a folder: there is nothing that a list could be of.
  static Result<Asked> Find(Rows& rows, AccountId account, std::string_view path) {
    if (!schema::PathKey::IsPath(path)) return Fail(Errc::kNoSuchFolder);
    ASSIGN_OR_RETURN(const auto value,
                     rows.Get(Table::kFolderNames, schema::PathKey{account, std::string(path)}.Encode()));
    if (!value) return Fail(Errc::kNoSuchFolder);
    ASSIGN_OR_RETURN(const auto name, schema::FolderNameRow::Decode(*value));
    if (name.folder.value == 0) return Fail(Errc::kNoSuchFolder);
    Asked out;
    out.ref = {account, name.folder};
    ASSIGN_OR_RETURN(const auto folder,
                     rows.Get(Table::kFolders, schema::FolderKey{account, name.folder}.Encode()));
    if (!folder) return Fail(Errc::kNoSuchFolder);
    ASSIGN_OR_RETURN(out.row, schema::FolderRow::Decode(*folder));
    ASSIGN_OR_RETURN(const auto owner, rows.Get(Table::kAccounts, schema::AccountKey{account}.Encode()));
    if (!owner) return Fail(Errc::kNoSuchAccount);
    ASSIGN_OR_RETURN(out.owner, schema::AccountRow::Decode(*owner));
    return out;
  }

  FolderRef ref;
  schema::FolderRow row;
  schema::AccountRow owner;
};

/// One change of a list, in its account's lane.
class AclChange {
 public:
  AclChange(AccountTxn& txn, const Asked<AccountTxn>& asked, const Profile& profile, Origin origin)
      : txn_(txn), asked_(asked), profile_(profile), origin_(origin) {}

  Result<> Set(const std::string& identifier, const RightsChange& change) {
    const bool owners = identifier == asked_.owner.address;
    ASSIGN_OR_RETURN(Acl acl, ReadAcl(txn_, asked_.ref));
    const auto at = FindEntry(acl, identifier);
    const bool named = at != acl.end() && at->identifier == identifier;
    const Rights before = named ? at->rights : owners ? Rights::All() : Rights();
    Rights after = change.ApplyTo(before);
    if (owners) after = after | kOwnerKeeps;
    if (after == before) return {};
    if (!(after - before).empty()) RETURN_IF_ERROR(MayGive(identifier));
    // An owner who may do all, and anybody else who may do nothing, needs no entry.
    const bool needless = owners ? after == Rights::All() : after.empty();
    if (named && needless) {
      acl.erase(at);
    } else if (named) {
      at->rights = after;
    } else {
      if (acl.size() >= kMaxAclEntries) {
        return Fail(Errc::kLimit,
                    fmt::format("An access control list holds at most {} identifiers; delete some first",
                                kMaxAclEntries));
      }
      acl.insert(at, {identifier, after});
    }
    return Put(std::move(acl), identifier);
  }

  Result<> Delete(const std::string& identifier) {
    ASSIGN_OR_RETURN(Acl acl, ReadAcl(txn_, asked_.ref));
    const auto at = FindEntry(acl, identifier);
    if (at == acl.end() || at->identifier != identifier) return {};
    acl.erase(at);
    return Put(std::move(acl), identifier);
  }

 private:
  Result<> MayGive(const std::string& identifier) const {
    const std::string_view who = WhoOf(identifier);
    if (who == asked_.owner.address) return {};
    switch (profile_.sharing) {
      case Sharing::kAnyone: return {};
      case Sharing::kNamed:
        if (who != kAnyone && who != kAuthenticated) return {};
        return Fail(Errc::kNotAllowed,
                    "Here a mailbox is shared with users that are named, not with everybody");
      case Sharing::kNobody: break;
    }
    return Fail(Errc::kNotAllowed, "Mailboxes are not shared here");
  }

  Result<> Put(Acl acl, const std::string& identifier) {
    RETURN_IF_ERROR(txn_.NextModSeq());
    schema::FolderRow row = asked_.row;
    PutAcl(txn_, asked_.ref.folder, row, acl, asked_.owner);
    if (WhoOf(identifier) != asked_.owner.address)
      RETURN_IF_ERROR(Grants::Leave(txn_, asked_.ref.folder, {identifier}));
    txn_.Announce(origin_, AclChanged{asked_.ref.folder, row.path, row.owner_rights,
                                      std::make_shared<const Acl>(std::move(acl)), asked_.row.owner_rights});
    return {};
  }

  AccountTxn& txn_;
  const Asked<AccountTxn>& asked_;
  const Profile& profile_;
  const Origin origin_;
};

void TellGrantee(MailStore::Core& core, std::string_view address) {
  const auto value = core.engine.Get(kv::Table::kAddresses, address);
  if (!value || !*value) return;
  const auto row = schema::AddressRow::Decode(**value);
  if (row)
    core.feed.Publish(
        std::make_shared<const Change>(Change{row->account, ModSeq{}, Origin{}, SharedFoldersChanged{}}));
}

/// A change in the lane, and then what it left in `grants`, so that whoever has been given a right finds the
/// folder when this returns.
Result<> ChangeAcl(MailStore::Core& core, AccountId account, std::string_view path, std::string_view text,
                   const Actor& actor,
                   const std::function<Result<>(AclChange&, const std::string&)>& change) {
  FolderId folder;
  std::string identifier;
  RETURN_IF_ERROR(core.lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
    RETURN_IF_ERROR(txn.Account());
    ASSIGN_OR_RETURN(const auto asked, Asked<AccountTxn>::Find(txn, account, path));
    folder = asked.ref.folder;
    ASSIGN_OR_RETURN(const Rights have, RightsOf(txn, asked.ref, asked.row, actor));
    RETURN_IF_ERROR(Demand(have, Right::kAdminister));
    ASSIGN_OR_RETURN(identifier, CanonicalIdentifier(text, asked.owner));
    AclChange one(txn, asked, core.options.profile, actor.origin);
    return change(one, identifier);
  }));
  // The list stands whatever becomes of this; the janitor was told, and tries again.
  static_cast<void>(core.grants.Settle({account, schema::IntentKind::kGrants, folder.value}));
  TellGrantee(core, WhoOf(identifier));
  return {};
}

/// Of one account's folder, whoever is named by these is named no more.
Result<> Unname(MailStore::Core& core, FolderRef folder, const std::vector<std::string>& names) {
  const auto done = core.lanes.Run(folder.account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(const auto owner, txn.Account());
    ASSIGN_OR_RETURN(auto row, txn.Folder(folder.folder));
    ASSIGN_OR_RETURN(Acl acl, ReadAcl(txn, folder));
    const auto [first, last] = std::ranges::remove_if(acl, [&](const AclEntry& entry) {
      return std::ranges::find(names, WhoOf(entry.identifier)) != names.end();
    });
    if (first == last) return {};
    acl.erase(first, last);
    RETURN_IF_ERROR(txn.NextModSeq());
    const auto had = row.owner_rights;
    PutAcl(txn, folder.folder, row, acl, owner);
    RETURN_IF_ERROR(Grants::Leave(txn, folder.folder, names));
    txn.Announce(Origin{}, AclChanged{folder.folder, row.path, row.owner_rights,
                                      std::make_shared<const Acl>(std::move(acl)), had});
    return {};
  });
  if (done) return core.grants.Settle({folder.account, schema::IntentKind::kGrants, folder.folder.value});
  // Gone meanwhile: what is in `grants` of it goes by its own intents.
  const Errc code = done.error().code;
  if (code == Errc::kNoSuchAccount || code == Errc::kNoSuchFolder) return {};
  return done;
}

}  // namespace

Result<Rights> ShownRights(const kv::View& view, AccountId account, const schema::FolderRow& row, Rights have,
                           Role role, const Profile& profile) {
  const auto lies_in = [&](std::string_view folder) {
    return !folder.empty() && (row.path == folder || row.path.starts_with(std::string(folder) + '/'));
  };
  model::Place place{.kind = static_cast<FolderKind>(row.kind), .in_root = lies_in(profile.permanent_root)};
  if (!profile.owner_may_write_default) {  // else no rule asks
    ASSIGN_OR_RETURN(const std::string home, FindDefaultFolder(view, account, profile.default_folder));
    place.in_default = lies_in(home);
  }
  return have & model::MayEver(place, {role, profile});
}

Result<> InheritAcl(AccountTxn& txn, FolderId parent, FolderId folder, schema::FolderRow& row) {
  ASSIGN_OR_RETURN(const auto above, txn.Folder(parent));
  if (!above.owner_rights) return {};
  ASSIGN_OR_RETURN(const Acl acl, ReadAcl(txn, {txn.account(), parent}));
  ASSIGN_OR_RETURN(const auto owner, txn.Account());
  PutAcl(txn, folder, row, acl, owner);
  // Nobody looks for what is their own there, and so it is not told when that goes.
  auto names = NamesIn(acl);
  std::erase(names, owner.address);
  if (!names.empty()) RETURN_IF_ERROR(Grants::Leave(txn, folder, names));
  txn.Announce(Origin{}, AclChanged{folder, row.path, row.owner_rights,
                                    std::make_shared<const Acl>(std::move(acl)), row.owner_rights, true});
  return {};
}

Result<> DropAcl(AccountTxn& txn, FolderId folder, const schema::FolderRow& row) {
  if (!row.owner_rights) return {};
  ASSIGN_OR_RETURN(const Acl acl, ReadAcl(txn, {txn.account(), folder}));
  txn.Erase(Table::kAcl, schema::FolderKey{txn.account(), folder}.Encode());
  return Grants::Leave(txn, folder, NamesIn(acl));
}

Result<> ForgetGrantee(MailStore::Core& core, AccountId account) {
  ASSIGN_OR_RETURN(const auto value, core.engine.Get(Table::kAccounts, schema::AccountKey{account}.Encode()));
  if (!value) return {};
  ASSIGN_OR_RETURN(const auto row, schema::AccountRow::Decode(*value));
  std::vector<std::string> names = row.aliases;
  names.push_back(row.address);
  constexpr std::size_t kSome = 256;
  for (const auto& name : names) {
    std::optional<schema::GrantKey> after;
    for (;;) {
      ASSIGN_OR_RETURN(const auto grants, core.grants.Find(name, kSome, after));
      for (const auto& grant : grants) RETURN_IF_ERROR(Unname(core, {grant.account, grant.folder}, names));
      if (grants.size() < kSome) break;
      after = grants.back();
    }
  }
  return {};
}

Result<> MailStore::SetAcl(AccountId account, std::string_view path, std::string_view identifier,
                           const RightsChange& change, const Actor& actor) {
  return ChangeAcl(*core_, account, path, identifier, actor,
                   [&](AclChange& acl, const std::string& who) { return acl.Set(who, change); });
}

Result<> MailStore::DeleteAcl(AccountId account, std::string_view path, std::string_view identifier,
                              const Actor& actor) {
  return ChangeAcl(*core_, account, path, identifier, actor,
                   [](AclChange& acl, const std::string& who) { return acl.Delete(who); });
}

Result<std::vector<AclEntry>> MailStore::GetAcl(AccountId account, std::string_view path,
                                                const Actor& actor) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto asked, Asked<kv::View>::Find(*view, account, path));
  ASSIGN_OR_RETURN(const Rights have, RightsOf(*view, asked.ref, asked.row, actor));
  RETURN_IF_ERROR(Demand(have, Right::kAdminister));
  ASSIGN_OR_RETURN(Acl acl, ReadAcl(*view, asked.ref));
  const auto at = FindEntry(acl, asked.owner.address);
  if (at != acl.end() && at->identifier == asked.owner.address) {
    std::rotate(acl.begin(), at, at + 1);
  } else {
    acl.insert(acl.begin(), {asked.owner.address, Rights::All()});
  }
  Rights& owners = acl.front().rights;
  ASSIGN_OR_RETURN(owners,
                   ShownRights(*view, account, asked.row, owners, Role::kUser, core_->options.profile));
  return acl;
}

Result<GrantableRights> MailStore::ListRights(AccountId account, std::string_view path,
                                              std::string_view identifier, const Actor& actor) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto asked, Asked<kv::View>::Find(*view, account, path));
  ASSIGN_OR_RETURN(const Rights have, RightsOf(*view, asked.ref, asked.row, actor));
  RETURN_IF_ERROR(Demand(have, Right::kAdminister));
  ASSIGN_OR_RETURN(const std::string who, CanonicalIdentifier(identifier, asked.owner));
  GrantableRights out{.always = {}, .optional = Rights::All()};
  if (who == asked.owner.address) {
    out = {.always = kOwnerKeeps, .optional = Rights::All() - kOwnerKeeps};
  } else if (core_->options.profile.sharing == Sharing::kNobody ||
             (core_->options.profile.sharing == Sharing::kNamed &&
              (WhoOf(who) == kAnyone || WhoOf(who) == kAuthenticated))) {
    out.optional = {};
  }
  return out;
}

Result<Rights> MailStore::MyRights(AccountId account, std::string_view path, const Actor& actor) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  const auto view = core_->engine.OpenView();
  ASSIGN_OR_RETURN(const auto asked, Asked<kv::View>::Find(*view, account, path));
  ASSIGN_OR_RETURN(const Rights have, RightsOf(*view, asked.ref, asked.row, actor));
  RETURN_IF_ERROR(DemandAny(have, kAnyForMyRights));
  return ShownRights(*view, account, asked.row, have, actor.role, core_->options.profile);
}

Result<std::vector<Rights>> MailStore::ReadRights(const FolderNames& names, const Actor& actor) {
  return names.ReadRights(core_->options.profile, actor);
}

}  // namespace storage
