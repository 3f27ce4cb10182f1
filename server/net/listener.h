#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <tl/expected.hpp>

#include "server/net/reactor.h"
#include "server/net/stream.h"
#include "server/net/task_group.h"
#include "server/net/tls_context.h"

namespace server::net {

enum class TlsMode {
  kNone,      ///< plain, no STARTTLS
  kStartTls,  ///< plain, STARTTLS offered
  kImplicit,  ///< the handshake is done before the handler runs
};

/// What is known of a connection when it begins.
struct ConnectionInfo {
  std::uint64_t id = 0;  ///< unique in this process; for the log
  asio::ip::address peer;
  std::uint16_t peer_port = 0;
  std::uint16_t local_port = 0;
  TlsMode tls = TlsMode::kNone;
  bool loopback = false;  ///< the peer is this machine
};

/// Connections at once, over all listeners that share it. This machine's own, which may be a proxy's for
/// everybody, are no network.
///
/// Thread: any.
class ConnectionLimits {
 public:
  ConnectionLimits(std::size_t total, std::size_t per_address, std::size_t per_network)
      : total_(total), per_address_(per_address), per_network_(per_network) {}

  /// False: one limit is reached. Each true is matched by one Release().
  bool Acquire(const asio::ip::address& peer);
  void Release(const asio::ip::address& peer);
  std::size_t open() const;

 private:
  const std::size_t total_;
  const std::size_t per_address_;
  const std::size_t per_network_;  ///< NetworkOf()
  mutable std::mutex mutex_;
  std::size_t open_ = 0;
  // Each entry has a connection.
  std::map<asio::ip::address, std::size_t> by_address_;
  std::map<asio::ip::address, std::size_t> by_network_;
};

struct ListenerOptions {
  std::string address;     ///< "0.0.0.0", "::", "127.0.0.1"
  std::uint16_t port = 0;  ///< 0: any free one, see Listener::port()
  TlsMode tls = TlsMode::kNone;
  std::string refusal;  ///< sent when a limit is reached, then the connection is closed: "* BYE ...\r\n"
  std::chrono::seconds handshake_limit{60};
};

/// Accepts on one address and gives each connection to the least loaded reactor, where it stays.
///
/// Lifetime   Close() and let the reactors run on before it is destroyed; reactors, limits, tasks, TLS
/// outlive it. Thread     Open() and Close() from any one thread.
class Listener {
 public:
  using Handler = std::function<asio::awaitable<void>(Stream, ConnectionInfo)>;
  struct Context {
    ReactorPool& reactors;
    ConnectionLimits& limits;
    TaskGroup& tasks;
    const TlsContext* tls = nullptr;  ///< required for kImplicit
  };

  /// Binds and listens; an error is a sentence. An exception that leaves `handler` is logged and ends that
  /// connection only.
  static tl::expected<std::unique_ptr<Listener>, std::string> Open(ListenerOptions options, Context context,
                                                                   Handler handler);
  ~Listener();

  /// Starts to accept, on the pool's first reactor.
  void Start();
  /// Stops accepting; connections live on.
  void Close();
  std::uint16_t port() const { return port_; }

 private:
  Listener(ListenerOptions options, Context context, Handler handler);
  void Admit(int fd, const asio::ip::tcp::endpoint& peer);

  const ListenerOptions options_;
  const Context context_;
  const Handler handler_;
  asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
};

}  // namespace server::net
