// NOTIFY (RFC 5465).
#include <fmt/format.h>

#include "protocol/imap/limits.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/slices.h"
#include "server/imap/notify/snapshot_run.h"
#include "server/imap/notify/teller.h"

namespace server::imap {

using protocol::No;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

/// RFC 5465 §3.1. What is in force stays so.
std::optional<Reply> RefusalOf(const command::Notify& cmd) {
  switch (cmd.refusal) {
    case command::Notify::Refusal::kNone: return std::nullopt;
    case command::Notify::Refusal::kUnsupportedEvent:
      return No(ResponseCode::BadEvent{}, "There is no such event; nothing was changed");
    case command::Notify::Refusal::kTooManyMailboxes:
      return No(ResponseCode::kNotificationOverflow,
                fmt::format("A NOTIFY names at most {} mailboxes of {} octets, SUBTREE and PERSONAL watch "
                            "more; nothing was changed",
                            protocol::limits::kNotifyMailboxes, protocol::limits::kNotifyOctets));
  }
  return std::nullopt;
}

/// NOTIFY SET STATUS; a reply ends the command before its time.
asio::awaitable<std::optional<Reply>> TellStatus(const notify::Filters& filters, AuthenticatedContext& ctx) {
  notify::SnapshotRun run(ctx.session, filters);
  auto early = co_await ReadInSlices(run, ctx);
  if (early) co_return early;
  while (!run.Write(ctx.out, Output::kFull)) {
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) break;
    auto interruption = ctx.session.Interruption();
    if (interruption) co_return interruption;
  }
  // What happened while it was read is part of it.
  ctx.session.ForgetTold(run);
  co_return std::nullopt;
}

/// Hears of other users' mailboxes, if any may be watched; a reply ends the command.
asio::awaitable<std::optional<Reply>> WatchOthers(const std::shared_ptr<const notify::Filters>& filters,
                                                  AuthenticatedContext& ctx,
                                                  std::unique_ptr<notify::OthersNews>& others) {
  if (!filters->may_watch_others()) co_return std::nullopt;
  others = std::make_unique<notify::OthersNews>(ctx.store, ctx.session.guest(), ctx.wire.stream().waker(),
                                                filters);
  auto look = [&] { return others->Look(/*is_news=*/false); };
  const auto looked = co_await ctx.storage.Run(look);
  if (looked) co_return std::nullopt;
  if (looked.error().code != storage::Errc::kLimit) co_return ctx.Failed(looked.error());
  co_return No(ResponseCode::kNotificationOverflow, looked.error().detail + "; nothing was changed");
}

/// RFC 5465 §3.1; a reply ends the command.
asio::awaitable<std::optional<Reply>> TellNoAccess(const notify::Filters& filters,
                                                   AuthenticatedContext& ctx) {
  auto tell = [&] { return notify::Teller(ctx.session, filters, ctx.out).TellNoAccess(); };
  const auto told = co_await ctx.storage.Run(tell);
  if (!told) co_return ctx.Failed(told.error());
  co_return std::nullopt;
}

SelectedWatch WatchOf(const command::Notify& cmd) {
  SelectedWatch watch;
  for (const auto& group : cmd.groups) {
    if (group.filter != protocol::NotifyFilter::kSelected &&
        group.filter != protocol::NotifyFilter::kSelectedDelayed)
      continue;
    watch.expunges_at_once = group.filter == protocol::NotifyFilter::kSelected;
    if (group.events.Has(protocol::NotifyEvent::kMessageNew)) watch.wanted = Wanted::kCounts;
    if (group.events.Has(protocol::NotifyEvent::kFlagChange)) watch.wanted = Wanted::kEverything;
  }
  watch.new_message_items = cmd.new_message_items;
  return watch;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Notify& cmd, AuthenticatedContext& ctx) {
  if (auto refusal = RefusalOf(cmd)) co_return *std::move(refusal);
  if (!cmd.set) {
    ctx.session.Notify({});
    co_return Ok("NOTIFY completed, nothing will be told");
  }
  co_await ctx.session.TellAccumulated();
  const auto filters = std::make_shared<const notify::Filters>(cmd.groups);
  std::unique_ptr<notify::OthersNews> others;
  auto ending = co_await WatchOthers(filters, ctx, others);
  if (ending) co_return *std::move(ending);
  // In force before anything is read, so that nothing falls between the two.
  Session::Notification before =
      ctx.session.Notify({.filters = filters->empty() ? nullptr : filters,
                          .selected = std::make_unique<const SelectedWatch>(WatchOf(cmd)),
                          .others = std::move(others)});
  ending = co_await TellNoAccess(*filters, ctx);
  if (!ending && cmd.status) ending = co_await TellStatus(*filters, ctx);
  if (ending) {
    ctx.session.Notify(std::move(before));
    co_return *std::move(ending);
  }
  co_return Ok("NOTIFY completed");
}

}  // namespace server::imap
