// ListShared: what others have given to somebody, found by `grants`, so that no account is looked through.
#include "storage/store/shared_folders.h"

#include <algorithm>
#include <map>
#include <set>

#include "storage/store/core.h"
#include "storage/store/rights.h"

namespace storage {
namespace {

using kv::Table;

constexpr std::size_t kGrantsPerPage = 1024;

/// Where somebody of this name is named, in accounts but their own.
Result<> AddGrants(const Grants& grants, std::string_view identifier, AccountId own,
                   std::set<FolderRef>& out) {
  std::optional<schema::GrantKey> after;
  for (;;) {
    ASSIGN_OR_RETURN(const auto page, grants.Find(identifier, kGrantsPerPage, after));
    for (const auto& grant : page) {
      if (grant.account != own) out.insert({grant.account, grant.folder});
    }
    if (page.size() < kGrantsPerPage) return {};
    after = page.back();
  }
}

/// What is not in `grants` yet: lists of this account that name them, or did, and are to be settled.
Result<> AddUnsettled(kv::Engine& engine, AccountId account, const Principal& guest,
                      std::set<FolderRef>& out) {
  const auto key = [&](std::uint64_t id) {
    return schema::IntentKey{account, schema::IntentKind::kGrants, id}.Encode();
  };
  Result<> bad;
  RETURN_IF_ERROR(engine.OpenView()->Scan(
      Table::kIntents, key(0), key(~std::uint64_t{0}), [&](std::string_view at, std::string_view value) {
        const auto intent = schema::IntentKey::Decode(at);
        const auto row = schema::GrantsRow::Decode(value);
        if (!intent || !row) {
          bad = tl::unexpected<Error>(intent ? row.error() : intent.error());
          return false;
        }
        const auto names = [&](const std::string& who) {
          return std::ranges::find(guest.identifiers, who) != guest.identifiers.end();
        };
        if (std::ranges::any_of(row->identifiers, names)) out.insert({account, FolderId{intent->id}});
        return true;
      }));
  return bad;
}

/// Accounts whose folders are asked about, each read once.
class Owners {
 public:
  explicit Owners(const kv::View& view) : view_(view) {}

  /// nullptr: it is gone or disabled, so nobody sees its folders.
  Result<const schema::AccountRow*> Find(AccountId account) {
    const auto [at, fresh] = rows_.try_emplace(account.value);
    if (fresh) {
      ASSIGN_OR_RETURN(const auto value, view_.Get(Table::kAccounts, schema::AccountKey{account}.Encode()));
      if (value) {
        ASSIGN_OR_RETURN(auto row, schema::AccountRow::Decode(*value));
        if (row.status == static_cast<std::uint8_t>(AccountStatus::kActive)) at->second = std::move(row);
      }
    }
    return at->second ? &*at->second : nullptr;
  }

 private:
  const kv::View& view_;
  std::map<std::uint64_t, std::optional<schema::AccountRow>> rows_;
};

/// nullopt: it is not there, or they may not see it.
Result<std::optional<SharedFolder>> Look(const kv::View& view, FolderRef ref, const Principal& guest,
                                         const schema::AccountRow& owner, const Profile& profile) {
  ASSIGN_OR_RETURN(const auto value,
                   view.Get(Table::kFolders, schema::FolderKey{ref.account, ref.folder}.Encode()));
  if (!value) return std::optional<SharedFolder>{};
  ASSIGN_OR_RETURN(auto row, schema::FolderRow::Decode(*value));
  ASSIGN_OR_RETURN(const Acl acl, ReadAcl(view, ref));
  const Rights rights = Granted(acl, guest.identifiers);
  if (!rights.Has(Right::kLookup)) return std::optional<SharedFolder>{};
  ASSIGN_OR_RETURN(const Rights shown, ShownRights(view, ref.account, row, rights, Role::kUser, profile));
  return std::optional(SharedFolder{
      .ref = ref, .owner = owner.address, .path = std::move(row.path), .use = row.use, .rights = shown});
}

}  // namespace

Result<std::vector<SharedFolder>> MailStore::ListShared(const Principal& guest,
                                                        std::span<const AccountId> watched) {
  std::set<FolderRef> refs;
  // First: what is settled meanwhile is in `grants` when those are read.
  for (const AccountId account : watched) RETURN_IF_ERROR(AddUnsettled(core_->engine, account, guest, refs));
  for (const auto& identifier : guest.identifiers)
    RETURN_IF_ERROR(AddGrants(core_->grants, identifier, guest.account, refs));
  std::vector<SharedFolder> out;
  if (refs.empty()) return out;
  const auto view = core_->engine.OpenView();
  Owners owners(*view);
  for (const FolderRef& ref : refs) {
    ASSIGN_OR_RETURN(const auto* owner, owners.Find(ref.account));
    if (owner == nullptr) continue;
    ASSIGN_OR_RETURN(auto folder, Look(*view, ref, guest, *owner, core_->options.profile));
    if (folder) out.push_back(*std::move(folder));
  }
  return out;
}

}  // namespace storage
