#include "server/http/route_table.h"

#include <fmt/format.h>

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
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (!IsFor(route, caller)) continue;
    auto parameters = MatchPath(route.pattern, call.path());
    if (!parameters) continue;
    if (route.verb != call.verb()) {
      allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", std::string_view(to_string(route.verb)));
      continue;
    }
    call.SetRoute(route.pattern, route.query, *std::move(parameters));
    // To a visitor nothing is said before it has proved who it is.
    if (auto fault = call.FaultOfQuery(); !fault.empty() && caller != Caller::kVisitor)
      return call.Fail(Refusal{Status::bad_request, "invalid_argument", std::move(fault)});
    return route.run(call, services);
  }
  if (!allowed.empty()) {
    auto sentence = "Not with this method, but with " + allowed;
    call.AddHeader("Allow", std::move(allowed));  // RFC 9110 §15.5.6
    return call.Fail(Refusal{Status::method_not_allowed, "wrong_method", std::move(sentence)});
  }
  if (caller == Caller::kVisitor) return NothingHere(call);
  return call.Fail(Refusal{Status::not_found, "no_such_resource", "There is no such resource"});
}

}  // namespace server::http
