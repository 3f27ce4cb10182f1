#include "server/http/resources.h"

namespace server::http {

asio::awaitable<void> Health(Call& call, Services& services) {
  // One look into the store: a pool whose threads all hang does not answer, and that is the answer.
  auto look = [&] { return services.store.ListAccounts({0}, 1); };
  auto seen = co_await services.storage.Run(look);
  if (!seen) {
    co_await call.Fail(std::move(seen).error());
    co_return;
  }
  boost::json::object body;
  body["status"] = "ok";
  co_await call.Reply(Status::ok, std::move(body));
}

}  // namespace server::http
