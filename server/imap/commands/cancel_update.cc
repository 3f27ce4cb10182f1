// CANCELUPDATE (RFC 5267 §4.3.5).
#include "server/imap/commands/handlers.h"

namespace server::imap {

// A tag without updates is none: they may just have been ended by an untagged NO [NOUPDATE].
asio::awaitable<Reply> Handle(const command::CancelUpdate& cmd, SelectedContext& ctx) {
  for (const auto& tag : cmd.tags) ctx.session.selected()->contexts.End(tag, ctx.view);
  co_return protocol::Ok("CANCELUPDATE completed");
}

}  // namespace server::imap
