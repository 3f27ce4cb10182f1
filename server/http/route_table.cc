#include "server/http/route_table.h"

#include "server/http/url.h"
#include "server/http/visitor.h"

namespace server::http {
namespace {

bool IsFor(const Route& route, Caller caller) {
  switch (caller) {
    case Caller::kOperator: return route.whom != For::kVisitor;
    case Caller::kMonitor: return route.whom == For::kMonitor;
    case Caller::kVisitor: return route.whom == For::kVisitor;
  }
  return false;
}

}  // namespace

asio::awaitable<void> Dispatch(Call& call, Services& services, Caller caller) {
  bool path_exists = false;
  for (const Route& route : kRoutes) {
    if (!IsFor(route, caller)) continue;
    auto parameters = MatchPath(route.pattern, call.path());
    if (!parameters) continue;
    path_exists = true;
    if (route.verb != call.verb()) continue;
    call.SetRoute(route.pattern, route.query, *std::move(parameters));
    // To a visitor nothing is said before it has proved who it is.
    if (auto fault = call.FaultOfQuery(); !fault.empty() && caller != Caller::kVisitor)
      return call.Fail(Refusal{Status::bad_request, "invalid_argument", std::move(fault)});
    return route.run(call, services);
  }
  if (!path_exists && caller == Caller::kVisitor) return NothingHere(call);
  return call.Fail(path_exists ? Refusal{Status::method_not_allowed, "wrong_method", "Not with this method"}
                               : Refusal{Status::not_found, "no_such_resource", "There is no such resource"});
}

}  // namespace server::http
