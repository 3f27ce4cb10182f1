#pragma once

// The parts of Asio that the server's headers name. Compiled once, in asio_src.cc.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace server {
namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

/// `auto [ec, n] = co_await x.async_y(..., kAsTuple);`: failures of I/O are values.
inline constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
}  // namespace server
