#pragma once

#include <cstddef>
#include <exception>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "server/net/asio.h"

namespace server::http {

/// Awaits `run(i)` for every i below `count`, at most `at_once` at a time, on the caller's executor, which is
/// one thread. The first exception is rethrown when all have ended. `run` lives in the caller's frame.
template <class Run>
asio::awaitable<void> ForEach(std::size_t count, std::size_t at_once, Run& run) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer all_done(executor, asio::steady_timer::time_point::max());
  std::size_t next = 0;
  std::size_t workers = 0;
  std::exception_ptr failure;
  const auto work = [&]() -> asio::awaitable<void> {
    while (next < count && !failure) co_await run(next++);
  };
  for (std::size_t i = 0; i < at_once && i < count; ++i) {
    ++workers;
    asio::co_spawn(executor, work(), [&](const std::exception_ptr& error) {
      if (error && !failure) failure = error;
      if (--workers == 0) all_done.cancel();
    });
  }
  if (workers > 0) [[maybe_unused]]
    const auto [ignored] = co_await all_done.async_wait(kAsTuple);
  if (failure) std::rethrow_exception(failure);
}

}  // namespace server::http
