// FETCH and UID FETCH (RFC 3501 §6.4.5, §6.4.8; RFC 7162 §3.1.4, §3.2.6; RFC 9394 §3.3).
#include <algorithm>

#include <spdlog/spdlog.h>

#include "protocol/imap/write/mailbox.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/long_answer.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/commands/vanished.h"
#include "server/imap/fetch/fetch_run.h"

namespace server::imap {

using protocol::No;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

Reply ResultOf(const FetchRun& run, bool by_uid) {
  if (run.unknown_cte()) return No(ResponseCode::kUnknownCte, "A part's transfer encoding is not known");
  if (run.unreadable())
    return No(ResponseCode::kCorruption, "Some of the content is damaged or cannot be read");
  // A UID that is not there is no error (RFC 3501 §6.4.8); a number that is not there any more is.
  if (!by_uid && run.any_missing()) {
    return No(ResponseCode::kExpungeIssued, "Some of the messages no longer exist");
  }
  return Ok("FETCH completed");
}

bool EnablesCondstore(const command::Fetch& cmd) {
  return cmd.changed_since || std::ranges::any_of(cmd.items, [](const FetchItem& item) {
           return item.kind == FetchItem::Kind::kModSeq;
         });
}

/// VANISHED (EARLIER) of a UID FETCH. What still has a number here will be told without EARLIER. Blocks.
storage::Result<> WriteVanished(const command::Fetch& cmd, SelectedContext& ctx) {
  const auto reader = ctx.store.Read(ctx.view.folder(), ctx.actor);
  if (!reader) return tl::unexpected(reader.error());
  const UidSet known =
      cmd.set.saved_result ? ctx.view.saved() : KnownUids(cmd.set, reader->status().uid_next);
  const auto gone = VanishedAmong(*reader, known, ctx.view.map().Uids(), *cmd.changed_since);
  if (!gone) return tl::unexpected(gone.error());
  protocol::write::VanishedLines(ctx.out, *gone, /*earlier=*/true);
  return {};
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Fetch& cmd, SelectedContext& ctx) {
  if (cmd.vanished && !ctx.session.qresync()) co_return protocol::Bad("VANISHED needs ENABLE QRESYNC first");
  if (EnablesCondstore(cmd)) ctx.session.EnableCondstore();
  auto uids = Resolve(ctx.view, cmd.numbers, cmd.set);
  if (!uids) co_return std::move(uids.error());
  // A page is of messages that are there; CHANGEDSINCE chooses within it (RFC 9394 §3.4).
  if (cmd.partial) uids = PartOf(uids->Minus(ctx.view.gone()), *cmd.partial);
  // RFC 4314 §4: without the right to, it sets no \Seen.
  const bool leaves_unseen = ctx.view.examined() || !ctx.view.rights().Has(storage::Right::kSeen);
  FetchPlan plan(cmd, leaves_unseen, ctx.session.fetch_form());
  const bool in_memory = plan.reads == FetchPlan::Reads::kNothing;
  FetchRun run(ctx.store, ctx.view, ctx.actor, ctx.services.clock, std::move(plan), *std::move(uids),
               ctx.wire.out);
  bool tell_vanished = cmd.vanished;
  auto produce = [&]() -> storage::Result<bool> {
    if (std::exchange(tell_vanished, false)) {
      const auto told = WriteVanished(cmd, ctx);
      if (!told) return tl::unexpected(told.error());
    }
    return run.Produce();
  };
  storage::Result<bool> done = false;
  bool sent = true;
  if (in_memory) {
    done = run.Produce();
  } else {
    done = co_await ctx.storage.Run(produce);
  }
  while (done && !*done && sent) {
    if (in_memory) {
      sent = co_await ctx.wire.out.Flush();
      done = run.Produce();
    } else {
      std::tie(done, sent) = co_await ProduceWhileSending(ctx, produce);
    }
    auto bye = done && !*done ? ctx.session.Dismissal() : std::nullopt;
    if (bye) {
      if (!run.between_answers()) ctx.wire.stream().Close();  // a BYE would be taken for the message
      co_return *std::move(bye);
    }
  }
  if (!done) {
    if (run.mid_literal()) {
      ctx.services.log.error("event=fetch_broken_off conn={} account={} detail=\"{}\"", ctx.session.info().id,
                             ctx.account.value, done.error().detail);
      ctx.wire.stream().Close();
    }
    co_return ctx.Failed(done.error());
  }
  if (run.unreadable())
    ctx.services.log.error("event=content_unreadable conn={} account={}", ctx.session.info().id,
                           ctx.account.value);
  co_return ResultOf(run, cmd.numbers == protocol::NumberKind::kUid);
}

}  // namespace server::imap
