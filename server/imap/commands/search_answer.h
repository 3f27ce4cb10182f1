#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/imap/command/sort.h"
#include "protocol/imap/write/search.h"
#include "server/imap/commands/progress.h"
#include "server/imap/context.h"
#include "server/imap/search/search_run.h"

/// What the commands that search have in common.
namespace server::imap {

/// Runs `run` to its end: a SearchRun or what is made of one, and tells how far it is. The reply is there if
/// there is no result; then what SAVE would have kept is empty after a NO (RFC 5182 §2.1).
template <class Run>
asio::awaitable<std::optional<Reply>> RunSearch(Run& run, SelectedContext& ctx,
                                                const protocol::command::Search& cmd) {
  const bool save = cmd.returns && cmd.returns->save;
  auto slice = [&] { return run.Slice(); };
  Progress progress(ctx.session);
  bool done = false;
  while (!done) {
    const auto result = co_await ctx.storage.Run(slice);
    if (!result) {
      if (save) ctx.view.Save({});
      co_return ctx.Failed(result.error());
    }
    done = *result;
    // Between slices: nobody waits for the answer of a client that has left.
    auto interruption = done ? std::nullopt : ctx.session.Interruption();
    if (interruption) co_return *std::move(interruption);
    const search::WorkDone work = run.progress();
    if (done || !progress.Tell(work.done, work.of)) continue;
    const bool flushed = co_await ctx.wire.out.Flush();
    if (!flushed) co_return protocol::Bye("The client has left");
  }
  if (save && run.refusal() && run.refusal()->status == Reply::Status::kNo) ctx.view.Save({});
  co_return run.refusal();
}

/// The refusal of RETURN (UPDATE), before anything is searched: its tag has updates already (RFC 5267 §4.3).
std::optional<Reply> TagInUse(SelectedContext& ctx, const protocol::command::Search& cmd);

/// RETURN (UPDATE): begins the updates, or tells that there will be none (RFC 5267 §4.3.1).
void BeginUpdates(SelectedContext& ctx, const protocol::command::Sort& cmd, std::vector<Uid> result);

/// What ESEARCH may tell, as numbers or UIDs in the order of the result.
struct SearchResult {
  std::vector<protocol::NumberRange> all;   ///< its first number is MIN, its last MAX
  std::vector<protocol::NumberRange> part;  ///< those that PARTIAL names, if it was asked for
  std::uint64_t count = 0;
  std::optional<storage::ModSeq> modseq;
};

/// ESEARCH (RFC 4731 §3.1), of a SORT too (RFC 5267 §3).
void WriteExtended(std::string& out, std::string_view tag, const protocol::command::Search& cmd,
                   const SearchResult& result);

/// What the answer is about, which is what SAVE saves: MIN, MAX and PARTIAL, without ALL or COUNT, no more
/// than they tell (RFC 5182 §2.4, RFC 9394 §3.2). `first` and `last` are MIN and MAX, which mean nothing if
/// `found` is empty; `part` is what PARTIAL names.
UidSet Answered(const protocol::SearchReturn& want, const UidSet& found, Uid first, Uid last,
                const UidSet& part);

/// The highest mod-sequence among `answered` (RFC 7162 §3.1.6). Blocks.
storage::Result<storage::ModSeq> HighestModSeq(const SelectedContext& ctx, const UidSet& answered);

}  // namespace server::imap
