// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS (RFC 3501 §6.3).
#include "protocol/model/mailbox_name.h"
#include "protocol/model/special_use.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/status_line.h"

namespace server::imap {

using protocol::NameFault;
using protocol::No;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

/// nullopt: the name may be given to a mailbox.
std::optional<Reply> Refusal(std::string_view name) {
  switch (protocol::CheckMailboxName(name)) {
    case NameFault::kNone: return std::nullopt;
    case NameFault::kEmpty: return No(ResponseCode::kCannot, "A mailbox needs a name");
    case NameFault::kEmptyComponent:
      return No(ResponseCode::kCannot, "A part of the name between '/' is empty");
    case NameFault::kTooLong: return No(ResponseCode::kLimit, "The name is too long");
    case NameFault::kControlCharacter: return No(ResponseCode::kCannot, "The name has a control character");
    case NameFault::kNotUtf8: return No(ResponseCode::kCannot, "The name is not valid");
  }
  return std::nullopt;
}

std::string WithoutTrailingDelimiter(std::string name) {
  if (name.size() > 1 && name.ends_with(protocol::kHierarchyDelimiter)) name.pop_back();
  return name;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Create& cmd, AuthenticatedContext& ctx) {
  // A trailing delimiter only declares that inferiors will follow (RFC 3501 §6.3.3).
  const std::string name = WithoutTrailingDelimiter(cmd.mailbox);
  if (auto refusal = Refusal(name)) co_return *std::move(refusal);
  auto use = protocol::SpecialUse::kNone;
  if (cmd.special_uses.size() > 1)
    co_return No(ResponseCode::kUseAttr, "A mailbox has at most one special use here");
  if (!cmd.special_uses.empty()) {
    const auto known = protocol::SpecialUseNamed(cmd.special_uses.front());
    if (!known) co_return No(ResponseCode::kUseAttr, "This special use is not supported");
    use = *known;
  }
  auto create = [&] { return ctx.store.CreateFolder(ctx.account, name, use, ctx.actor); };
  const auto made = co_await ctx.storage.Run(create);
  if (!made) co_return ctx.Failed(made.error());
  co_return Ok(ResponseCode::MailboxId{made->ref.folder}, "CREATE completed");
}

asio::awaitable<Reply> Handle(const command::Delete& cmd, AuthenticatedContext& ctx) {
  auto remove = [&] { return ctx.store.DeleteFolder(ctx.account, cmd.mailbox, ctx.actor); };
  const auto done = co_await ctx.storage.Run(remove);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("DELETE completed");
}

asio::awaitable<Reply> Handle(const command::Rename& cmd, AuthenticatedContext& ctx) {
  const std::string to = WithoutTrailingDelimiter(cmd.to);
  if (auto refusal = Refusal(to)) co_return *std::move(refusal);
  auto rename = [&] { return ctx.store.RenameFolder(ctx.account, cmd.from, to, ctx.actor); };
  const auto done = co_await ctx.storage.Run(rename);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("RENAME completed");
}

asio::awaitable<Reply> Handle(const command::Subscribe& cmd, AuthenticatedContext& ctx) {
  const std::string name = WithoutTrailingDelimiter(cmd.mailbox);
  if (auto refusal = Refusal(name)) co_return *std::move(refusal);
  auto subscribe = [&] { return ctx.store.Subscribe(ctx.account, name, ctx.actor); };
  const auto done = co_await ctx.storage.Run(subscribe);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("SUBSCRIBE completed");
}

asio::awaitable<Reply> Handle(const command::Unsubscribe& cmd, AuthenticatedContext& ctx) {
  const std::string name = WithoutTrailingDelimiter(cmd.mailbox);
  auto unsubscribe = [&] { return ctx.store.Unsubscribe(ctx.account, name, ctx.actor); };
  const auto done = co_await ctx.storage.Run(unsubscribe);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("UNSUBSCRIBE completed");
}

asio::awaitable<Reply> Handle(const command::Status& cmd, AuthenticatedContext& ctx) {
  if (EnablesCondstore(cmd.items)) ctx.session.EnableCondstore();
  auto read = [&] { return ctx.store.GetFolder(ctx.account, cmd.mailbox); };
  const auto status = co_await ctx.storage.Run(read);
  if (!status) co_return ctx.Failed(status.error());
  WriteStatus(ctx.out, cmd.mailbox, cmd.items, *status, ctx.services.options);
  co_return Ok("STATUS completed");
}

}  // namespace server::imap
