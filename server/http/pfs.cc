// Participating Functions: accounts of role pf, and whom they may act for.
#include <boost/json/array.hpp>

#include "server/auth/act_for.h"
#include "server/http/account_json.h"
#include "server/http/json_fields.h"
#include "server/http/resources.h"
#include "server/sessions/session_list.h"
#include "storage/store/psk.h"

namespace server::http {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kMostPatterns =
    1000;  ///< of one request; how many an account has is the store's to say

boost::json::array Texts(const std::vector<std::string>& texts) {
  return boost::json::array(texts.begin(), texts.end());
}

Refusal NoPf() {
  return {Status::not_found, "no_such_pf", "This account is not of role pf: cms-admin pf list tells those"};
}

/// Sessions of the PF in accounts that it may act for no more: how many there were. `patterns` are committed,
/// so that a login that comes now is refused.
asio::awaitable<std::size_t> EndWhatIsNotAllowed(Services& services, storage::AccountId pf,
                                                 const std::vector<std::string>& patterns) {
  const auth::ActFor as_all(services.act_for);
  const auth::ActFor as_this(patterns);
  auto wrong = [&](const sessions::SessionInfo& session) {
    return session.actor == pf && !as_all.Allows(session.acts_for) && !as_this.Allows(session.acts_for);
  };
  const auto ended = co_await services.sessions.Kick(std::move(wrong));
  co_return ended;
}

}  // namespace

asio::awaitable<void> ListPfs(Call& call, Services& services) {
  boost::json::array entries;
  storage::AccountId after{0};
  for (bool more = true; more;) {
    auto list = [&] { return services.store.ListAccounts(after, kPage); };
    auto accounts = co_await services.storage.Run(list);
    if (!accounts) {
      co_await call.Fail(std::move(accounts).error());
      co_return;
    }
    for (const auto& account : *accounts) {
      if (account.role == storage::Role::kPf) entries.push_back(ToJson(account));
      after = account.id;
    }
    more = accounts->size() == kPage;
  }
  boost::json::object body;
  body["pfs"] = std::move(entries);
  body["act_for_of_all"] = Texts(services.act_for);
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> ShowPf(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  if (account->role != storage::Role::kPf) {
    co_await call.Fail(NoPf());
    co_return;
  }
  auto list = [&] { return storage::PskTable(services.store).List(); };
  auto psks = co_await services.storage.Run(list);
  if (!psks) {
    co_await call.Fail(std::move(psks).error());
    co_return;
  }
  boost::json::array identities;
  for (const auto& psk : *psks) {
    if (psk.account == account->id) identities.emplace_back(psk.identity);
  }
  boost::json::object body = ToJson(*account);
  body["act_for_of_all"] = Texts(services.act_for);
  body["psks"] = std::move(identities);
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> ChangePf(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  std::vector<std::string> allow;
  std::vector<std::string> revoke;
  Fields fields(*json);
  fields.Texts("allow", allow, kMostPatterns);
  fields.Texts("revoke", revoke, kMostPatterns);
  fields.Finish();
  if (fields.wrong()) {
    co_await call.Fail(fields.refusal());
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto change = [&] { return services.store.ChangeActFor(account->id, allow, revoke); };
  auto patterns = co_await services.storage.Run(change);
  if (!patterns) {
    co_await call.Fail(std::move(patterns).error());
    co_return;
  }
  boost::json::object body;
  body["ended"] = co_await EndWhatIsNotAllowed(services, account->id, *patterns);
  body["address"] = account->address;
  body["act_for"] = Texts(*patterns);
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
