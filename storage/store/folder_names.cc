#include "storage/store/folder_names.h"

#include <cstring>
#include <unordered_map>

#include "protocol/model/mailbox_name.h"
#include "storage/schema/rows.h"
#include "storage/store/core.h"
#include "storage/store/folder_reader.h"
#include "storage/store/folder_tree.h"
#include "storage/store/rights.h"

namespace storage {

using kv::Table;

namespace {

bool IsInferior(std::string_view path, std::string_view superior) {
  return path.size() > superior.size() && path[superior.size()] == protocol::kHierarchyDelimiter &&
         path.starts_with(superior);
}

/// Reading a row of the account that is not wanted costs about an eighth of asking for one that is.
constexpr std::uint64_t kRowsAGet = 8;

}  // namespace

std::span<char> FolderNames::Keep(std::string_view octets) const {
  if (octets.empty()) return {};
  auto* const kept = static_cast<char*>(arena_->allocate(octets.size(), 1));
  std::memcpy(kept, octets.data(), octets.size());
  return {kept, octets.size()};
}

/// Among the last name added and its superiors: names come in path order.
std::uint32_t FolderNames::SuperiorOf(std::string_view path) const {
  auto at = names_.empty() ? FolderName::kNone : static_cast<std::uint32_t>(names_.size() - 1);
  while (at != FolderName::kNone && !IsInferior(path, names_[at].path)) at = names_[at].superior;
  return at;
}

FolderName& FolderNames::Add(std::string_view on_disk) {
  const std::span<char> kept = Keep(on_disk);
  schema::PathKey::ToPath(kept);
  const std::string_view path(kept.data(), kept.size());
  return names_.emplace_back(FolderName{.path = path, .superior = SuperiorOf(path)});
}

/// A subscribed name that has no row, after those of its superiors that are not there yet.
void FolderNames::AddSubscribed(std::string_view on_disk) {
  std::string path(on_disk);
  schema::PathKey::ToPath(path);
  const std::uint32_t superior = SuperiorOf(path);
  const std::size_t known = superior == FolderName::kNone ? 0 : names_[superior].path.size() + 1;
  for (auto slash = path.find('/', known); slash != std::string::npos; slash = path.find('/', slash + 1))
    Add(on_disk.substr(0, slash));
  Add(on_disk).subscribed = true;
}

Result<> FolderNames::ReadSubscriptions(const std::string& first, const std::string& end,
                                        std::vector<std::string_view>& out) const {
  return view_->Scan(Table::kSubscriptions, first, end, [&](std::string_view key, std::string_view) {
    const std::span<char> kept = Keep(schema::PathKey::OnDisk(key));
    out.emplace_back(kept.data(), kept.size());
    return true;
  });
}

Result<> FolderNames::ReadAll(const NamesScope& scope) {
  if (!schema::PathKey::IsPath(scope.prefix)) return {};
  const std::string first = schema::PathKey{account_, scope.prefix}.Encode();
  const std::string end = kv::PrefixEnd(first);
  std::vector<std::string_view> subscribed;  // as on disk
  if (scope.subscriptions) RETURN_IF_ERROR(ReadSubscriptions(first, end, subscribed));

  auto next = subscribed.begin();
  Result<> bad;
  RETURN_IF_ERROR(
      view_->Scan(Table::kFolderNames, first, end, [&](std::string_view key, std::string_view value) {
        const std::string_view on_disk = schema::PathKey::OnDisk(key);
        for (; next != subscribed.end() && *next < on_disk; ++next) AddSubscribed(*next);
        const auto row = schema::FolderNameRow::Decode(value);
        if (!row) {
          bad = tl::unexpected<Error>(row.error());
          return false;
        }
        FolderName& name = Add(on_disk);
        name.id = row->folder;
        name.kind = static_cast<FolderKind>(row->kind);
        name.use = row->use;
        name.named = true;
        if (name.superior != FolderName::kNone) names_[name.superior].has_children = true;
        if (next != subscribed.end() && *next == on_disk) {
          name.subscribed = true;
          ++next;
        }
        return true;
      }));
  RETURN_IF_ERROR(bad);
  for (; next != subscribed.end(); ++next) AddSubscribed(*next);
  return {};
}

Result<> FolderNames::ReadStatus(std::string_view value, FolderId folder, const StatusCounts& counts,
                                 const StatusVisitor& visit) const {
  ASSIGN_OR_RETURN(const auto row, schema::FolderRow::DecodeCounts(value));
  FolderStatus status = ToStatus({account_, folder}, row);
  RETURN_IF_ERROR(AddCounts(*view_, counts, row, status));
  visit(status);
  return {};
}

Result<> FolderNames::Statuses(std::span<const FolderId> folders, const StatusCounts& counts,
                               const StatusVisitor& visit) const {
  if (folders.empty()) return {};
  const std::uint64_t span = folders.back().value - folders.front().value;
  if (span / kRowsAGet >= folders.size()) {
    for (const FolderId folder : folders) {
      ASSIGN_OR_RETURN(const auto value,
                       view_->Get(Table::kFolders, schema::FolderKey{account_, folder}.Encode()));
      if (!value) return Fail(Errc::kCorruption, "a folder has a name, but no row");
      RETURN_IF_ERROR(ReadStatus(*value, folder, counts, visit));
    }
    return {};
  }
  const std::string first = schema::FolderKey{account_, folders.front()}.Encode();
  const std::string end = schema::FolderKey{account_, folders.back()}.Encode() + '\0';
  auto next = folders.begin();
  Result<> bad;
  RETURN_IF_ERROR(view_->Scan(Table::kFolders, first, end, [&](std::string_view key, std::string_view value) {
    const auto at = schema::FolderKey::Decode(key);
    if (!at)
      bad = tl::unexpected<Error>(at.error());
    else if (next != folders.end() && at->folder == *next)
      bad = ReadStatus(value, *next++, counts, visit);
    return bad.has_value();
  }));
  RETURN_IF_ERROR(bad);
  if (next != folders.end()) return Fail(Errc::kCorruption, "a folder has a name, but no row");
  return {};
}

Result<std::vector<protocol::Rights>> FolderNames::ReadRights(const Profile& profile,
                                                              const Actor& actor) const {
  // Few folders have a list, and those are together.
  std::unordered_map<FolderId, protocol::Rights> listed;
  ASSIGN_OR_RETURN(const auto value, view_->Get(Table::kAccounts, schema::AccountKey{account_}.Encode()));
  if (!value) return Fail(Errc::kNoSuchAccount);
  ASSIGN_OR_RETURN(const auto owner, schema::AccountRow::Decode(*value));
  Result<> bad;
  const std::string prefix = schema::AccountPrefix(account_);
  RETURN_IF_ERROR(view_->Scan(Table::kAcl, prefix, kv::PrefixEnd(prefix),
                              [&](std::string_view key, std::string_view row) {
                                const auto at = schema::FolderKey::Decode(key);
                                const auto acl = schema::AclRow::Decode(row);
                                if (at && acl)
                                  listed[at->folder] = OwnersPart(acl->entries, owner);
                                else
                                  bad = tl::unexpected<Error>(at ? acl.error() : at.error());
                                return bad.has_value();
                              }));
  RETURN_IF_ERROR(bad);
  std::vector<protocol::Rights> out(names_.size());
  std::vector<model::Place> places(names_.size());
  for (std::size_t i = 0; i < names_.size(); ++i) {
    const FolderName& name = names_[i];
    if (name.superior != FolderName::kNone) places[i] = places[name.superior];
    model::Place& place = places[i];
    place.kind = name.kind;
    place.in_default = place.in_default || name.kind == FolderKind::kDefault;
    place.in_root = place.in_root || name.kind == FolderKind::kRoot;
    if (name.id.value == 0) continue;
    schema::FolderRow row;
    if (const auto at = listed.find(name.id); at != listed.end()) row.owner_rights = at->second;
    out[i] = RightsOfHost(row.owner_rights, actor) & model::MayEver(place, {actor.role, profile});
  }
  return out;
}

Result<FolderNames> MailStore::ReadNames(AccountId account, const NamesScope& scope) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  FolderNames names(core_->engine.OpenView(), account);
  RETURN_IF_ERROR(names.ReadAll(scope));
  return names;
}

Result<FolderName> MailStore::FindName(AccountId account, std::string_view path) {
  RETURN_IF_ERROR(core_->deleted.Check(account));
  FolderName name{.path = path};
  if (!schema::PathKey::IsPath(path)) return name;
  const auto view = core_->engine.OpenView();
  const std::string key = schema::PathKey{account, std::string(path)}.Encode();
  ASSIGN_OR_RETURN(const auto value, view->Get(Table::kFolderNames, key));
  if (value) {
    ASSIGN_OR_RETURN(const auto row, schema::FolderNameRow::Decode(*value));
    name.id = row.folder;
    name.kind = static_cast<FolderKind>(row.kind);
    name.use = row.use;
    name.named = true;
  }
  ASSIGN_OR_RETURN(const auto subscription, view->Get(Table::kSubscriptions, key));
  name.subscribed = subscription.has_value();
  // Inferiors follow their superior at once in key order (PathKey).
  const std::string below =
      schema::PathKey{account, std::string(path) + protocol::kHierarchyDelimiter}.Encode();
  RETURN_IF_ERROR(view->Scan(Table::kFolderNames, below, kv::PrefixEnd(below), [&](auto, auto) {
    name.has_children = true;
    return false;
  }));
  return name;
}

}  // namespace storage
