#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "protocol/imap/command/search.h"
#include "protocol/imap/write/search.h"
#include "server/imap/context.h"

/// What the commands that search have in common.
namespace server::imap {

/// Runs `run` to its end: a SearchRun or what is made of one. The reply is there if there is no result; then
/// what SAVE would have kept is empty after a NO (RFC 5182 §2.1).
template <class Run>
asio::awaitable<std::optional<Reply>> RunSearch(Run& run, SelectedContext& ctx,
                                                const protocol::command::Search& cmd) {
  const bool save = cmd.returns && cmd.returns->save;
  auto slice = [&] { return run.Slice(); };
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
  }
  if (save && run.refusal() && run.refusal()->status == Reply::Status::kNo) ctx.view.Save({});
  co_return run.refusal();
}

/// ESEARCH (RFC 4731 §3.1), of a SORT too (RFC 5267 §3): `ranges` are in the order of the result, so its
/// first number is MIN.
void WriteExtended(std::string& out, std::string_view tag, const protocol::command::Search& cmd,
                   const std::vector<protocol::NumberRange>& ranges, std::uint64_t count,
                   std::optional<storage::ModSeq> modseq);

/// RFC 5182 §2.4: MIN and MAX, without ALL or COUNT, save no more than they answer. `first` and `last` are
/// those two; they mean nothing if `found` is empty.
UidSet ToSave(const protocol::SearchReturn& want, const UidSet& found, Uid first, Uid last);

}  // namespace server::imap
