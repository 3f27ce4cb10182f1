#pragma once

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "server/net/reactor.h"
#include "server/net/stream.h"

namespace server_test {

/// A connected pair: `first` for the server, `second` for the test's client.
inline std::pair<server::net::UniqueFd, server::net::UniqueFd> SocketPair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) throw std::runtime_error("socketpair");
  return {server::net::UniqueFd(fds[0]), server::net::UniqueFd(fds[1])};
}

inline void Send(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const auto n = ::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL);
    ASSERT_GT(n, 0);
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Blocks for exactly `size` octets, or until the end of the stream.
inline std::string Receive(int fd, std::size_t size) {
  std::string got(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto n = ::recv(fd, got.data() + have, size - have, 0);
    if (n <= 0) break;
    have += static_cast<std::size_t>(n);
  }
  got.resize(have);
  return got;
}

/// A reactor whose loop the test turns by hand, with a clock that it moves by hand.
class ReactorTest : public testing::Test {
 protected:
  /// A coroutine's outcome, filled when it ends.
  template <class T>
  struct Outcome {
    std::optional<T> value;
    std::exception_ptr error;
  };

  template <class T>
  std::shared_ptr<Outcome<T>> Spawn(server::asio::awaitable<T> work) {
    auto outcome = std::make_shared<Outcome<T>>();
    server::asio::co_spawn(reactor_.context(), std::move(work),
                           [outcome](const std::exception_ptr& error, T value) {
                             outcome->error = error;
                             outcome->value = std::move(value);
                           });
    return outcome;
  }

  /// Runs what is ready and returns.
  void Turn() {
    reactor_.context().restart();
    reactor_.context().poll();
  }

  /// Runs until nothing is left to wait for.
  void Finish() {
    reactor_.context().restart();
    reactor_.context().run();
  }

  template <class T>
  T Run(server::asio::awaitable<T> work) {
    const auto outcome = Spawn(std::move(work));
    Finish();
    if (outcome->error) std::rethrow_exception(outcome->error);
    return std::move(outcome->value).value();
  }

  void Advance(std::chrono::nanoseconds by) {
    clock_.Advance(by);
    reactor_.Sweep();
    Turn();
  }

  server::FakeClock clock_;
  server::net::Reactor reactor_{clock_};
};

class StreamTest : public ReactorTest {
 protected:
  StreamTest() {
    auto [server, client] = SocketPair();
    client_ = std::move(client);
    server_fd_ = server.get();
    stream_.emplace(reactor_, std::move(server), "local");
  }

  /// About how much the server can send while nobody reads.
  void SetKernelBuffer(int octets) const {
    ASSERT_EQ(::setsockopt(server_fd_, SOL_SOCKET, SO_SNDBUF, &octets, sizeof octets), 0);
  }

  server::net::UniqueFd client_;
  int server_fd_ = -1;  ///< the stream's
  std::optional<server::net::Stream> stream_;
};

}  // namespace server_test
