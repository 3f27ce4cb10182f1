#include <boost/json/array.hpp>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

boost::json::object ToJson(const storage::FolderStatus& folder) {
  boost::json::object out;
  out["path"] = folder.path;
  out["use"] = protocol::Name(folder.use);
  out["messages"] = folder.messages;
  out["unseen"] = folder.unseen;
  out["octets"] = folder.octets;
  out["uidvalidity"] = folder.uid_validity.value;
  out["uidnext"] = folder.uid_next.value;
  out["highestmodseq"] = folder.highest_modseq.value;
  return out;
}

/// Names that only have inferiors are left out: there is nothing in them.
storage::Result<boost::json::array> AllFolders(storage::MailStore& store, storage::AccountId account) {
  const auto entries = store.ListFolders(account);
  if (!entries) return tl::unexpected(entries.error());
  boost::json::array folders;
  for (const auto& entry : *entries) {
    if (entry.id.value == 0) continue;
    const auto status = store.GetFolder(storage::FolderRef{account, entry.id});
    if (!status && status.error().code == storage::Errc::kNoSuchFolder) continue;  // deleted meanwhile
    if (!status) return tl::unexpected(status.error());
    folders.push_back(ToJson(*status));
  }
  return folders;
}

}  // namespace

asio::awaitable<void> ListFolders(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto list = [&] { return AllFolders(services.store, account->id); };
  auto folders = co_await services.storage.Run(list);
  if (!folders) {
    co_await call.Fail(std::move(folders).error());
    co_return;
  }
  boost::json::object body;
  body["folders"] = std::move(*folders);
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> EnsureFolder(Call& call, Services& services) {
  const auto given = call.Query("path");
  const auto path = protocol::CanonicalMailboxName(given.value_or(""));
  const auto use = protocol::SpecialUseNamed(call.Query("use").value_or(""));
  if (protocol::CheckMailboxName(path) != protocol::NameFault::kNone) {
    Refusal refusal{Status::bad_request, "invalid_argument", "\"path\" is no name for a folder"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto ensure = [&]() -> storage::Result<storage::FolderStatus> {
    auto there = services.store.GetFolder(account->id, path);
    if (there || there.error().code != storage::Errc::kNoSuchFolder) return there;
    auto made = services.store.CreateFolder(account->id, path, use.value_or(protocol::SpecialUse::kNone),
                                            storage::Actor({}, storage::Role::kOperator));
    if (made || made.error().code != storage::Errc::kFolderExists) return made;
    return services.store.GetFolder(account->id, path);  // somebody else made it meanwhile
  };
  auto folder = co_await services.storage.Run(ensure);
  if (!folder) {
    co_await call.Fail(std::move(folder).error());
    co_return;
  }
  co_await call.Reply(Status::ok, ToJson(*folder));
}

}  // namespace server::http
