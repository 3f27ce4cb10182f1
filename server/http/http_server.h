#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <tl/expected.hpp>

#include "server/http/request.h"
#include "server/net/task_group.h"

namespace server::http {

/// Serves the operator's API on a Unix socket and monitoring on TCP, all on one event loop: the work is done
/// on the storage pool.
///
/// Lifetime   Close(), then let `tasks` drain, before it is destroyed; what it was given outlives it.
/// Thread     Listen...() before the loop runs; the rest on the loop's thread, Close() from any.
class HttpServer {
 public:
  HttpServer(asio::io_context& context, Services& services, net::TaskGroup& tasks, HttpOptions options = {});

  /// Makes the socket with mode 0600. A socket that nobody serves any more is replaced; an error is a
  /// sentence.
  tl::expected<void, std::string> ListenOperator(const std::string& path);
  /// Port 0: any free one, see monitor_port().
  tl::expected<void, std::string> ListenMonitor(const std::string& address, std::uint16_t port);
  std::uint16_t monitor_port() const;

  /// Stops accepting, ends idle connections; requests under way are finished.
  void Close();

 private:
  class Idle;
  template <class Acceptor>
  void StartAccepting(Acceptor& acceptor, std::string where, Caller caller);
  asio::awaitable<void> Serve(HttpStream stream, Caller caller, net::TaskGroup::Task task);
  asio::awaitable<bool> ServeOne(HttpStream& stream, beast::flat_buffer& buffer, Caller caller);

  asio::io_context& context_;
  Services& services_;
  net::TaskGroup& tasks_;
  const HttpOptions options_;
  asio::local::stream_protocol::acceptor operator_acceptor_;
  asio::ip::tcp::acceptor monitor_acceptor_;
  std::set<HttpStream*> idle_;  ///< between two requests
  std::size_t open_ = 0;
  bool closing_ = false;
};

}  // namespace server::http
