// LIST and LSUB (RFC 3501 §6.3.8, §6.3.9; CHILDREN of RFC 3348, LIST-EXTENDED of RFC 5258, LIST-STATUS of RFC
// 5819, SPECIAL-USE of RFC 6154, LIST-METADATA of RFC 9590).
#include "protocol/imap/write/mailbox.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/slices.h"
#include "server/imap/commands/status_line.h"
#include "server/imap/list/list_run.h"

namespace server::imap {

using protocol::Ok;

namespace {

asio::awaitable<Reply> Tell(const list::Query& query, AuthenticatedContext& ctx, std::string_view completed) {
  list::ListRun run(ctx.session, query);
  auto early = co_await ReadInSlices(run, ctx);
  if (early) co_return *std::move(early);
  auto write = [&] { return run.Write(ctx.out, Output::kFull); };
  for (;;) {
    storage::Result<bool> all = false;
    if (run.WriteReads()) {
      all = co_await ctx.storage.Run(write);
    } else {
      all = write();
    }
    if (!all) co_return ctx.Failed(all.error());
    if (*all) break;
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) break;
    auto interruption = ctx.session.Interruption();
    if (interruption) co_return *std::move(interruption);
  }
  co_return Ok(std::string(completed));
}

}  // namespace

asio::awaitable<Reply> Handle(const command::List& cmd, AuthenticatedContext& ctx) {
  // Only the plain command asks for the root so (RFC 5258 §3).
  if (!cmd.extended && cmd.patterns.front().empty()) {
    protocol::write::ListRootLine(ctx.out, "");
    co_return Ok("LIST completed");
  }
  if (EnablesCondstore(cmd.returns.status)) ctx.session.EnableCondstore();
  const list::Query query(cmd);
  co_return co_await Tell(query, ctx, "LIST completed");
}

asio::awaitable<Reply> Handle(const command::Lsub& cmd, AuthenticatedContext& ctx) {
  const list::Query query(cmd);
  co_return co_await Tell(query, ctx, "LSUB completed");
}

}  // namespace server::imap
