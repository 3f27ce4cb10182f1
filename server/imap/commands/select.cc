// SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 §6.3.1, §6.3.2, §6.4.2; RFC 3691).
#include "protocol/imap/write/mailbox.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/view/view_writer.h"

namespace server::imap {

using protocol::No;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

struct Opening {
  std::unique_ptr<SelectedFolder> folder;
  storage::OpenedFolder opened;
};

/// Blocks. Subscribes before it reads, so that nothing falls between the two.
storage::Result<Opening> OpenNow(AuthenticatedContext& ctx, const std::string& path, bool read_only,
                                 const std::function<void()>& wake) {
  const auto status = ctx.store.GetFolder(ctx.account, path);
  if (!status) return tl::unexpected(status.error());
  Opening opening;
  opening.folder = std::make_unique<SelectedFolder>(status->ref.folder, wake);
  opening.folder->subscription = ctx.store.feed().Subscribe(ctx.account, opening.folder->inbox);
  auto opened = ctx.store.OpenFolder(status->ref, /*claim_recent=*/!read_only);
  if (!opened) return tl::unexpected(opened.error());
  opening.opened = *std::move(opened);
  opening.folder->view.emplace(opening.opened, read_only, ctx.actor.origin, opening.folder->inbox);
  return opening;
}

void Describe(std::string& out, const storage::OpenedFolder& opened, const MailboxView& view) {
  WriteFlagLines(out, *opened.keywords, view.read_only());
  protocol::write::ExistsLine(out, view.messages());
  protocol::write::RecentLine(out, view.recent());
  if (opened.first_unseen) {
    if (const auto seq = view.map().SeqOf(*opened.first_unseen)) {
      protocol::WriteUntagged(out, Ok(ResponseCode::Unseen{*seq}, "First unseen message"));
    }
  }
  protocol::WriteUntagged(out, Ok(ResponseCode::UidValidity{opened.status.uid_validity}, "UIDs valid"));
  protocol::WriteUntagged(out, Ok(ResponseCode::UidNext{opened.status.uid_next}, "Predicted next UID"));
  protocol::WriteUntagged(out, Ok(ResponseCode::MailboxId{opened.status.ref.folder}, "Mailbox id"));
}

asio::awaitable<Reply> Open(const std::string& path, bool read_only, AuthenticatedContext& ctx) {
  // A failed SELECT leaves no folder selected (RFC 3501 §6.3.1).
  co_await ctx.session.Deselect();
  std::function<void()> wake = ctx.wire.stream().waker();
  auto open = [&] { return OpenNow(ctx, path, read_only, wake); };
  auto opening = co_await ctx.storage.Run(open);
  if (!opening) co_return ctx.Failed(opening.error());
  Describe(ctx.out, opening->opened, *opening->folder->view);
  ctx.session.Select(std::move(opening->folder));
  if (read_only) co_return Ok(ResponseCode::kReadOnly, "EXAMINE completed");
  co_return Ok(ResponseCode::kReadWrite, "SELECT completed");
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Select& cmd, AuthenticatedContext& ctx) {
  co_return co_await Open(cmd.mailbox, /*read_only=*/false, ctx);
}

asio::awaitable<Reply> Handle(const command::Examine& cmd, AuthenticatedContext& ctx) {
  co_return co_await Open(cmd.mailbox, /*read_only=*/true, ctx);
}

asio::awaitable<Reply> Handle(const command::Close&, SelectedContext& ctx) {
  if (!ctx.view.read_only() && !ctx.view.deleted()) {
    auto expunge = [&] { return ctx.store.Expunge(ctx.view.folder(), std::nullopt, ctx.actor); };
    const auto gone = co_await ctx.storage.Run(expunge);
    if (!gone && gone.error().code != storage::Errc::kNoSuchFolder) co_return ctx.Failed(gone.error());
  }
  co_await ctx.session.Deselect();
  co_return Ok("CLOSE completed");
}

asio::awaitable<Reply> Handle(const command::Unselect&, SelectedContext& ctx) {
  co_await ctx.session.Deselect();
  co_return Ok("UNSELECT completed");
}

}  // namespace server::imap
