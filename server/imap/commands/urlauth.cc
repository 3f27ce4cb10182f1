// RESETKEY, GENURLAUTH, URLFETCH (RFC 4467, RFC 5524). The rules are those of server/references.
#include <algorithm>

#include <spdlog/spdlog.h>

#include "server/imap/commands/handlers.h"
#include "server/imap/commands/long_answer.h"
#include "server/imap/urlauth/urlfetch_run.h"
#include "server/references/url_token.h"
#include "server/short_read.h"

namespace server::imap {

using protocol::Bad;
using protocol::No;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

constexpr std::string_view kInternal = "INTERNAL";
/// So many URLs are a short read.
constexpr std::size_t kFew = 4;

Reply UnknownMechanism() {
  return No(ResponseCode::kCannot, "INTERNAL is the only mechanism here; nothing was changed");
}

references::Bearer BearerOf(const AuthenticatedContext& ctx) { return {ctx.account, ctx.actor.role}; }

/// Message submission reads a message for who sends it, its owner as a rule.
storage::Actor ReaderOf(const AuthenticatedContext& ctx) {
  if (ctx.actor.role == storage::Role::kSubmit) return {ctx.actor.origin, storage::Role::kUser};
  return ctx.actor;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::ResetKey& cmd, AuthenticatedContext& ctx) {
  if (!std::ranges::all_of(cmd.mechanisms, [](const auto& name) { return name == kInternal; }))
    co_return UnknownMechanism();
  auto reset = [&] {
    if (!cmd.mailbox) return ctx.store.ResetUrlKeys(ctx.account, ctx.actor);
    return ctx.store.ResetUrlKey(ctx.account, *cmd.mailbox, references::NewUrlKey(), ctx.actor);
  };
  const auto done = co_await ctx.storage.Run(reset);
  if (!done) co_return ctx.Failed(done.error());
  if (!cmd.mailbox) co_return Ok("All keys removed");
  co_return Ok(ResponseCode::kUrlMech, "RESETKEY completed");
}

asio::awaitable<Reply> Handle(const command::GenUrlAuth& cmd, AuthenticatedContext& ctx) {
  for (const auto& request : cmd.requests) {
    if (request.mechanism != kInternal) co_return UnknownMechanism();
  }
  references::UrlAuthority authority(ctx.store, ctx.services.options.urls, ctx.services.clock);
  std::vector<std::string> urls;
  std::string refusal;
  auto authorise = [&]() -> storage::Result<> {
    urls.clear();
    for (const auto& request : cmd.requests) {
      ASSIGN_OR_RETURN(auto authorised, authority.Authorise(request.url, BearerOf(ctx)));
      refusal = std::move(authorised.refusal);
      if (!refusal.empty()) return {};
      urls.push_back(std::move(authorised.url));
    }
    return {};
  };
  const bool few = cmd.requests.size() <= kFew;
  const auto done = few ? co_await RunShort(ctx.storage, authorise) : co_await ctx.storage.Run(authorise);
  if (!done) co_return ctx.Failed(done.error());
  if (!refusal.empty()) co_return Bad(refusal);
  protocol::write::GenUrlAuthLine(ctx.out, urls);
  co_return Ok("GENURLAUTH completed");
}

asio::awaitable<Reply> Handle(const command::UrlFetch& cmd, AuthenticatedContext& ctx) {
  references::UrlAuthority authority(ctx.store, ctx.services.options.urls, ctx.services.clock);
  UrlFetchRun run(ctx.store, authority, ctx.services.clock, BearerOf(ctx), ReaderOf(ctx), cmd,
                  ctx.services.options.url_work, ctx.wire.out,
                  [&](const auto& part) { ctx.session.WriteDownUrl(part.folder, part.uid); });
  auto produce = [&] { return run.Produce(); };
  storage::Result<bool> done = run.BeginAtOnce();
  if (!run.begun()) done = co_await ctx.storage.Run(produce);
  for (bool sent = true; done && !*done && sent;) {
    std::tie(done, sent) = co_await ProduceWhileSending(ctx, produce);
    // Long decoding writes nothing by which a client that has left would be noticed.
    if (ctx.wire.out.empty() && ctx.wire.stream().PeerHasLeft()) sent = false;
    auto bye = done && !*done ? ctx.session.Dismissal() : std::nullopt;
    if (bye) {
      ctx.wire.stream().Close();  // a BYE would be taken for a part of the answer
      co_return *std::move(bye);
    }
  }
  if (!done) {
    // Half an answer cannot be taken back.
    if (run.begun()) {
      ctx.services.log.error("event=urlfetch_broken_off conn={} account={} detail=\"{}\"",
                             ctx.session.info().id, ctx.account.value, done.error().detail);
      ctx.wire.stream().Close();
    }
    co_return ctx.Failed(done.error());
  }
  if (run.withheld()) {
    co_return No(
        ResponseCode::kUnavailable,
        "The store cannot write now: what is fetched once, or accessed by it, was answered with NIL; "
        "fetch it again later");
  }
  if (run.gave_up()) {
    co_return No(
        ResponseCode::kLimit,
        "The last URLs were answered with NIL, whatever they name: those before took all the decoding "
        "that one command may ask for; send them again in another");
  }
  co_return Ok("URLFETCH completed");
}

}  // namespace server::imap
