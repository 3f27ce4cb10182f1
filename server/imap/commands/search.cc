// SEARCH and UID SEARCH (RFC 3501 §6.4.4; ESEARCH of RFC 4731, SEARCHRES of RFC 5182, PARTIAL of RFC 9394).
#include "protocol/imap/write/search.h"

#include <algorithm>

#include "server/imap/commands/handlers.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/commands/search_answer.h"
#include "server/imap/search/search_run.h"

namespace server::imap {

using protocol::NumberRange;
using protocol::Ok;

namespace {

/// Whoever asks for the first results alone need not wait for the others; nullopt: all must be found.
std::optional<std::uint64_t> Enough(const command::Search& cmd) {
  if (!cmd.returns || !cmd.returns->partial || cmd.returns->partial->from_end) return std::nullopt;
  const auto& want = *cmd.returns;
  if (want.all || want.count || want.max || want.update) return std::nullopt;
  return std::max(want.partial->first, want.partial->last);
}

std::vector<Uid> Listed(const UidSet& uids) {
  std::vector<Uid> list;
  uids.ForEach([&](Uid uid) { list.push_back(uid); });
  return list;
}

void WritePlain(std::string& out, const std::vector<NumberRange>& ranges,
                std::optional<storage::ModSeq> modseq) {
  std::vector<std::uint32_t> numbers;
  for (const auto& range : ranges) {
    for (std::uint64_t n = range.first; n <= range.last; ++n)
      numbers.push_back(static_cast<std::uint32_t>(n));
  }
  protocol::write::SearchLine(out, numbers, modseq);
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Search& cmd, SelectedContext& ctx) {
  if (auto refusal = TagInUse(ctx, cmd)) co_return *std::move(refusal);
  if (cmd.modseq) ctx.session.EnableCondstore();
  search::SearchRun run(ctx.store, ctx.view, cmd, ctx.services.clock, {.enough = Enough(cmd)});
  if (auto reply = co_await RunSearch(run, ctx, cmd)) co_return *std::move(reply);
  const UidSet& found = run.found();
  UidSet part;
  if (cmd.returns && cmd.returns->partial) part = PartOf(found, *cmd.returns->partial);
  UidSet answered = found;
  if (cmd.returns && !found.empty())
    answered = Answered(*cmd.returns, found, found.front(), found.back(), part);
  std::optional<storage::ModSeq> modseq;
  if (cmd.modseq && answered == found && !found.empty()) {
    modseq = run.highest_modseq();
  } else if (cmd.modseq && !answered.empty()) {
    auto look = [&] { return HighestModSeq(ctx, answered); };
    const auto highest = co_await ctx.storage.Run(look);
    if (!highest) co_return ctx.Failed(highest.error());
    modseq = *highest;
  }
  const auto ranges = Named(ctx.view, cmd.numbers, found);
  if (cmd.returns) {
    WriteExtended(ctx.out, ctx.session.tag(), cmd,
                  {ranges, Named(ctx.view, cmd.numbers, part), found.size(), modseq});
    if (cmd.returns->update) BeginUpdates(ctx, {.criteria = {}, .search = cmd}, Listed(found));
    if (cmd.returns->save) ctx.view.Save(std::move(answered));
  } else {
    WritePlain(ctx.out, ranges, modseq);
  }
  co_return Ok("SEARCH completed");
}

}  // namespace server::imap
