#pragma once

#include <optional>

#include "server/imap/context.h"

namespace server::imap {

/// Runs a reader of slices on the storage pool to its end. A reply ends the command before that: the store
/// failed, or Session::Interruption().
template <class Run>
asio::awaitable<std::optional<Reply>> ReadInSlices(Run& run, AuthenticatedContext& ctx) {
  auto slice = [&] { return run.Slice(); };
  for (;;) {
    const auto done = co_await ctx.storage.Run(slice);
    if (!done) co_return ctx.Failed(done.error());
    if (*done) co_return std::nullopt;
    auto interruption = ctx.session.Interruption();
    if (interruption) co_return interruption;
  }
}

}  // namespace server::imap
