#include <boost/json/array.hpp>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/object_json.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

boost::json::object ToJson(const storage::FolderStatus& folder) {
  boost::json::object out;
  out["path"] = folder.path;
  out["mailboxid"] = MailboxIdOf(folder.ref.folder);
  out["kind"] = NameOf(folder.kind);
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
    auto there = services.store.GetFolder(account->id, path, storage::Actor({}, storage::Role::kOperator));
    if (there || there.error().code != storage::Errc::kNoSuchFolder) return there;
    auto made = services.store.CreateFolder(account->id, path, use.value_or(protocol::SpecialUse::kNone),
                                            storage::Actor({}, storage::Role::kOperator));
    if (made || made.error().code != storage::Errc::kFolderExists) return made;
    return services.store.GetFolder(
        account->id, path, storage::Actor({}, storage::Role::kOperator));  // somebody else made it meanwhile
  };
  auto folder = co_await services.storage.Run(ensure);
  if (!folder) {
    co_await call.Fail(std::move(folder).error());
    co_return;
  }
  co_await call.Reply(Status::ok, ToJson(*folder));
}

asio::awaitable<void> MoveFolder(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  const auto path = [&](const char* key) {
    const auto* value = json->if_contains(key);
    return protocol::CanonicalMailboxName(value && value->is_string() ? value->get_string() : "");
  };
  const auto from = path("from");
  const auto to = path("to");
  if (from.empty() || protocol::CheckMailboxName(to) != protocol::NameFault::kNone) {
    Refusal refusal{Status::bad_request, "invalid_argument", "\"from\" and \"to\" must be names of folders"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto move = [&]() -> storage::Result<storage::FolderStatus> {
    const storage::Actor actor({}, storage::Role::kOperator);
    if (auto done = services.store.RenameFolder(account->id, from, to, actor); !done)
      return tl::unexpected(std::move(done).error());
    return services.store.GetFolder(account->id, to, actor);
  };
  auto folder = co_await services.storage.Run(move);
  if (!folder) {
    co_await call.Fail(std::move(folder).error());
    co_return;
  }
  co_await call.Reply(Status::ok, ToJson(*folder));
}

asio::awaitable<void> DeleteFolder(Call& call, Services& services) {
  const auto path = protocol::CanonicalMailboxName(call.Query("path").value_or(""));
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto erase = [&] {
    return services.store.DeleteFolder(account->id, path, storage::Actor({}, storage::Role::kOperator));
  };
  auto erased = co_await services.storage.Run(erase);
  if (!erased) {
    co_await call.Fail(std::move(erased).error());
    co_return;
  }
  boost::json::object body;
  body["deleted"] = path;
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
