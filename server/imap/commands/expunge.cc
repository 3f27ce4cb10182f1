// EXPUNGE and UID EXPUNGE (RFC 3501 §6.4.3, RFC 4315 §2.1). The EXPUNGE lines are Session::Sync()'s.
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/resolve.h"

namespace server::imap {

using protocol::No;
using protocol::Ok;
using protocol::ResponseCode;

asio::awaitable<Reply> Handle(const command::Expunge& cmd, SelectedContext& ctx) {
  if (ctx.view.examined())
    co_return No(ResponseCode::kCannot, "The mailbox was opened with EXAMINE, which is read-only");
  std::optional<UidSet> only;
  if (cmd.uids) {
    auto uids = Resolve(ctx.view, protocol::NumberKind::kUid, *cmd.uids);
    if (!uids) co_return std::move(uids.error());
    only = *std::move(uids);
  }
  auto expunge = [&] { return ctx.store.Expunge(ctx.view.folder(), only, ctx.actor); };
  const auto gone = co_await ctx.storage.Run(expunge);
  if (!gone) co_return ctx.Failed(gone.error());
  co_return Ok("EXPUNGE completed");
}

}  // namespace server::imap
