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

asio::awaitable<Reply> LogIn(const std::string& user, const std::string& password,
                             NotAuthenticatedContext& ctx) {
  const auto& services = ctx.services;
  const auto& info = ctx.session.info();
  const auth::Login login = co_await services.authenticator.Check(user, password, info.peer);
  switch (login.verdict) {
    case auth::Verdict::kAccepted: break;
    case auth::Verdict::kRefused:
      services.log.info("event=login_refused conn={} peer={}", info.id, ctx.wire.stream().peer());
      co_return No(ResponseCode::kAuthenticationFailed, "Wrong user name or password");
    case auth::Verdict::kDisabled: co_return Disabled(ctx);
    case auth::Verdict::kUnavailable:
      co_return No(ResponseCode::kUnavailable, "Temporarily unavailable, try again later");
  }
  // The account may have been closed while the password was checked.
  ctx.session.Watch(login.account.id);
  auto look = [&] { return services.store.GetAccount(login.account.id); };
  const auto account = co_await services.storage.Run(look);
  if (!account || account->status != storage::AccountStatus::kActive) {
    ctx.session.Unwatch();
    if (!account) co_return ctx.Failed(account.error());
    co_return Disabled(ctx);
  }
  ctx.session.LoggedIn(login.account);
  services.log.info("event=login conn={} account={} tls={}", info.id, login.account.id.value,
                    ctx.wire.stream().secure() ? 1 : 0);
  co_return Ok(ResponseCode::Capability{protocol::CapabilityWords(ctx.session.Capabilities())}, "Logged in");
}

}  // namespace

asio::awaitable<Reply> Handle(const command::StartTls&, NotAuthenticatedContext& ctx) {
  if (ctx.wire.stream().secure()) co_return Bad("TLS is active already");
  if (!ctx.session.Capabilities().starttls_available) co_return Bad("STARTTLS is not available here");
  // What was pipelined behind STARTTLS came in plain text, perhaps from somebody else.
  ctx.wire.reader.DropInput();
  ctx.session.RequestTls();
  co_return Ok("Begin TLS negotiation now");
}

asio::awaitable<Reply> Handle(const command::Login& cmd, NotAuthenticatedContext& ctx) {
  if (!protocol::LoginAllowed(ctx.session.Capabilities())) co_return PrivacyRequired();
  co_return co_await LogIn(cmd.user, cmd.password, ctx);
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
  if (const auto* fault = std::get_if<protocol::sasl::Fault>(&step)) {
    if (*fault == protocol::sasl::Fault::kMalformed) co_return Bad("Response does not follow the mechanism");
    co_return No(ResponseCode::kAuthorizationFailed, "Acting for another user is not possible");
  }
  const auto credentials = std::get<protocol::sasl::Credentials>(std::move(step));
  co_return co_await LogIn(credentials.login, credentials.password, ctx);
}

}  // namespace server::imap
