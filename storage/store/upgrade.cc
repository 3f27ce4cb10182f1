#include "storage/store/upgrade.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "storage/store/folder_tree.h"

namespace storage {
namespace {

using kv::Table;

/// Levels below `folder`: 1 for what lies directly in it.
std::ptrdiff_t Depth(std::string_view path, std::string_view folder) {
  return std::ranges::count(path.substr(folder.size()), '/');
}

/// The model has no folder below a session. What an old store has there moves out, beside the default folder.
Result<> MoveOut(FolderTree& tree, const std::string& path, const std::string& folder) {
  const std::string wanted = fmt::format("{}-moved{}", folder, std::string_view(path).substr(folder.size()));
  std::string to = wanted;
  for (int n = 2;; ++n) {
    ASSIGN_OR_RETURN(const auto taken, tree.Find(to));
    if (!taken) return tree.RenameUnasked(path, to);
    to = fmt::format("{}-{}", wanted, n);
  }
}

Result<> MakeDefault(FolderTree& tree, const std::string& folder) {
  ASSIGN_OR_RETURN(const std::string has, tree.DefaultFolder());
  if (!has.empty()) return {};
  for (;;) {
    ASSIGN_OR_RETURN(const auto below, tree.Inferiors(folder));
    const auto deep =
        std::ranges::find_if(below, [&](const auto& name) { return Depth(name.path, folder) > 2; });
    if (deep == below.end()) break;
    RETURN_IF_ERROR(MoveOut(tree, deep->path, folder));
  }
  RETURN_IF_ERROR(tree.Establish(FolderKind::kDefault, folder));
  ASSIGN_OR_RETURN(const auto below, tree.Inferiors(folder));
  for (const auto& name : below) {
    const auto kind = Depth(name.path, folder) == 1 ? FolderKind::kConversation : FolderKind::kSession;
    RETURN_IF_ERROR(tree.Establish(kind, name.path));
  }
  return {};
}

Result<std::vector<AccountId>> AllAccounts(MailStore::Core& core) {
  std::vector<AccountId> accounts;
  Result<> bad;
  RETURN_IF_ERROR(
      core.engine.OpenView()->Scan(Table::kAccounts, {}, {}, [&](std::string_view key, std::string_view) {
        const auto at = schema::AccountKey::Decode(key);
        if (at)
          accounts.push_back(at->account);
        else
          bad = tl::unexpected<Error>(at.error());
        return bad.has_value();
      }));
  RETURN_IF_ERROR(bad);
  return accounts;
}

/// The kinds of the messages from `next` on, until there are enough for one commit; then `next` is where to
/// go on, and empty after the last. Rows of messages that are not visible are among them: whoever frees a row
/// frees what is in `ids` of it.
Result<> IndexSome(AccountTxn& txn, std::string& next) {
  constexpr std::size_t kMost = 5000;
  std::vector<schema::IdKey> kinds;
  const std::string first = std::exchange(next, {});
  Result<> bad;
  RETURN_IF_ERROR(txn.Scan(Table::kMessages, first, kv::PrefixEnd(schema::AccountPrefix(txn.account())),
                           [&](std::string_view key, std::string_view value) {
                             if (kinds.size() == kMost) {
                               next = key;
                               return false;
                             }
                             const auto at = schema::MessageKey::Decode(key);
                             const auto row = schema::StoredMessage::Decode(value);
                             if (!at || !row)
                               bad = tl::unexpected<Error>(at ? row.error() : at.error());
                             else if (row->object_kind != protocol::ObjectKind::kUnclassified)
                               kinds.push_back(schema::IdKey::OfKind(txn.account(), row->object_kind,
                                                                     at->folder, at->uid));
                             return bad.has_value();
                           }));
  RETURN_IF_ERROR(bad);
  for (const auto& kind : kinds) txn.Put(Table::kIds, kind.Encode(), schema::MarkerRow());
  return {};
}

}  // namespace

Result<> GiveFoldersKinds(MailStore::Core& core) {
  ASSIGN_OR_RETURN(const auto accounts, AllAccounts(core));
  const Profile& profile = core.options.profile;
  StoreOptions options = core.options;
  options.max_folders = std::numeric_limits<std::uint32_t>::max();  // an account that is full opens too
  for (const AccountId account : accounts) {
    const auto done = core.lanes.Run(account, [&](AccountTxn& txn) -> Result<> {
      RETURN_IF_ERROR(txn.Account());
      FolderTree tree(txn, options, Actor({}, Role::kOperator));
      RETURN_IF_ERROR(tree.Establish(FolderKind::kInbox, "INBOX"));
      if (!profile.default_folder.empty()) RETURN_IF_ERROR(MakeDefault(tree, profile.default_folder));
      if (!profile.permanent_root.empty())
        RETURN_IF_ERROR(tree.Establish(FolderKind::kRoot, profile.permanent_root));
      return {};
    });
    // One that is being deleted needs no kinds any more.
    if (!done && done.error().code != Errc::kNoSuchAccount) return done;
  }
  return {};
}

Result<> IndexKinds(MailStore::Core& core) {
  ASSIGN_OR_RETURN(const auto accounts, AllAccounts(core));
  for (const AccountId account : accounts) {
    for (std::string next = schema::AccountPrefix(account); !next.empty();) {
      RETURN_IF_ERROR(core.lanes.Run(account, [&](AccountTxn& txn) { return IndexSome(txn, next); }));
    }
  }
  return {};
}

}  // namespace storage
