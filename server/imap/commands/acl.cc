// SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314). Who may do what is the store's to say.
#include "protocol/imap/write/acl.h"

#include "server/imap/commands/handlers.h"
#include "server/short_read.h"

namespace server::imap {

using protocol::Ok;

asio::awaitable<Reply> Handle(const command::SetAcl& cmd, AuthenticatedContext& ctx) {
  auto set = [&]() -> storage::Result<> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.SetAcl(place->account, place->path, cmd.identifier, cmd.change, place->actor);
  };
  const auto done = co_await ctx.storage.Run(set);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("SETACL completed");
}

asio::awaitable<Reply> Handle(const command::DeleteAcl& cmd, AuthenticatedContext& ctx) {
  auto remove = [&]() -> storage::Result<> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.DeleteAcl(place->account, place->path, cmd.identifier, place->actor);
  };
  const auto done = co_await ctx.storage.Run(remove);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("DELETEACL completed");
}

asio::awaitable<Reply> Handle(const command::GetAcl& cmd, AuthenticatedContext& ctx) {
  auto read = [&]() -> storage::Result<std::vector<storage::schema::AclEntry>> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.GetAcl(place->account, place->path, place->actor);
  };
  const auto acl = co_await RunShort(ctx.storage, read);
  if (!acl) co_return ctx.Failed(acl.error());
  protocol::write::AclLine line(ctx.out, cmd.mailbox);
  for (const auto& entry : *acl) line.Add(entry.identifier, entry.rights);
  line.End();
  co_return Ok("GETACL completed");
}

asio::awaitable<Reply> Handle(const command::ListRights& cmd, AuthenticatedContext& ctx) {
  auto read = [&]() -> storage::Result<storage::GrantableRights> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.ListRights(place->account, place->path, cmd.identifier, place->actor);
  };
  const auto rights = co_await RunShort(ctx.storage, read);
  if (!rights) co_return ctx.Failed(rights.error());
  protocol::write::ListRightsLine(ctx.out, cmd.mailbox, cmd.identifier, rights->always, rights->optional);
  co_return Ok("LISTRIGHTS completed");
}

asio::awaitable<Reply> Handle(const command::MyRights& cmd, AuthenticatedContext& ctx) {
  auto read = [&]() -> storage::Result<storage::Rights> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.MyRights(place->account, place->path, place->actor);
  };
  const auto rights = co_await RunShort(ctx.storage, read);
  if (!rights) co_return ctx.Failed(rights.error());
  protocol::write::MyRightsLine(ctx.out, cmd.mailbox, *rights);
  co_return Ok("MYRIGHTS completed");
}

}  // namespace server::imap
