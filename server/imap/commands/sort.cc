// SORT and THREAD and their UID forms (RFC 5256 §3; SORT=DISPLAY of RFC 5957, ESORT of RFC 5267 §3).
#include "protocol/imap/write/sort.h"

#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search_answer.h"
#include "server/imap/sort/sort_run.h"
#include "server/imap/sort/thread_run.h"

namespace server::imap {

using protocol::NumberKind;
using protocol::NumberRange;
using protocol::Ok;

namespace {

std::vector<std::uint32_t> Numbers(const MailboxView& view, NumberKind kind, const std::vector<Uid>& uids) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(uids.size());
  for (const Uid uid : uids) {
    numbers.push_back(kind == NumberKind::kUid ? uid.value : view.map().SeqOf(uid)->value);
  }
  return numbers;
}

/// RFC 5267 §3.2: numbers that follow one another are a range if they ascend.
std::vector<NumberRange> Ranges(const std::vector<std::uint32_t>& numbers) {
  std::vector<NumberRange> ranges;
  for (const std::uint32_t number : numbers) {
    if (!ranges.empty() && ranges.back().last + 1 == number) {
      ranges.back().last = number;
    } else {
      ranges.push_back({number, number});
    }
  }
  return ranges;
}

UidSet Answered(const std::optional<protocol::SearchReturn>& want, const std::vector<Uid>& sorted,
                const UidSet& found) {
  if (sorted.empty()) return {};
  return want ? ToSave(*want, found, sorted.front(), sorted.back()) : found;
}

/// RFC 7162 §3.1.6: of what is answered.
storage::Result<storage::ModSeq> HighestModSeq(const SelectedContext& ctx, const UidSet& answered) {
  const auto reader = ctx.store.Read(ctx.view.folder());
  if (!reader) return tl::unexpected(reader.error());
  storage::ModSeq highest;
  const auto read = reader->States(
      answered, [&](const storage::MessageState& state) { highest = std::max(highest, state.modseq); });
  if (!read) return tl::unexpected(read.error());
  return highest;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Sort& cmd, SelectedContext& ctx) {
  if (cmd.search.modseq) ctx.session.EnableCondstore();
  sort::SortRun run(ctx.store, ctx.view, cmd, ctx.services.clock);
  if (auto reply = co_await RunSearch(run, ctx, cmd.search)) co_return *std::move(reply);
  const UidSet answered = Answered(cmd.search.returns, run.sorted(), run.found());
  std::optional<storage::ModSeq> modseq;
  if (cmd.search.modseq && !answered.empty()) {
    auto look = [&] { return HighestModSeq(ctx, answered); };
    const auto highest = co_await ctx.storage.Run(look);
    if (!highest) co_return ctx.Failed(highest.error());
    modseq = *highest;
  }
  const auto numbers = Numbers(ctx.view, cmd.search.numbers, run.sorted());
  if (cmd.search.returns) {
    WriteExtended(ctx.out, ctx.session.tag(), cmd.search, Ranges(numbers), numbers.size(), modseq);
    if (cmd.search.returns->save) ctx.view.Save(answered);
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
