// SEARCH and UID SEARCH (RFC 3501 §6.4.4; ESEARCH of RFC 4731, SEARCHRES of RFC 5182).
#include "protocol/imap/write/search.h"

#include "server/imap/commands/handlers.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/search/search_run.h"

namespace server::imap {

using protocol::NumberRange;
using protocol::Ok;
using protocol::SearchReturn;

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

void WriteExtended(std::string& out, std::string_view tag, const command::Search& cmd,
                   const std::vector<NumberRange>& ranges, std::uint64_t count,
                   std::optional<storage::ModSeq> modseq) {
  const SearchReturn& want = *cmd.returns;
  // SAVE alone has no answer (RFC 5182 §2.1).
  if (!want.min && !want.max && !want.all && !want.count) return;
  protocol::write::EsearchResult result{.tag = tag, .numbers = cmd.numbers, .modseq = modseq};
  if (want.count) result.count = static_cast<std::uint32_t>(count);
  if (!ranges.empty()) {
    if (want.min) result.min = ranges.front().first;
    if (want.max) result.max = ranges.back().last;
    if (want.all) result.all = ranges;
  }
  protocol::write::EsearchLine(out, result);
}

/// RFC 5182 §2.4: MIN and MAX, without ALL or COUNT, save no more than they answer.
UidSet ToSave(const SearchReturn& want, const UidSet& found) {
  if (found.empty() || want.all || want.count || (!want.min && !want.max)) return found;
  UidSet saved;
  if (want.min) saved.Add(found.front());
  if (want.max) saved.Add(found.back());
  return saved;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Search& cmd, SelectedContext& ctx) {
  if (cmd.modseq) ctx.session.EnableCondstore();
  const bool save = cmd.returns && cmd.returns->save;
  search::SearchRun run(ctx.store, ctx.view, cmd, ctx.services.clock);
  auto slice = [&] { return run.Slice(); };
  bool done = false;
  while (!done) {
    const auto result = co_await ctx.storage.Run(slice);
    if (!result) {
      if (save) ctx.view.Save({});  // RFC 5182 §2.1: NO empties it
      co_return ctx.Failed(result.error());
    }
    done = *result;
    // Between slices: nobody waits for the answer of a client that has left.
    auto interruption = done ? std::nullopt : ctx.session.Interruption();
    if (interruption) co_return *std::move(interruption);
  }
  if (run.refusal()) {
    if (save && run.refusal()->status == Reply::Status::kNo) ctx.view.Save({});
    co_return *run.refusal();
  }
  const auto ranges = Named(ctx.view, cmd.numbers, run.found());
  const auto modseq = HighestModSeq(cmd, run);
  if (cmd.returns) {
    WriteExtended(ctx.out, ctx.session.tag(), cmd, ranges, run.found().size(), modseq);
  } else {
    WritePlain(ctx.out, ranges, modseq);
  }
  if (save) ctx.view.Save(ToSave(*cmd.returns, run.found()));
  co_return Ok("SEARCH completed");
}

}  // namespace server::imap
