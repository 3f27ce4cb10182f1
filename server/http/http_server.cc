#include "server/http/http_server.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/net/accept_loop.h"

namespace server::http {
namespace {

using Local = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;

/// True if something answers on the socket.
bool IsServed(asio::io_context& context, const Local::endpoint& endpoint) {
  Local::socket probe(context);
  ErrorCode error;
  probe.connect(endpoint, error);
  return !error;
}

}  // namespace

HttpServer::HttpServer(asio::io_context& context, Services& services, net::TaskGroup& tasks,
                       HttpOptions options)
    : context_(context),
      services_(services),
      tasks_(tasks),
      options_(options),
      operator_acceptor_(context),
      monitor_acceptor_(context) {}

template <class Acceptor>
void HttpServer::StartAccepting(Acceptor& acceptor, std::string where, Caller caller) {
  const auto admit = [this, caller](auto socket, const auto& /*peer*/) {
    auto task = tasks_.Enter();
    if (!task || open_ >= options_.connections) return false;
    const auto protocol = socket.local_endpoint().protocol();
    HttpStream::socket_type generic(context_.get_executor(), protocol, socket.release());
    asio::co_spawn(context_, Serve(HttpStream(std::move(generic)), caller, std::move(task)), asio::detached);
    return true;
  };
  asio::co_spawn(context_, net::AcceptLoop(acceptor, std::move(where), admit), asio::detached);
}

tl::expected<void, std::string> HttpServer::ListenOperator(const std::string& path) {
  const Local::endpoint endpoint(path);
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode))
      return tl::unexpected(fmt::format("{} is in the way: it is no socket", path));
    if (IsServed(context_, endpoint))
      return tl::unexpected(fmt::format("{} is served by another process", path));
    ::unlink(path.c_str());
  }
  ErrorCode error;
  operator_acceptor_.open(endpoint.protocol(), error);
  if (!error) operator_acceptor_.bind(endpoint, error);
  // Before listen(): until then nobody can connect, so there is no moment at which others can.
  if (!error && ::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0)
    error = ErrorCode(errno, boost::system::system_category());
  if (!error) operator_acceptor_.listen(64, error);
  if (error) return tl::unexpected(fmt::format("cannot listen on {}: {}", path, error.message()));
  StartAccepting(operator_acceptor_, path, Caller::kOperator);
  return {};
}

tl::expected<void, std::string> HttpServer::ListenMonitor(const std::string& address, std::uint16_t port) {
  ErrorCode error;
  const Tcp::endpoint endpoint(asio::ip::make_address(address, error), port);
  if (!error) monitor_acceptor_.open(endpoint.protocol(), error);
  if (!error) monitor_acceptor_.set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) monitor_acceptor_.bind(endpoint, error);
  if (!error) monitor_acceptor_.listen(64, error);
  if (error)
    return tl::unexpected(fmt::format("cannot listen on {} port {}: {}", address, port, error.message()));
  StartAccepting(monitor_acceptor_, fmt::format("port {}", monitor_port()), Caller::kMonitor);
  return {};
}

std::uint16_t HttpServer::monitor_port() const {
  ErrorCode error;
  return monitor_acceptor_.local_endpoint(error).port();
}

void HttpServer::Close() {
  asio::post(context_, [this] {
    closing_ = true;
    ErrorCode ignored;
    operator_acceptor_.close(ignored);
    monitor_acceptor_.close(ignored);
    for (auto* stream : idle_) stream->cancel();
    services_.waiting.Close();
  });
}

asio::awaitable<void> HttpServer::Serve(HttpStream stream, Caller caller,
                                        [[maybe_unused]] net::TaskGroup::Task task) {
  ++open_;
  beast::flat_buffer buffer;
  try {
    bool more = true;
    while (more && !closing_) more = co_await ServeOne(stream, buffer, caller);
  } catch (const std::exception& error) {
    spdlog::error("event=http_failed error=\"{}\"", error.what());
  }
  --open_;
  ErrorCode ignored;
  stream.socket().shutdown(asio::socket_base::shutdown_both, ignored);
}

/// Between two requests, also if that ends by an exception.
class HttpServer::Idle {
 public:
  Idle(std::set<HttpStream*>& all, HttpStream& stream) : all_(all), stream_(&stream) { all_.insert(stream_); }
  ~Idle() { all_.erase(stream_); }
  Idle(const Idle&) = delete;
  Idle& operator=(const Idle&) = delete;

 private:
  std::set<HttpStream*>& all_;
  HttpStream* stream_;
};

asio::awaitable<bool> HttpServer::ServeOne(HttpStream& stream, beast::flat_buffer& buffer, Caller caller) {
  BeastWire wire(stream, options_.request_limit);
  Call::Parser parser;
  ErrorCode error;
  {
    const Idle idle(idle_, stream);
    error = co_await ReadHead(wire, buffer, parser, options_, options_.keep_alive);
  }
  const Face face{caller, nullptr, options_};
  const bool more = co_await Answer(wire, buffer, parser, error, services_, face);
  co_return more;
}

}  // namespace server::http
