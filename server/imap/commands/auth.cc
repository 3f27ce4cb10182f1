// STARTTLS, AUTHENTICATE, LOGIN (RFC 3501 §6.2).
#include <spdlog/spdlog.h>

#include "protocol/sasl/exchange.h"
#include "protocol/text/base64.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/read_line.h"
#include "server/net/tls_context.h"

namespace server::imap {

using protocol::Bad;
using protocol::Bye;
using protocol::No;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

Reply PrivacyRequired() {
  return No(ResponseCode::kPrivacyRequired, "Encrypt the connection first: STARTTLS");
}

Reply Disabled(NotAuthenticatedContext& ctx) {
  ctx.services.log.info("event=login_disabled conn={} peer={}", ctx.session.info().id,
                        ctx.wire.stream().peer());
  return No(ResponseCode::kContactAdmin, "This account is disabled");
}

/// The same words whether or not the user exists.
Reply NotAllowed(NotAuthenticatedContext& ctx, const auth::Login& login) {
  ctx.services.log.info("event=login_not_allowed conn={} actor={} peer={}", ctx.session.info().id,
                        login.actor.id.value, ctx.wire.stream().peer());
  return No(ResponseCode::kAuthorizationFailed, "Acting for this user is not allowed");
}

/// `act_as`: whom to act for, as typed; empty: oneself.
asio::awaitable<Reply> LogIn(const std::string& user, const std::string& password, const std::string& act_as,
                             NotAuthenticatedContext& ctx) {
  const auto& services = ctx.services;
  const auto& info = ctx.session.info();
  auth::Login login;
  if (act_as.empty())
    login = co_await services.authenticator.Check(user, password, info.peer);
  else
    login = co_await services.authenticator.CheckFor(user, password, act_as, info.peer);
  switch (login.verdict) {
    case auth::Verdict::kAccepted: break;
    case auth::Verdict::kRefused:
      services.log.info("event=login_refused conn={} peer={}", info.id, ctx.wire.stream().peer());
      co_return No(ResponseCode::kAuthenticationFailed, "Wrong user name or password");
    case auth::Verdict::kDisabled: co_return Disabled(ctx);
    case auth::Verdict::kNotAllowed: co_return NotAllowed(ctx, login);
    case auth::Verdict::kUnavailable:
      co_return No(ResponseCode::kUnavailable, "Temporarily unavailable, try again later");
  }
  if (login.actor.role == storage::Role::kOperator) {
    services.log.info("event=login_of_operator conn={} account={}", info.id, login.actor.id.value);
    co_return No(ResponseCode::kAuthorizationFailed, "Operators do not use IMAP");
  }
  // The account may have been closed while the password was checked.
  ctx.session.Watch(login.account.id, login.actor.id);
  auto look = [&]() -> storage::Result<bool> {
    for (const auto id : {login.account.id, login.actor.id}) {
      const auto account = services.store.GetAccount(id);
      if (!account) return tl::unexpected(account.error());
      if (account->status != storage::AccountStatus::kActive) return false;
    }
    return true;
  };
  const auto active = co_await services.storage.Run(look);
  if (!active || !*active) {
    ctx.session.Unwatch();
    if (!active) co_return ctx.Failed(active.error());
    co_return Disabled(ctx);
  }
  ctx.session.LoggedIn(login.account, login.actor.role);
  const int tls = ctx.wire.stream().secure() ? 1 : 0;
  if (login.actor.id == login.account.id) {
    services.log.info("event=login conn={} account={} tls={}", info.id, login.account.id.value, tls);
  } else {
    services.log.info("event=login conn={} account={} pf={} tls={}", info.id, login.account.id.value,
                      login.actor.id.value, tls);
  }
  co_return Ok(ResponseCode::Capability{protocol::CapabilityWords(ctx.session.Capabilities())}, "Logged in");
}

}  // namespace

asio::awaitable<Reply> Handle(const command::StartTls&, NotAuthenticatedContext& ctx) {
  if (ctx.wire.stream().secure()) co_return Bad("TLS is active already");
  if (!ctx.session.Capabilities().starttls_available) co_return Bad("STARTTLS is not available here");
  // What was pipelined behind STARTTLS came in plain text, perhaps from somebody else.
  ctx.wire.reader.DropInput();
  ctx.session.Request(Session::Upgrade::kTls);
  co_return Ok("Begin TLS negotiation now");
}

asio::awaitable<Reply> Handle(const command::Login& cmd, NotAuthenticatedContext& ctx) {
  if (!protocol::LoginAllowed(ctx.session.Capabilities())) co_return PrivacyRequired();
  const std::string itself;
  co_return co_await LogIn(cmd.user, cmd.password, itself, ctx);
}

asio::awaitable<Reply> Handle(const command::Authenticate& cmd, NotAuthenticatedContext& ctx) {
  auto exchange = protocol::sasl::Exchange::Start(cmd.mechanism);
  if (!exchange) co_return No(ResponseCode::kCannot, "Mechanism is not supported");
  if (!protocol::LoginAllowed(ctx.session.Capabilities())) co_return PrivacyRequired();

  std::optional<std::string> response = cmd.initial_response;
  auto step = exchange->Next(response);
  while (const auto* challenge = std::get_if<protocol::sasl::Challenge>(&step)) {
    protocol::WriteContinuation(ctx.out, protocol::text::EncodeBase64(challenge->octets));
    const auto line = co_await ReadLine(ctx.session);
    if (!line.text) co_return line.instead;
    if (*line.text == "*") co_return Bad("Authentication cancelled");
    response = protocol::text::DecodeBase64(*line.text);
    if (!response) co_return Bad("Response is not base64");
    step = exchange->Next(response);
  }
  if (std::holds_alternative<protocol::sasl::Fault>(step))
    co_return Bad("Response does not follow the mechanism");
  const auto credentials = std::get<protocol::sasl::Credentials>(std::move(step));
  co_return co_await LogIn(credentials.login, credentials.password, credentials.act_as, ctx);
}

}  // namespace server::imap
