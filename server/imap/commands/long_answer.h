#pragma once

#include <tuple>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "server/imap/context.h"

namespace server::imap {

/// The next piece of a long answer, made on the storage pool while the piece before it, which is in the
/// output, is sent. Answers what `produce` does, and whether the client took the piece before.
template <class Produce>
asio::awaitable<std::tuple<storage::Result<bool>, bool>> ProduceWhileSending(AuthenticatedContext& ctx,
                                                                             Produce& produce) {
  using asio::experimental::awaitable_operators::operator&&;
  auto sending = ctx.wire.out.Flush();
  auto producing = ctx.storage.Run(produce);
  co_return co_await (std::move(producing) && std::move(sending));
}

}  // namespace server::imap
