#include "server/net/listener.h"

#include <atomic>
#include <optional>

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "server/net/accept_loop.h"

namespace server::net {
namespace {

using Tcp = asio::ip::tcp;

std::atomic<std::uint64_t> last_connection_id{0};

std::string PeerText(const Tcp::endpoint& peer) {
  return peer.address().is_v6() ? fmt::format("[{}]:{}", peer.address().to_string(), peer.port())
                                : fmt::format("{}:{}", peer.address().to_string(), peer.port());
}

/// An IPv4 client of a dual-stack socket counts as that IPv4 address.
asio::ip::address Unmapped(const asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
}

/// What an open connection holds of the listener's shared counters.
class Admission {
 public:
  Admission(ConnectionLimits& limits, asio::ip::address peer, TaskGroup::Task task)
      : limits_(&limits), peer_(std::move(peer)), task_(std::move(task)) {}
  Admission(Admission&& other) noexcept
      : limits_(std::exchange(other.limits_, nullptr)), peer_(other.peer_), task_(std::move(other.task_)) {}
  Admission& operator=(Admission&&) = delete;
  ~Admission() {
    if (limits_) limits_->Release(peer_);
  }

 private:
  ConnectionLimits* limits_;
  asio::ip::address peer_;
  TaskGroup::Task task_;
};

asio::awaitable<bool> Handshake(Stream& stream, const TlsContext& tls, std::chrono::seconds limit) {
  stream.SetDeadline(stream.Now() + limit);
  const bool done = co_await stream.StartTls(tls);
  stream.ClearDeadline();
  co_return done;
}

/// The top frame of a connection: it lives as long as the connection does, so it is kept small.
asio::awaitable<void> Serve(const Listener::Handler& handler, const TlsContext* tls,
                            std::chrono::seconds limit, Stream stream, ConnectionInfo info,
                            Admission admission) {
  if (info.tls == TlsMode::kImplicit) {
    const bool done = co_await Handshake(stream, *tls, limit);
    if (!done) {
      spdlog::info("event=tls_failed conn={} peer={}", info.id, stream.peer());
      co_return;
    }
  }
  co_await handler(std::move(stream), std::move(info));
}

void ReportEnd(std::uint64_t id, const std::exception_ptr& error) {
  if (!error) return;
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    spdlog::error("event=connection_failed conn={} error=\"{}\"", id, e.what());
  } catch (...) {
    spdlog::error("event=connection_failed conn={} error=unknown", id);
  }
}

}  // namespace

tl::expected<std::unique_ptr<Listener>, std::string> Listener::Open(ListenerOptions options, Context context,
                                                                    Handler handler) {
  ErrorCode error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) return tl::unexpected(fmt::format("\"{}\" is no IP address", options.address));
  const Tcp::endpoint endpoint(address, options.port);
  std::unique_ptr<Listener> listener(new Listener(std::move(options), context, std::move(handler)));
  auto& acceptor = listener->acceptor_;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(1024, error);
  if (!error) listener->port_ = acceptor.local_endpoint(error).port();
  if (error)
    return tl::unexpected(fmt::format("cannot listen on {}: {}", PeerText(endpoint), error.message()));
  return listener;
}

Listener::Listener(ListenerOptions options, Context context, Handler handler)
    : options_(std::move(options)),
      context_(context),
      handler_(std::move(handler)),
      acceptor_(context.reactors[0].context()) {}

Listener::~Listener() = default;

void Listener::Start() {
  const auto admit = [this](Tcp::socket socket, const Tcp::endpoint& peer) {
    Admit(socket.release(), peer);
    return true;
  };
  asio::co_spawn(acceptor_.get_executor(), AcceptLoop(acceptor_, fmt::format("port {}", port_), admit),
                 asio::detached);
}

void Listener::Close() {
  asio::post(acceptor_.get_executor(), [this] {
    ErrorCode ignored;
    acceptor_.close(ignored);
  });
}

void Listener::Admit(int socket, const Tcp::endpoint& peer) {
  UniqueFd fd(socket);
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);

  ConnectionInfo info;
  info.id = ++last_connection_id;
  info.peer = Unmapped(peer.address());
  info.peer_port = peer.port();
  info.local_port = port_;
  info.tls = options_.tls;
  info.loopback = info.peer.is_loopback();

  auto task = context_.tasks.Enter();
  const bool admitted = task && context_.limits.Acquire(info.peer);
  if (!admitted) {
    // One attempt without waiting: a refused peer must cost nothing. In implicit TLS it could not read it.
    if (options_.tls != TlsMode::kImplicit && !options_.refusal.empty()) [[maybe_unused]]
      const auto sent =
          ::send(fd.get(), options_.refusal.data(), options_.refusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    spdlog::warn("event=connection_refused peer={} open={}", PeerText(peer), context_.limits.open());
    return;
  }

  Admission admission(context_.limits, info.peer, std::move(task));
  Reactor& reactor = context_.reactors.LeastLoaded();
  auto start = [this, &reactor, fd = std::move(fd), info = std::move(info), text = PeerText(peer),
                admission = std::move(admission)]() mutable {
    const auto id = info.id;
    try {
      Stream stream(reactor, std::move(fd), std::move(text));
      auto serve = Serve(handler_, context_.tls, options_.handshake_limit, std::move(stream), std::move(info),
                         std::move(admission));
      asio::co_spawn(reactor.context(), std::move(serve),
                     [id](const std::exception_ptr& error) { ReportEnd(id, error); });
    } catch (...) {
      ReportEnd(id, std::current_exception());
    }
  };
  asio::post(reactor.context(), std::move(start));
}

}  // namespace server::net
