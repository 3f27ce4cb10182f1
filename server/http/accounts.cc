#include <boost/json/array.hpp>

#include "server/http/account_json.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

constexpr std::uint64_t kMaxPage = 1000;
constexpr std::uint64_t kMaxId = ~0ULL;

Refusal BadPage() {
  return {Status::bad_request, "invalid_argument",
          "\"after\" and \"limit\" must be whole numbers, limit 1 to 1000"};
}

Refusal NoMemory() { return {Status::service_unavailable, "unavailable", "No memory to hash the password"}; }

asio::awaitable<void> AnswerEmpty(Call& call, storage::Result<> done) {
  if (!done) return call.Fail(std::move(done).error());
  return call.Reply(Status::ok, boost::json::object());
}

}  // namespace

asio::awaitable<void> ListAccounts(Call& call, Services& services) {
  const auto after = call.NumberQuery("after", 0, kMaxId);
  const auto limit = call.NumberQuery("limit", 100, kMaxPage);
  if (!after || !limit || *limit == 0) {
    co_await call.Fail(BadPage());
    co_return;
  }
  auto list = [&] { return services.store.ListAccounts({*after}, *limit); };
  auto accounts = co_await services.storage.Run(list);
  if (!accounts) {
    co_await call.Fail(std::move(accounts).error());
    co_return;
  }
  boost::json::array entries;
  for (const auto& account : *accounts) entries.push_back(ToJson(account));
  boost::json::object body;
  body["accounts"] = std::move(entries);
  if (accounts->size() == *limit) body["next"] = accounts->back().id.value;
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> CreateAccount(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  auto request = ReadAccount(*json, services.profile);
  if (auto* refusal = std::get_if<Refusal>(&request)) {
    co_await call.Fail(std::move(*refusal));
    co_return;
  }
  auto& [account, password] = std::get<AccountRequest>(request);
  auto hash = co_await HashOf(password, services);
  if (!hash) {
    co_await call.Fail(NoMemory());
    co_return;
  }
  account.password_hash = *std::move(hash);
  auto create = [&]() -> storage::Result<storage::AccountInfo> {
    auto id = services.store.CreateAccount(account);
    if (!id) return tl::unexpected(std::move(id).error());
    return services.store.GetAccount(*id);
  };
  auto created = co_await services.storage.Run(create);
  if (!created) {
    co_await call.Fail(std::move(created).error());
    co_return;
  }
  co_await call.Reply(Status::created, ToJson(*created));
}

asio::awaitable<void> ShowAccount(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (account) co_await call.Reply(Status::ok, ToJson(*account));
}

asio::awaitable<void> SetPassword(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  auto password = ReadPassword(*json);
  if (auto* refusal = std::get_if<Refusal>(&password)) {
    co_await call.Fail(std::move(*refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto hash = co_await HashOf(std::get<NewPassword>(password), services);
  if (!hash) {
    co_await call.Fail(NoMemory());
    co_return;
  }
  auto set = [&] { return services.store.SetPasswordHash(account->id, *hash); };
  auto done = co_await services.storage.Run(set);
  co_await AnswerEmpty(call, std::move(done));
}

asio::awaitable<void> SetAccountStatus(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  const auto* value = json->if_contains("status");
  const std::string_view name =
      value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
  if (name != "active" && name != "disabled") {
    Refusal refusal{Status::bad_request, "invalid_argument", "\"status\" must be active or disabled"};
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  const auto status = name == "active" ? storage::AccountStatus::kActive : storage::AccountStatus::kDisabled;
  auto set = [&] { return services.store.SetStatus(account->id, status); };
  auto done = co_await services.storage.Run(set);
  co_await AnswerEmpty(call, std::move(done));
}

asio::awaitable<void> DeleteAccount(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto erase = [&] { return services.store.DeleteAccount(account->id); };
  auto done = co_await services.storage.Run(erase);
  co_await AnswerEmpty(call, std::move(done));
}

}  // namespace server::http
