// SEARCH and UID SEARCH (RFC 3501 §6.4.4; ESEARCH of RFC 4731, SEARCHRES of RFC 5182).
#include "protocol/imap/write/search.h"

#include "server/imap/commands/handlers.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/commands/search_answer.h"
#include "server/imap/search/search_run.h"

namespace server::imap {

using protocol::NumberRange;
using protocol::Ok;

namespace {

/// RFC 7162 §3.1.6, RFC 4731 §3.2: of what is answered; nullopt: not asked for, or nothing was found.
std::optional<storage::ModSeq> HighestModSeq(const command::Search& cmd, const search::SearchRun& run) {
  if (!cmd.modseq || run.found().empty()) return std::nullopt;
  const bool ends = cmd.returns && !cmd.returns->all && !cmd.returns->count;
  const bool min = ends && cmd.returns->min;
  const bool max = ends && cmd.returns->max;
  if (min && max) return std::max(run.first().modseq, run.last().modseq);
  if (min) return run.first().modseq;
  if (max) return run.last().modseq;
  return run.highest_modseq();
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
  if (cmd.modseq) ctx.session.EnableCondstore();
  search::SearchRun run(ctx.store, ctx.view, cmd, ctx.services.clock);
  if (auto reply = co_await RunSearch(run, ctx, cmd)) co_return *std::move(reply);
  const auto ranges = Named(ctx.view, cmd.numbers, run.found());
  const auto modseq = HighestModSeq(cmd, run);
  if (cmd.returns) {
    WriteExtended(ctx.out, ctx.session.tag(), cmd, ranges, run.found().size(), modseq);
  } else {
    WritePlain(ctx.out, ranges, modseq);
  }
  if (cmd.returns && cmd.returns->save) {
    const UidSet& found = run.found();
    ctx.view.Save(found.empty() ? UidSet() : ToSave(*cmd.returns, found, found.front(), found.back()));
  }
  co_return Ok("SEARCH completed");
}

}  // namespace server::imap
