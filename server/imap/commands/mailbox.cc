// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS (RFC 3501 §6.3).
#include <algorithm>

#include "protocol/model/mailbox_name.h"
#include "protocol/model/special_use.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/status_line.h"
#include "server/short_read.h"

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

/// Other users' mailboxes: "Other Users/ADDRESS"; nothing of one's own.
std::string_view AccountPart(std::string_view name) {
  if (!IsForeign(name)) return {};
  return name.substr(0,
                     name.find(protocol::kHierarchyDelimiter, std::min(name.size(), kOtherUsers.size() + 1)));
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
  auto create = [&]() -> storage::Result<storage::FolderStatus> {
    const auto place = ctx.Find(name);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.CreateFolder(place->account, place->path, use, place->actor);
  };
  const auto made = co_await ctx.storage.Run(create);
  if (!made) co_return ctx.Failed(made.error());
  co_return Ok(ResponseCode::MailboxId{made->ref.folder}, "CREATE completed");
}

asio::awaitable<Reply> Handle(const command::Delete& cmd, AuthenticatedContext& ctx) {
  auto remove = [&]() -> storage::Result<> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.DeleteFolder(place->account, place->path, place->actor);
  };
  const auto done = co_await ctx.storage.Run(remove);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("DELETE completed");
}

asio::awaitable<Reply> Handle(const command::Rename& cmd, AuthenticatedContext& ctx) {
  const std::string to = WithoutTrailingDelimiter(cmd.to);
  if (auto refusal = Refusal(to)) co_return *std::move(refusal);
  // Told by the names alone, so that nobody learns which users there are.
  if (AccountPart(cmd.from) != AccountPart(to)) {
    co_return No(ResponseCode::kCannot,
                 "A mailbox stays in its account: copy the messages to another user's mailbox");
  }
  auto rename = [&]() -> storage::Result<> {
    const auto from = ctx.Find(cmd.from);
    if (!from) return tl::unexpected(from.error());
    const auto target = ctx.Find(to);
    if (!target) return tl::unexpected(target.error());
    return ctx.store.RenameFolder(from->account, from->path, target->path, from->actor);
  };
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
  auto read = [&]() -> storage::Result<storage::FolderStatus> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    const auto counts = CountsFor(cmd.items);
    auto status =
        ctx.store.GetFolder(place->account, place->path, place->actor, storage::Right::kRead, counts);
    const bool unseen = std::ranges::find(cmd.items, protocol::StatusItem::kUnseen) != cmd.items.end();
    if (!status || !unseen || !place->actor.guest) return status;
    return ctx.store.GetFolderFor(status->ref, place->actor.guest->account, counts);
  };
  const auto status = co_await RunShort(ctx.storage, read);
  if (!status) co_return ctx.Failed(status.error());
  WriteStatus(ctx.out, cmd.mailbox, cmd.items, *status, ctx.services.options);
  co_return Ok("STATUS completed");
}

}  // namespace server::imap
