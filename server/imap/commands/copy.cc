// COPY and MOVE (RFC 3501 §6.4.7, RFC 6851, COPYUID of RFC 4315 §3).
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/resolve.h"

namespace server::imap {

using protocol::No;
using protocol::NumberKind;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

ResponseCode CopyCode(const storage::CopyResult& done) {
  if (done.source.empty()) return ResponseCode::kNone;
  return ResponseCode::CopyUid{done.uid_validity, done.source, done.target};
}

/// RFC 2180 §4.4.1: a copy is of all the messages that were named, or of none. UIDs that do not exist are no
/// names.
std::optional<Reply> SomeAreGone(const MailboxView& view, NumberKind numbers, const UidSet& uids) {
  if (numbers == NumberKind::kUid || !AnyGone(view, uids)) return std::nullopt;
  return No(ResponseCode::kExpungeIssued, "Some of the messages no longer exist, nothing was copied");
}

/// Blocks.
storage::Result<storage::CopyResult> CopyNow(SelectedContext& ctx, const UidSet& uids,
                                             const std::string& mailbox) {
  const auto place = ctx.Find(mailbox);
  if (!place) return tl::unexpected(place.error());
  const storage::FolderRef from = ctx.view.folder();
  if (place->account == from.account) return ctx.store.Copy(from, uids, place->path, ctx.actor);
  return ctx.store.CopyAcross(from, uids, ctx.actor, place->account, place->path, place->actor);
}

storage::Result<storage::CopyResult> MoveNow(SelectedContext& ctx, const UidSet& uids,
                                             const std::string& mailbox) {
  const auto place = ctx.Find(mailbox);
  if (!place) return tl::unexpected(place.error());
  const storage::FolderRef from = ctx.view.folder();
  if (place->account == from.account) return ctx.store.Move(from, uids, place->path, ctx.actor);
  return ctx.store.MoveAcross(from, uids, ctx.actor, place->account, place->path, place->actor);
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Copy& cmd, SelectedContext& ctx) {
  const auto uids = Resolve(ctx.view, cmd.numbers, cmd.set);
  if (!uids) co_return uids.error();
  if (auto refusal = SomeAreGone(ctx.view, cmd.numbers, *uids)) co_return *std::move(refusal);
  auto copy = [&] { return CopyNow(ctx, *uids, cmd.mailbox); };
  const auto done = co_await ctx.storage.Run(copy);
  if (!done) co_return ctx.Failed(done.error(), ctx.view.deleted() ? Folder::kNamed : Folder::kTarget);
  co_return Ok(CopyCode(*done), "COPY completed");
}

asio::awaitable<Reply> Handle(const command::Move& cmd, SelectedContext& ctx) {
  if (ctx.view.examined())
    co_return No(ResponseCode::kCannot, "The mailbox was opened with EXAMINE, which is read-only");
  const auto uids = Resolve(ctx.view, cmd.numbers, cmd.set);
  if (!uids) co_return uids.error();
  if (auto refusal = SomeAreGone(ctx.view, cmd.numbers, *uids)) co_return *std::move(refusal);
  auto move = [&] { return MoveNow(ctx, *uids, cmd.mailbox); };
  const auto done = co_await ctx.storage.Run(move);
  if (!done) co_return ctx.Failed(done.error(), ctx.view.deleted() ? Folder::kNamed : Folder::kTarget);
  // The client must hear of the copies before the EXPUNGE lines take the originals' numbers (RFC 6851 §4.3).
  if (!done->source.empty()) protocol::WriteUntagged(ctx.out, Ok(CopyCode(*done), "Moved"));
  co_return Ok("MOVE completed");
}

}  // namespace server::imap
