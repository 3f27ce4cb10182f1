#include "server/http/http_wire.h"

#include <boost/asio/write.hpp>

namespace server::http {

asio::awaitable<std::size_t> BeastWire::ReadSome(std::span<char> space, std::chrono::milliseconds limit) {
  stream_.expires_after(limit);
  const auto [error, got] =
      co_await stream_.async_read_some(asio::buffer(space.data(), space.size()), kAsTuple);
  co_return error ? 0 : got;
}

asio::awaitable<bool> BeastWire::Write(std::span<std::string_view> pieces, bool /*more*/) {
  for (const auto piece : pieces) {
    stream_.expires_after(write_limit_);
    const auto [error, ignored] =
        co_await asio::async_write(stream_, asio::buffer(piece.data(), piece.size()), kAsTuple);
    if (error) co_return false;
  }
  co_return true;
}

asio::awaitable<std::size_t> StreamWire::ReadSome(std::span<char> space, std::chrono::milliseconds limit) {
  stream_.SetDeadline(stream_.Now() + limit);
  for (;;) {
    const auto read = stream_.ReadSome(space);
    if (read.status == net::ReadResult::Status::kData) {
      stream_.ClearDeadline();
      co_return read.size;
    }
    if (read.status != net::ReadResult::Status::kWouldBlock) co_return 0;
    const auto wake = co_await stream_.WaitReadable();
    if (wake != net::Wake::kReadable && wake != net::Wake::kNotified) co_return 0;
  }
}

asio::awaitable<bool> StreamWire::Write(std::span<std::string_view> pieces, bool more) {
  const bool written = co_await stream_.Write(pieces, more);
  co_return written;
}

}  // namespace server::http
