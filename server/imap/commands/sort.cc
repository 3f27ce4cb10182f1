// SORT and THREAD and their UID forms (RFC 5256 §3; SORT=DISPLAY of RFC 5957, ESORT of RFC 5267 §3, PARTIAL
// of RFC 9394).
#include "protocol/imap/write/sort.h"

#include <span>

#include "server/imap/commands/handlers.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/commands/search_answer.h"
#include "server/imap/sort/sort_run.h"
#include "server/imap/sort/thread_run.h"

namespace server::imap {

using protocol::Ok;

namespace {

/// Those that PARTIAL names, in the order of the result.
std::span<const Uid> PartOf(const protocol::SearchReturn& want, std::span<const Uid> sorted) {
  if (!want.partial) return {};
  const auto window = want.partial->Among(sorted.size());
  return sorted.subspan(window.begin, window.end - window.begin);
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Sort& cmd, SelectedContext& ctx) {
  if (auto refusal = TagInUse(ctx, cmd.search)) co_return *std::move(refusal);
  if (cmd.search.modseq) ctx.session.EnableCondstore();
  sort::SortRun run(ctx.store, ctx.view, cmd, ctx.services.clock);
  if (auto reply = co_await RunSearch(run, ctx, cmd.search)) co_return *std::move(reply);
  const auto& want = cmd.search.returns;
  const std::vector<Uid>& sorted = run.sorted();
  const std::span<const Uid> part = want ? PartOf(*want, sorted) : std::span<const Uid>();
  UidSet answered;
  if (!sorted.empty()) answered = run.found();
  if (want && !sorted.empty())
    answered = Answered(*want, answered, sorted.front(), sorted.back(), SetOf(part));
  std::optional<storage::ModSeq> modseq;
  if (cmd.search.modseq && !answered.empty()) {
    auto look = [&] { return HighestModSeq(ctx, answered); };
    const auto highest = co_await ctx.storage.Run(look);
    if (!highest) co_return ctx.Failed(highest.error());
    modseq = *highest;
  }
  const auto numbers = Numbers(ctx.view, cmd.search.numbers, sorted);
  if (want) {
    const auto in_part = Numbers(ctx.view, cmd.search.numbers, part);
    WriteExtended(ctx.out, ctx.session.tag(), cmd.search,
                  {Ranges(numbers), Ranges(in_part), numbers.size(), modseq});
    if (want->update) BeginUpdates(ctx, cmd, sorted);
    if (want->save) ctx.view.Save(std::move(answered));
  } else {
    protocol::write::SortLine(ctx.out, numbers, modseq);
  }
  co_return Ok("SORT completed");
}

asio::awaitable<Reply> Handle(const command::Thread& cmd, SelectedContext& ctx) {
  if (cmd.search.modseq) ctx.session.EnableCondstore();
  sort::ThreadRun run(ctx.store, ctx.view, cmd, ctx.services.clock);
  if (auto reply = co_await RunSearch(run, ctx, cmd.search)) co_return *std::move(reply);
  const auto numbers = Numbers(ctx.view, cmd.search.numbers, run.uids());
  auto members = run.members();
  for (auto& member : members) {
    if (member.number != 0) member.number = numbers[member.number - 1];
  }
  protocol::write::ThreadLine(ctx.out, members);
  co_return Ok("THREAD completed");
}

}  // namespace server::imap
