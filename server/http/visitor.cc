#include "server/http/visitor.h"

#include "server/auth/audit_log.h"
#include "server/auth/proofs.h"

namespace server::http {
namespace {

constexpr std::string_view kScheme = "bearer ";

/// The token of "Authorization: Bearer token"; empty: there is none, or several.
std::string_view TokenOf(const Call& call) {
  const auto& request = call.request();
  if (request.count(beast::http::field::authorization) != 1) return {};
  const std::string_view value = request[beast::http::field::authorization];
  if (value.size() <= kScheme.size() || !beast::iequals(value.substr(0, kScheme.size()), kScheme)) return {};
  return value.substr(kScheme.size());
}

}  // namespace

bool ShowsProof(const Call& call) {
  const auto& ends = call.visitor->ends;
  return call.request().count(beast::http::field::authorization) > 0 || ends.client_certificate ||
         ends.psk_owner.has_value();
}

asio::awaitable<auth::Login> WhoCalls(Call& call, Services& services, std::string_view act_as) {
  auto& with = *services.references;
  const auto& visitor = *call.visitor;
  const auto token = TokenOf(call);
  if (call.request().count(beast::http::field::authorization) > 0) {
    // A token counts before the certificate of a proxy, say; one that cannot be taken is no proof at all.
    if (with.tokens == nullptr || token.empty() || !visitor.private_line) co_return auth::Login();
    auto login = co_await auth::CheckToken(with.authenticator, *with.tokens, token, act_as, visitor.peer);
    co_return login;
  }
  if (!ShowsProof(call)) co_return auth::Login();
  auto login = co_await auth::CheckEnds(with.authenticator, visitor.ends, act_as, visitor.peer);
  co_return login;
}

asio::awaitable<void> AskForProof(Call& call) {
  call.AddHeader("WWW-Authenticate", "Bearer");
  Refusal refusal{Status::unauthorized, "unauthorized",
                  "Show a bearer token, or a client certificate or a pre-shared key of an account"};
  co_await call.Fail(std::move(refusal));
}

asio::awaitable<void> NothingHere(Call& call) {
  Refusal refusal{Status::not_found, "not_found", "There is nothing to be had here"};
  co_await call.Fail(std::move(refusal));
}

asio::awaitable<std::optional<auth::Login>> Identify(Call& call, Services& services,
                                                     std::string_view act_as) {
  auto login = co_await WhoCalls(call, services, act_as);
  switch (login.verdict) {
    case auth::Verdict::kAccepted: {
      call.visitor->proved = true;
      call.visitor->refusals = 0;
      auto fault = call.FaultOfQuery();
      if (fault.empty()) co_return login;
      Refusal refusal{Status::bad_request, "invalid_argument", std::move(fault)};
      co_await call.Fail(std::move(refusal));
      co_return std::nullopt;
    }
    case auth::Verdict::kLockedOut:  // of passwords, which nobody shows here
    case auth::Verdict::kRefused:
    case auth::Verdict::kNotBound: co_await AskForProof(call); co_return std::nullopt;
    case auth::Verdict::kDisabled:
    case auth::Verdict::kNoAccount:
    case auth::Verdict::kNotAllowed: {
      Refusal refusal{Status::forbidden, "not_allowed", "Not for this account"};
      co_await call.Fail(std::move(refusal));
      co_return std::nullopt;
    }
    case auth::Verdict::kUnavailable: break;
  }
  storage::Error error{storage::Errc::kUnavailable, {}};
  co_await call.Fail(std::move(error));
  co_return std::nullopt;
}

void Audit(const Call& call, Services& services, const auth::Login& login, std::string command,
           std::string folder, std::string messages, std::string outcome) {
  auto* log = services.references->audit;
  if (log == nullptr || login.actor.role != storage::Role::kPf || login.actor.id == login.account.id) return;
  log->Write({.connection = call.visitor->connection,
              .peer = call.visitor->peer.to_string(),
              .actor = login.actor.address,
              .account = login.account.address,
              .command = std::move(command),
              .folder = std::move(folder),
              .messages = std::move(messages),
              .outcome = std::move(outcome)});
}

}  // namespace server::http
