#include "server/http/resources.h"
#include "server/http/store_totals.h"

namespace server::http {

asio::awaitable<void> StoreStats(Call& call, Services& services) {
  auto count = [&] { return CountStore(services.store); };
  auto totals = co_await services.storage.Run(count);
  if (!totals) {
    co_await call.Fail(std::move(totals).error());
    co_return;
  }
  co_await call.Reply(Status::ok, std::move(*totals));
}

}  // namespace server::http
