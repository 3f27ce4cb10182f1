#include "server/http/http_server.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

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
  asio::co_spawn(context_, AcceptLoop(operator_acceptor_, Caller::kOperator), asio::detached);
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
  asio::co_spawn(context_, AcceptLoop(monitor_acceptor_, Caller::kMonitor), asio::detached);
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
  });
}

template <class Acceptor>
asio::awaitable<void> HttpServer::AcceptLoop(Acceptor& acceptor, Caller caller) {
  asio::steady_timer pause(context_);
  while (acceptor.is_open()) {
    auto [error, socket] = co_await acceptor.async_accept(kAsTuple);
    if (error == asio::error::operation_aborted || !acceptor.is_open()) co_return;
    auto task = error ? net::TaskGroup::Task() : tasks_.Enter();
    if (task && open_ < options_.connections) {
      Start(socket, caller, std::move(task));
      continue;
    }
    // Out of descriptors or over the limit: the backlog waits, and so do we.
    pause.expires_after(std::chrono::milliseconds(100));
    [[maybe_unused]] const auto [ignored] = co_await pause.async_wait(kAsTuple);
  }
}

template <class Socket>
void HttpServer::Start(Socket& socket, Caller caller, net::TaskGroup::Task task) {
  // One connection that cannot be served (no memory, it is gone already) must not end the accept loop.
  try {
    const auto protocol = socket.local_endpoint().protocol();
    HttpStream::socket_type generic(context_.get_executor(), protocol, socket.release());
    asio::co_spawn(context_, Serve(HttpStream(std::move(generic)), caller, std::move(task)), asio::detached);
  } catch (const std::exception& error) {
    spdlog::error("event=http_failed error=\"{}\"", error.what());
  }
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

asio::awaitable<bool> HttpServer::ServeOne(HttpStream& stream, beast::flat_buffer& buffer, Caller caller) {
  Call::Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options_.header_limit));
  parser.body_limit(boost::none);  // each resource knows its own
  stream.expires_after(options_.keep_alive);
  idle_.insert(&stream);
  const auto [error, ignored] = co_await beast::http::async_read_header(stream, buffer, parser, kAsTuple);
  idle_.erase(&stream);
  if (error) {
    if (error.category() == beast::http::make_error_code(beast::http::error::bad_method).category() &&
        error != beast::http::error::end_of_stream) {
      Call call(stream, buffer, parser, options_.request_limit);
      Refusal refusal{Status::bad_request, "bad_request", error.message()};
      co_await call.Fail(std::move(refusal));
    }
    co_return false;
  }
  Call call(stream, buffer, parser, options_.request_limit);
  co_await Dispatch(call, services_, caller);
  const bool more = call.keep_alive();
  if (!more) co_await call.Drain();
  if (caller == Caller::kOperator)
    spdlog::info("event=http method={} path={} status={}", std::string_view(parser.get().method_string()),
                 call.path(), call.status());
  co_return more;
}

}  // namespace server::http
