#include "server/http/route_table.h"

#include "server/http/url.h"

namespace server::http {

asio::awaitable<void> Dispatch(Call& call, Services& services, Caller caller) {
  bool path_exists = false;
  for (const Route& route : kRoutes) {
    if (caller == Caller::kMonitor && !route.for_monitor) continue;
    auto parameters = MatchPath(route.pattern, call.path());
    if (!parameters) continue;
    path_exists = true;
    if (route.verb != call.verb()) continue;
    call.SetParameters(*std::move(parameters));
    return route.run(call, services);
  }
  return call.Fail(path_exists ? Refusal{Status::method_not_allowed, "wrong_method", "Not with this method"}
                               : Refusal{Status::not_found, "no_such_resource", "There is no such resource"});
}

}  // namespace server::http
