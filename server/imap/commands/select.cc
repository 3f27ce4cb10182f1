// SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 §6.3.1, §6.3.2, §6.4.2; RFC 3691; RFC 7162 §3.1.8, §3.2.5).
#include <algorithm>
#include <optional>

#include "protocol/imap/write/mailbox.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/vanished.h"
#include "server/imap/fetch/fetch_run.h"
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
  const auto place = ctx.Find(path);
  if (!place) return tl::unexpected(place.error());
  const auto status = ctx.store.GetFolder(place->account, place->path, place->actor);
  if (!status) return tl::unexpected(status.error());
  Opening opening;
  const bool foreign = place->account != ctx.account;
  opening.folder = std::make_unique<SelectedFolder>(status->ref.folder, wake, foreign);
  opening.folder->subscription = ctx.store.feed().Subscribe(place->account, opening.folder->inbox);
  auto opened = ctx.store.OpenFolder(status->ref, /*claim_recent=*/!read_only, place->actor);
  if (!opened) return tl::unexpected(opened.error());
  opening.opened = *std::move(opened);
  opening.folder->view.emplace(opening.opened, read_only, place->actor, opening.folder->inbox);
  return opening;
}

/// `uid_only`: without UNSEEN, which is a message number.
void Describe(std::string& out, const storage::OpenedFolder& opened, const MailboxView& view, bool uid_only) {
  WriteFlagLines(out, *opened.keywords, view);
  protocol::write::ExistsLine(out, view.messages());
  protocol::write::RecentLine(out, view.recent());
  if (opened.first_unseen && !uid_only) {
    if (const auto seq = view.map().SeqOf(*opened.first_unseen)) {
      protocol::WriteUntagged(out, Ok(ResponseCode::Unseen{*seq}, "First unseen message"));
    }
  }
  protocol::WriteUntagged(out, Ok(ResponseCode::UidValidity{opened.status.uid_validity}, "UIDs valid"));
  protocol::WriteUntagged(out, Ok(ResponseCode::UidNext{opened.status.uid_next}, "Predicted next UID"));
  protocol::WriteUntagged(out, Ok(ResponseCode::HighestModSeq{opened.status.highest_modseq}, "Highest"));
  protocol::WriteUntagged(out, Ok(ResponseCode::MailboxId{opened.status.ref.folder}, "Mailbox id"));
  // RFC 4467 §8. It says nothing that a listener could use; the one who logs in without TLS is let in by
  // the configuration.
  protocol::WriteUntagged(out, Ok(ResponseCode::kUrlMech, "Mechanisms for URLs"));
}

/// The answer to SELECT and EXAMINE, written on the storage pool: the folder as it is, and what a returning
/// client does not know of it (RFC 7162 §3.2.5), in portions.
///
/// Lifetime   one command.
class OpenRun {
 public:
  OpenRun(AuthenticatedContext& ctx, const std::string& path, const command::SelectParameters& parameters,
          bool read_only)
      : ctx_(ctx),
        path_(path),
        parameters_(parameters),
        read_only_(read_only),
        wake_(ctx.wire.stream().waker()) {}

  /// True when all is written. Blocks.
  storage::Result<bool> Produce() {
    if (!folder_) {
      const auto opened = Begin();
      if (!opened) return tl::unexpected(opened.error());
    }
    if (!changed_) return true;
    return changed_->Produce();
  }

  std::unique_ptr<SelectedFolder> TakeFolder() { return std::move(folder_); }

 private:
  storage::Result<> Begin() {
    auto opening = OpenNow(ctx_, path_, read_only_, wake_);
    if (!opening) return tl::unexpected(opening.error());
    folder_ = std::move(opening->folder);
    Describe(ctx_.out, opening->opened, *folder_->view, ctx_.session.uid_only());
    const auto& qresync = parameters_.qresync;
    // Of another incarnation of the folder the client knows nothing that counts.
    if (!qresync || qresync->uid_validity != opening->opened.status.uid_validity) return {};
    return Resync(*qresync, opening->opened);
  }

  storage::Result<> Resync(const command::Qresync& client, const storage::OpenedFolder& opened) {
    MailboxView& view = *folder_->view;
    const UidSet known = client.known_uids ? KnownUids(*client.known_uids, opened.status.uid_next)
                                           : UidSet(Uid{1}, protocol::kMaxUid);
    // Read later than the folder was: what has gone in between has a number, and is told of as news.
    const auto reader = ctx_.store.Read(view.folder(), view.actor());
    if (!reader) return tl::unexpected(reader.error());
    const UidSet unsure = client.match ? known.Minus(Confirmed(*client.match, view.map())) : known;
    const auto gone = VanishedAmong(*reader, unsure, opened.uids, client.modseq);
    if (!gone) return tl::unexpected(gone.error());
    protocol::write::VanishedLines(ctx_.out, *gone, /*earlier=*/true);

    const storage::ModSeq highest = opened.status.highest_modseq;
    if (client.modseq == highest) return {};
    const command::Fetch flags{
        .numbers = protocol::NumberKind::kUid,
        .items = {{.kind = FetchItem::Kind::kFlags}},
        // From the future: nothing that it knows is sure.
        .changed_since = client.modseq < highest ? client.modseq : storage::ModSeq{},
    };
    changed_.emplace(ctx_.store, view, view.actor(), ctx_.services.clock,
                     FetchPlan(flags, read_only_, ctx_.session.fetch_form()), view.map().Known(known),
                     ctx_.wire.out);
    return {};
  }

  /// RFC 7162 §3.2.5.2: up to the last pair that is still true the client knows what there is.
  static UidSet Confirmed(const command::SequenceMatch& match, const SequenceMap& map) {
    Uid last;
    auto numbers = match.numbers.ranges.begin();
    auto uids = match.uids.ranges.begin();
    std::uint64_t number = numbers->first;
    std::uint64_t uid = uids->first;
    // Both sets are equally long (the parser sees to it), so they end together.
    for (;;) {
      const std::uint64_t count = std::min(numbers->last - number, uids->last - uid) + 1;
      const auto sure =
          map.LastTrueOf(SeqNum{static_cast<std::uint32_t>(number)}, Uid{static_cast<std::uint32_t>(uid)},
                         static_cast<std::uint32_t>(count));
      if (sure) last = *sure;
      number += count;
      uid += count;
      if (number > numbers->last) {
        if (++numbers == match.numbers.ranges.end()) break;
        number = numbers->first;
      }
      if (uid > uids->last) uid = (++uids)->first;
    }
    return last.value == 0 ? UidSet() : UidSet(Uid{1}, last);
  }

  AuthenticatedContext& ctx_;
  const std::string& path_;
  const command::SelectParameters& parameters_;
  const bool read_only_;
  const std::function<void()> wake_;
  std::unique_ptr<SelectedFolder> folder_;
  std::optional<FetchRun> changed_;
};

asio::awaitable<Reply> Open(const std::string& path, const command::SelectParameters& parameters,
                            bool read_only, AuthenticatedContext& ctx) {
  if (parameters.qresync && !ctx.session.qresync())
    co_return protocol::Bad("QRESYNC needs ENABLE QRESYNC first");
  // RFC 7162 §3.2.11: what follows is not about the old one.
  if (ctx.session.selected() != nullptr)
    protocol::WriteUntagged(ctx.out, Ok(ResponseCode::kClosed, "The mailbox selected before is closed"));
  // A failed SELECT leaves no folder selected (RFC 3501 §6.3.1).
  co_await ctx.session.Deselect();
  if (parameters.condstore) ctx.session.EnableCondstore();
  OpenRun run(ctx, path, parameters, read_only);
  auto produce = [&] { return run.Produce(); };
  for (;;) {
    const auto done = co_await ctx.storage.Run(produce);
    if (!done) co_return ctx.Failed(done.error());
    if (*done) break;
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) break;
    if (auto bye = ctx.session.Dismissal()) co_return *std::move(bye);
  }
  ctx.session.Select(run.TakeFolder());
  if (read_only) co_return Ok(ResponseCode::kReadOnly, "EXAMINE completed");
  // RFC 4314 §5.2: nothing that SELECT is for may be done.
  if (ctx.session.selected()->view->read_only()) co_return Ok(ResponseCode::kReadOnly, "SELECT completed");
  co_return Ok(ResponseCode::kReadWrite, "SELECT completed");
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Select& cmd, AuthenticatedContext& ctx) {
  co_return co_await Open(cmd.mailbox, cmd.parameters, /*read_only=*/false, ctx);
}

asio::awaitable<Reply> Handle(const command::Examine& cmd, AuthenticatedContext& ctx) {
  co_return co_await Open(cmd.mailbox, cmd.parameters, /*read_only=*/true, ctx);
}

asio::awaitable<Reply> Handle(const command::Close&, SelectedContext& ctx) {
  if (!ctx.view.examined() && !ctx.view.deleted()) {
    auto expunge = [&] { return ctx.store.Expunge(ctx.view.folder(), std::nullopt, ctx.actor); };
    const auto gone = co_await ctx.storage.Run(expunge);
    // RFC 4314 §4: without the right to expunge it only closes.
    const bool only_closes = !gone && (gone.error().code == storage::Errc::kNoSuchFolder ||
                                       gone.error().code == storage::Errc::kNoPermission);
    if (!gone && !only_closes) co_return ctx.Failed(gone.error());
  }
  co_await ctx.session.Deselect();
  co_return Ok("CLOSE completed");
}

asio::awaitable<Reply> Handle(const command::Unselect&, SelectedContext& ctx) {
  co_await ctx.session.Deselect();
  co_return Ok("UNSELECT completed");
}

}  // namespace server::imap
