// STORE and UID STORE (RFC 3501 §6.4.6; RFC 7162 §3.1.3).
#include <algorithm>

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

using States = std::vector<storage::MessageState>;

struct Stored {
  storage::StoreResult result;
  States states;  ///< to be told with their flags, in UID order
  States brief;   ///< of which the client knows the flags, but not the mod-sequence
};

States InUidOrder(States a, const States& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::ranges::sort(a, {}, &storage::MessageState::uid);
  return a;
}

/// Blocks. A message that has the flags already is told all the same: the client asked for its flags.
storage::Result<Stored> StoreNow(SelectedContext& ctx, const command::Store& cmd, const UidSet& uids) {
  Stored stored;
  auto result = ctx.store.UpdateFlags(ctx.view.folder(), uids, cmd.change, ctx.actor, cmd.unchanged_since);
  if (!result) return tl::unexpected(result.error());
  stored.result = *std::move(result);
  if (cmd.unchanged_since) {
    // All are told as they were at the moment of the change. Those that were left alone with their flags, so
    // that the client need not ask (RFC 7162 §3.1.3).
    States passed = InUidOrder(stored.result.changed, stored.result.unchanged);
    stored.states = stored.result.modified;
    if (cmd.silent) {
      stored.brief = std::move(passed);
    } else {
      stored.states = InUidOrder(std::move(passed), stored.states);
    }
    return stored;
  }
  if (cmd.silent) {
    if (ctx.session.condstore()) stored.brief = stored.result.changed;
    return stored;
  }
  if (stored.result.changed.size() == uids.size()) {
    stored.states = stored.result.changed;
    return stored;
  }
  const auto reader = ctx.store.Read(ctx.view.folder(), ctx.actor);
  if (!reader) return tl::unexpected(reader.error());
  const auto read =
      reader->States(uids, [&](const storage::MessageState& state) { stored.states.push_back(state); });
  if (!read) return tl::unexpected(read.error());
  if (reader->keywords()->size() > stored.result.keywords->size())
    stored.result.keywords = reader->keywords();
  return stored;
}

/// False: the client is gone.
asio::awaitable<bool> Write(SelectedContext& ctx, const States& states, FlagsWriter::Items items) {
  FlagsWriter writer(ctx.view, items);
  for (const auto& state : states) {
    writer.Write(ctx.out, state);
    if (!ctx.wire.out.Full()) continue;
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) co_return false;
  }
  ctx.view.NoteShown(writer.highest_modseq());
  co_return true;
}

UidSet UidsOf(const States& states) {
  UidSet uids;
  for (const auto& state : states) uids.Add(state.uid);
  return uids;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Store& cmd, SelectedContext& ctx) {
  if (cmd.unchanged_since) ctx.session.EnableCondstore();
  if (ctx.view.examined())
    co_return No(ResponseCode::kCannot, "The mailbox was opened with EXAMINE, which is read-only");
  const auto uids = Resolve(ctx.view, cmd.numbers, cmd.set);
  if (!uids) co_return uids.error();
  if (uids->empty()) co_return Ok("STORE completed");
  auto work = [&] { return StoreNow(ctx, cmd, *uids); };
  const auto stored = co_await ctx.storage.Run(work);
  if (!stored) co_return ctx.Failed(stored.error());

  const bool by_uid = cmd.numbers == NumberKind::kUid;
  const ReportForm form = ctx.session.Form(by_uid);
  ctx.view.Learn(stored->result.keywords);
  ViewWriter writer(ctx.out, ctx.view, form);
  ctx.view.ReportKeywords(writer);
  ctx.view.NoteTold(stored->states);
  const bool told = co_await Write(ctx, stored->states,
                                   {.uid = form.uid, .modseq = form.modseq, .uid_only = form.uid_only});
  if (told) {
    static_cast<void>(co_await Write(
        ctx, stored->brief, {.uid = form.uid, .flags = false, .modseq = true, .uid_only = form.uid_only}));
  }
  if (!stored->result.modified.empty()) {
    co_return Ok(ResponseCode::Modified{Named(ctx.view, cmd.numbers, UidsOf(stored->result.modified))},
                 "STORE left alone what had changed");
  }
  // RFC 2180 §4.2.2: some are gone; the rest was changed.
  if (!by_uid && AnyGone(ctx.view, *uids)) {
    co_return Ok(ResponseCode::kExpungeIssued, "STORE completed, but some of the messages no longer exist");
  }
  co_return Ok("STORE completed");
}

}  // namespace server::imap
