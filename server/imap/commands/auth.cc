// STARTTLS, AUTHENTICATE, LOGIN (RFC 3501 §6.2), UNAUTHENTICATE (RFC 8437).
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "protocol/text/base64.h"
#include "server/auth/mechanism.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/read_line.h"
#include "server/net/tls_context.h"
#include "server/short_read.h"

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

/// Once it is known who it is: may it come in, and to what?
asio::awaitable<Reply> LogIn(auth::Login login, NotAuthenticatedContext& ctx) {
  const auto& services = ctx.services;
  const auto& info = ctx.session.info();
  switch (login.verdict) {
    case auth::Verdict::kAccepted: break;
    case auth::Verdict::kRefused:
      services.log.info("event=login_refused conn={} peer={}", info.id, ctx.wire.stream().peer());
      co_return No(ResponseCode::kAuthenticationFailed, "Wrong user name or password");
    case auth::Verdict::kNotBound:
      services.log.warn("event=login_not_bound conn={} peer={}", info.id, ctx.wire.stream().peer());
      co_return No(ResponseCode::kAuthenticationFailed,
                   "The channel binding is not this connection's: somebody may be listening in between");
    case auth::Verdict::kDisabled: co_return Disabled(ctx);
    case auth::Verdict::kNoAccount:
      services.log.warn("event=login_no_account conn={} peer={}", info.id, ctx.wire.stream().peer());
      co_return No(ResponseCode::kContactAdmin,
                   "The password is right, but this user has no account here: the operator must add it");
    case auth::Verdict::kNotAllowed: co_return NotAllowed(ctx, login);
    case auth::Verdict::kLockedOut:
      services.log.warn("event=login_locked_out conn={} peer={} seconds={}", info.id,
                        ctx.wire.stream().peer(), login.locked_for.count());
      co_return No(
          ResponseCode::kLimit,
          fmt::format("Too many wrong passwords: none is looked at for {} seconds; see that the right "
                      "one is set on every device",
                      login.locked_for.count()));
    case auth::Verdict::kUnavailable:
      co_return No(ResponseCode::kUnavailable, "Temporarily unavailable, try again later");
  }
  if (login.actor.role == storage::Role::kOperator) {
    services.log.info("event=login_of_operator conn={} account={}", info.id, login.actor.id.value);
    co_return No(ResponseCode::kAuthorizationFailed, "Operators do not use IMAP");
  }
  // The account may have been closed while the password was checked.
  ctx.session.Watch(login);
  auto look = [&]() -> storage::Result<bool> {
    for (const auto id : {login.account.id, login.actor.id}) {
      const auto account = services.store.GetAccount(id);
      if (!account) return tl::unexpected(account.error());
      if (account->status != storage::AccountStatus::kActive) return false;
    }
    return true;
  };
  const auto active = co_await RunShort(services.storage, look);
  if (!active || !*active) {
    ctx.session.Unwatch();
    if (!active) co_return ctx.Failed(active.error());
    co_return Disabled(ctx);
  }
  auto seat =
      services.seats != nullptr ? services.seats->Take(login.account.id, login.actor.id) : sessions::Seat();
  if (!seat) {
    ctx.session.Unwatch();
    services.log.warn("event=login_no_seat conn={} account={} peer={}", info.id, login.account.id.value,
                      ctx.wire.stream().peer());
    co_return No(ResponseCode::kLimit,
                 fmt::format("This account has {} connections, and no more at once; close some",
                             services.seats->most()));
  }
  ctx.session.LoggedIn(login.account, login.actor.role, *std::move(seat));
  ctx.session.WriteDown(login);
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
  auto login = co_await ctx.services.authenticator.Check(cmd.user, cmd.password, ctx.session.info().peer);
  auto reply = co_await LogIn(std::move(login), ctx);
  co_return reply;
}

asio::awaitable<Reply> Handle(const command::Authenticate& cmd, NotAuthenticatedContext& ctx) {
  auth::Channel channel{ctx.session.info().peer, ctx.wire.stream().Ends(), ctx.services.tokens};
  const auto mechanism = auth::StartMechanism(cmd.mechanism, ctx.services.authenticator, std::move(channel));
  const auto offers = ctx.session.Capabilities();
  if (!mechanism) co_return No(ResponseCode::kCannot, "Mechanism is not supported");
  if (!protocol::Offers(offers, cmd.mechanism)) {
    if (!protocol::LoginAllowed(offers)) co_return PrivacyRequired();
    co_return No(ResponseCode::kCannot, "Mechanism is not available on this connection");
  }

  std::optional<std::string> response = cmd.initial_response;
  for (;;) {
    auto progress = co_await mechanism->Next(std::move(response));
    if (auto* login = std::get_if<auth::Login>(&progress)) {
      auto reply = co_await LogIn(std::move(*login), ctx);
      co_return reply;
    }
    const auto* challenge = std::get_if<protocol::sasl::Challenge>(&progress);
    if (challenge == nullptr) co_return Bad("Response does not follow the mechanism");
    protocol::WriteContinuation(ctx.out, protocol::text::EncodeBase64(challenge->octets));
    const auto line = co_await ReadLine(ctx.session);
    if (!line.text) co_return line.instead;
    if (*line.text == "*") co_return Bad("Authentication cancelled");
    response = protocol::text::DecodeBase64(*line.text);
    if (!response) co_return Bad("Response is not base64");
  }
}

asio::awaitable<Reply> Handle(const command::Unauthenticate&, AuthenticatedContext& ctx) {
  // RFC 8437 §4.1 wants the compression to end between two lines, and §3 lets us close where we cannot reset.
  if (ctx.wire.compressed()) co_return Bye("A compressed connection does not change its user: connect anew");
  ctx.services.log.info("event=logout conn={} account={}", ctx.session.info().id, ctx.account.value);
  co_await ctx.session.Unauthenticate();
  co_return Ok("Logged out; log in again");
}

}  // namespace server::imap
