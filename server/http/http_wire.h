#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>

#include "server/net/asio.h"
#include "server/net/stream.h"

namespace server::http {

namespace beast = boost::beast;

/// TCP or a Unix socket, with a time limit on every operation.
using HttpStream = beast::basic_stream<asio::generic::stream_protocol, asio::io_context::executor_type,
                                       beast::unlimited_rate_policy>;

/// What the octets of HTTP go over. `limit` is for one call.
///
/// Thread: the connection's; one call at a time.
class HttpWire {
 public:
  virtual ~HttpWire() = default;
  /// At least 1; 0: the connection is over.
  virtual asio::awaitable<std::size_t> ReadSome(std::span<char> space, std::chrono::milliseconds limit) = 0;
  /// All of it, used up; false: the connection is over. `more`: more follows at once, and may share a packet.
  virtual asio::awaitable<bool> Write(std::span<std::string_view> pieces, bool more) = 0;
};

/// Over a Beast stream: the operator's socket and monitoring.
class BeastWire final : public HttpWire {
 public:
  BeastWire(HttpStream& stream, std::chrono::seconds write_limit)
      : stream_(stream), write_limit_(write_limit) {}
  asio::awaitable<std::size_t> ReadSome(std::span<char> space, std::chrono::milliseconds limit) override;
  asio::awaitable<bool> Write(std::span<std::string_view> pieces, bool more) override;
  HttpStream& stream() { return stream_; }

 private:
  HttpStream& stream_;
  const std::chrono::seconds write_limit_;
};

/// Over one of the reactors' streams, whose pace a slow reader must keep; ends when the server stops and it
/// waits.
class StreamWire final : public HttpWire {
 public:
  explicit StreamWire(net::Stream& stream) : stream_(stream) {}
  asio::awaitable<std::size_t> ReadSome(std::span<char> space, std::chrono::milliseconds limit) override;
  asio::awaitable<bool> Write(std::span<std::string_view> pieces, bool more) override;

 private:
  net::Stream& stream_;
};

}  // namespace server::http
