// Access control lists of an account's folders (RFC 4314), as the operator sees and sets them.
#include <boost/json/array.hpp>

#include "protocol/model/mailbox_name.h"
#include "server/http/account_json.h"
#include "server/http/resources.h"
#include "storage/store/rights.h"

namespace server::http {
namespace {

using protocol::Rights;
using protocol::RightsChange;

const storage::Actor kOperator({}, storage::Role::kOperator);

std::string FolderOf(const Call& call) {
  return protocol::CanonicalMailboxName(call.Query("folder").value_or(""));
}

/// "lr", "+w", "-x", as SETACL has it.
std::optional<RightsChange> ReadRights(std::string_view text) {
  RightsChange change;
  if (text.starts_with('+')) change.op = RightsChange::Op::kAdd;
  if (text.starts_with('-')) change.op = RightsChange::Op::kRemove;
  const auto rights = Rights::Parse(text.substr(change.op == RightsChange::Op::kReplace ? 0 : 1));
  if (!rights) return std::nullopt;
  change.rights = *rights;
  return change;
}

struct AclEdit {
  std::string identifier;
  RightsChange change;
};

/// {"identifier": ..., "rights": ...}; else what is wrong with it, as a sentence.
tl::expected<AclEdit, std::string> ReadEdit(const boost::json::object& json) {
  const auto* identifier = json.if_contains("identifier");
  const auto* rights = json.if_contains("rights");
  if (json.size() != 2 || identifier == nullptr || !identifier->is_string() || rights == nullptr ||
      !rights->is_string())
    return tl::unexpected(std::string("The body must be {\"identifier\": ADDRESS, \"rights\": LETTERS}"));
  const auto change = ReadRights(rights->get_string());
  if (!change) {
    return tl::unexpected(
        std::string("Rights are letters out of lrswipkxteancd, with + or - before them or without"));
  }
  return AclEdit{std::string(identifier->get_string()), *change};
}

asio::awaitable<void> ReplyWithAcl(Call& call, Services& services, storage::AccountId account,
                                   const std::string& folder) {
  auto read = [&] { return services.store.GetAcl(account, folder, kOperator); };
  auto acl = co_await services.storage.Run(read);
  if (!acl) {
    co_await call.Fail(std::move(acl).error());
    co_return;
  }
  boost::json::array entries;
  for (const auto& entry : *acl) {
    boost::json::object out;
    out["identifier"] = entry.identifier;
    out["rights"] = entry.rights.Letters();
    entries.push_back(std::move(out));
  }
  boost::json::object body;
  body["folder"] = folder;
  body["entries"] = std::move(entries);
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace

asio::awaitable<void> GetAcl(Call& call, Services& services) {
  const std::string folder = FolderOf(call);
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  co_await ReplyWithAcl(call, services, account->id, folder);
}

asio::awaitable<void> SetAcl(Call& call, Services& services) {
  const std::string folder = FolderOf(call);
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  const auto edit = ReadEdit(*json);
  if (!edit) {
    Refusal refusal{Status::bad_request, "invalid_argument", edit.error()};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto set = [&] {
    return services.store.SetAcl(account->id, folder, edit->identifier, edit->change, kOperator);
  };
  auto done = co_await services.storage.Run(set);
  if (!done) {
    co_await call.Fail(std::move(done).error());
    co_return;
  }
  co_await ReplyWithAcl(call, services, account->id, folder);
}

asio::awaitable<void> DeleteAcl(Call& call, Services& services) {
  const std::string folder = FolderOf(call);
  const std::string identifier = call.Query("identifier").value_or("");
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto remove = [&] { return services.store.DeleteAcl(account->id, folder, identifier, kOperator); };
  auto done = co_await services.storage.Run(remove);
  if (!done) {
    co_await call.Fail(std::move(done).error());
    co_return;
  }
  co_await ReplyWithAcl(call, services, account->id, folder);
}

asio::awaitable<void> GetRights(Call& call, Services& services) {
  const std::string folder = FolderOf(call);
  const std::string user = call.Query("user").value_or("");
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  // Of somebody who may not see it: none.
  auto read = [&]() -> storage::Result<Rights> {
    const auto there = services.store.GetFolder(account->id, folder, kOperator);
    if (!there) return tl::unexpected(there.error());
    auto who = services.store.FindAccount(user);
    if (!who) return tl::unexpected(std::move(who).error());
    if (!*who) return storage::Fail(storage::Errc::kNoSuchAccount);
    storage::Actor actor;
    if ((*who)->id != account->id) {
      actor.guest = std::make_shared<const storage::Principal>((*who)->id, (*who)->address, (*who)->aliases);
    }
    auto rights = services.store.MyRights(account->id, folder, actor);
    if (!rights && rights.error().code == storage::Errc::kNoSuchFolder) return Rights();
    return rights;
  };
  auto rights = co_await services.storage.Run(read);
  if (!rights) {
    co_await call.Fail(std::move(rights).error());
    co_return;
  }
  boost::json::object body;
  body["folder"] = folder;
  body["user"] = user;
  body["rights"] = rights->Letters();
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
