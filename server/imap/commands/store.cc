// STORE and UID STORE (RFC 3501 §6.4.6).
#include "protocol/imap/write/fetch.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/fetch/flags_writer.h"
#include "server/imap/view/view_writer.h"

namespace server::imap {

using protocol::Bad;
using protocol::No;
using protocol::NumberKind;
using protocol::Ok;
using protocol::ResponseCode;

namespace {

struct Stored {
  storage::StoreResult result;
  std::vector<storage::MessageState> states;  ///< of all messages named, if they are to be told
};

/// Blocks. A message that has the flags already is told all the same: the client asked for its flags.
storage::Result<Stored> StoreNow(SelectedContext& ctx, const command::Store& cmd, const UidSet& uids) {
  Stored stored;
  auto result = ctx.store.UpdateFlags(ctx.view.folder(), uids, cmd.change, ctx.actor);
  if (!result) return tl::unexpected(result.error());
  stored.result = *std::move(result);
  if (cmd.silent) return stored;
  if (stored.result.changed.size() == uids.size()) {
    stored.states = stored.result.changed;
    return stored;
  }
  const auto reader = ctx.store.Read(ctx.view.folder());
  if (!reader) return tl::unexpected(reader.error());
  const auto read =
      reader->States(uids, [&](const storage::MessageState& state) { stored.states.push_back(state); });
  if (!read) return tl::unexpected(read.error());
  if (reader->keywords()->size() > stored.result.keywords->size())
    stored.result.keywords = reader->keywords();
  return stored;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Store& cmd, SelectedContext& ctx) {
  if (ctx.view.read_only())
    co_return No(ResponseCode::kCannot, "The mailbox was opened with EXAMINE, which is read-only");
  const auto uids = Resolve(ctx.view, cmd.numbers, cmd.set);
  if (!uids) co_return uids.error();
  if (uids->empty()) co_return Ok("STORE completed");
  auto work = [&] { return StoreNow(ctx, cmd, *uids); };
  const auto stored = co_await ctx.storage.Run(work);
  if (!stored) co_return ctx.Failed(stored.error());

  const bool with_uid = cmd.numbers == NumberKind::kUid;
  ctx.view.Learn(stored->result.keywords);
  ViewWriter writer(ctx.out, ctx.view, with_uid);
  ctx.view.ReportKeywords(writer);
  ctx.view.NoteTold(stored->states);
  FlagsWriter flags(ctx.view, with_uid);
  for (const auto& state : stored->states) {
    flags.Write(ctx.out, state);
    if (!ctx.wire.out.Full()) continue;
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) break;
  }
  // RFC 2180 §4.2.2: some are gone; the rest was changed.
  if (!with_uid && AnyGone(ctx.view, *uids)) {
    co_return Ok(ResponseCode::kExpungeIssued, "STORE completed, but some of the messages no longer exist");
  }
  co_return Ok("STORE completed");
}

}  // namespace server::imap
