// What an account holds, and may hold at most.
#include "server/http/account_json.h"
#include "server/http/json_fields.h"
#include "server/http/resources.h"

namespace server::http {
namespace {

boost::json::object One(std::uint64_t used, const std::optional<std::uint64_t>& own,
                        const std::optional<std::uint64_t>& in_force) {
  boost::json::object out;
  out["used"] = used;
  out["limit"] = ToJson(own);
  out["limit_in_force"] = ToJson(in_force);
  return out;
}

asio::awaitable<void> Answer(Call& call, Services& services, const storage::AccountInfo& account) {
  auto get = [&] { return services.store.GetQuota(account.id); };
  auto quota = co_await services.storage.Run(get);
  if (!quota) {
    co_await call.Fail(std::move(quota).error());
    co_return;
  }
  const auto& [use, own, limits] = *quota;
  boost::json::object body;
  body["account"] = account.address;
  body["octets"] = One(use.octets, own.octets, limits.octets);
  body["messages"] = One(use.messages, own.messages, limits.messages);
  body["folders"] = One(use.folders, own.folders, limits.folders);
  body["annotation_octets"] = One(use.annotation_octets, own.annotation_octets, limits.annotation_octets);
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace

asio::awaitable<void> GetQuota(Call& call, Services& services) {
  const auto account = co_await NamedAccount(call, services);
  if (account) co_await Answer(call, services, *account);
}

asio::awaitable<void> ChangeQuota(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  Fields fields(*json);
  for (const char* key : {"octets", "messages", "folders", "annotation_octets"}) fields.Take(key);
  fields.Finish();
  storage::QuotaLimits checked;
  auto refusal = fields.wrong() ? std::optional(fields.refusal()) : ReadLimits(*json, "", checked);
  if (refusal) {
    co_await call.Fail(*std::move(refusal));
    co_return;
  }
  const auto account = co_await NamedAccount(call, services);
  if (!account) co_return;
  auto change = [&] {
    return services.store.ChangeQuota(account->id, [&](storage::QuotaLimits& limits) {
      static_cast<void>(ReadLimits(*json, "", limits));  // looked at above
    });
  };
  auto changed = co_await services.storage.Run(change);
  if (!changed) {
    co_await call.Fail(std::move(changed).error());
    co_return;
  }
  co_await Answer(call, services, *account);
}

}  // namespace server::http
