// SEARCH and UID SEARCH (RFC 3501 §6.4.4; ESEARCH of RFC 4731, SEARCHRES of RFC 5182).
#include "protocol/imap/write/search.h"

#include "server/imap/commands/handlers.h"
#include "server/imap/commands/search_answer.h"
#include "server/imap/search/search_run.h"

namespace server::imap {

using protocol::NumberKind;
using protocol::NumberRange;
using protocol::Ok;

namespace {

std::vector<NumberRange> Ranges(const MailboxView& view, NumberKind numbers, const UidSet& found) {
  std::vector<NumberRange> ranges;
  if (numbers == NumberKind::kUid) {
    for (const auto& range : found.ranges()) ranges.push_back({range.first.value, range.last.value});
  } else {
    for (const auto& range : view.map().SeqRanges(found))
      ranges.push_back({range.first.value, range.last.value});
  }
  return ranges;
}

void WritePlain(std::string& out, const std::vector<NumberRange>& ranges) {
  std::vector<std::uint32_t> numbers;
  for (const auto& range : ranges) {
    for (std::uint64_t n = range.first; n <= range.last; ++n)
      numbers.push_back(static_cast<std::uint32_t>(n));
  }
  protocol::write::SearchLine(out, numbers);
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Search& cmd, SelectedContext& ctx) {
  search::SearchRun run(ctx.store, ctx.view, cmd, ctx.services.clock);
  if (auto reply = co_await RunSearch(run, ctx, cmd)) co_return *std::move(reply);
  const auto ranges = Ranges(ctx.view, cmd.numbers, run.found());
  if (cmd.returns) {
    WriteExtended(ctx.out, ctx.session.tag(), cmd, ranges, run.found().size());
  } else {
    WritePlain(ctx.out, ranges);
  }
  if (cmd.returns && cmd.returns->save) {
    const UidSet& found = run.found();
    ctx.view.Save(found.empty() ? UidSet() : ToSave(*cmd.returns, found, found.front(), found.back()));
  }
  co_return Ok("SEARCH completed");
}

}  // namespace server::imap
