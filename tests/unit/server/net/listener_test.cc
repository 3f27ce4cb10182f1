#include "server/net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/unit/server/net/stream_fixture.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server_test {
namespace {

using namespace std::chrono_literals;
using server::net::ConnectionInfo;
using server::net::ConnectionLimits;
using server::net::Listener;
using server::net::ListenerOptions;
using server::net::ReactorPool;
using server::net::Stream;
using server::net::TaskGroup;
using server::net::UniqueFd;
using server::net::Wake;

UniqueFd Connect(std::uint16_t port) {
  UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

/// Greets, waits for anything, says goodbye with the reason why the wait ended.
server::asio::awaitable<void> Greet(Stream stream, ConnectionInfo info) {
  const bool greeted = co_await stream.Write(info.loopback ? "hello\n" : "who?\n");
  if (!greeted) co_return;
  const Wake wake = co_await stream.WaitReadable();
  const std::string last = wake == Wake::kShutdown ? "bye\n" : "ok\n";
  [[maybe_unused]] const bool said = co_await stream.Write(last);
}

class ListenerTest : public testing::Test {
 protected:
  std::unique_ptr<Listener> Open(Listener::Handler handler, ConnectionLimits& limits) {
    ListenerOptions options;
    options.address = "127.0.0.1";
    options.refusal = "full\n";
    auto listener = std::move(Listener::Open(options, {pool_, limits, tasks_}, std::move(handler))).value();
    listener->Start();
    return listener;
  }

  /// As main() ends: nobody new, goodbye to the rest, and wait.
  void Stop(Listener& listener) {
    listener.Close();
    pool_.Shutdown();
    EXPECT_TRUE(tasks_.Drain(10min));
    pool_.Stop();
  }

  server::SystemClock clock_;
  TaskGroup tasks_;
  ConnectionLimits limits_{100, 100, 100};
  ReactorPool pool_{2, clock_};
};

TEST_F(ListenerTest, ConnectionsAreServedAndToldOfTheShutdown) {
  const auto listener = Open(Greet, limits_);
  pool_.Start();
  const auto first = Connect(listener->port());
  const auto second = Connect(listener->port());
  EXPECT_EQ(Receive(first.get(), 6), "hello\n");
  EXPECT_EQ(Receive(second.get(), 6), "hello\n");
  Send(first.get(), "x");
  EXPECT_EQ(Receive(first.get(), 100), "ok\n");
  Stop(*listener);
  EXPECT_EQ(Receive(second.get(), 100), "bye\n");
  EXPECT_EQ(limits_.open(), 0U);
}

TEST_F(ListenerTest, OneMoreThanTheLimitIsRefusedPolitely) {
  ConnectionLimits one(1, 1, 1);
  const auto listener = Open(Greet, one);
  pool_.Start();
  const auto first = Connect(listener->port());
  EXPECT_EQ(Receive(first.get(), 6), "hello\n");
  const auto second = Connect(listener->port());
  EXPECT_EQ(Receive(second.get(), 100), "full\n");
  Stop(*listener);
}

TEST(ConnectionLimitsTest, AddressesAndNetworksAreCountedButThisMachineIsNoNetwork) {
  ConnectionLimits limits(100, 2, 3);
  const auto take = [&](const char* peer) { return limits.Acquire(server::asio::ip::make_address(peer)); };
  EXPECT_TRUE(take("192.0.2.1"));
  EXPECT_TRUE(take("192.0.2.1"));
  EXPECT_FALSE(take("192.0.2.1")) << "the address's";
  EXPECT_TRUE(take("192.0.2.2"));
  EXPECT_FALSE(take("192.0.2.3")) << "the network's";
  EXPECT_TRUE(take("192.0.3.3"));
  for (const auto* peer : {"2001:db8::1", "2001:db8::2", "2001:db8::3"}) EXPECT_TRUE(take(peer));
  EXPECT_FALSE(take("2001:db8::4"));
  EXPECT_TRUE(take("2001:db8:0:1::4"));
  for (const auto* peer : {"127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"}) EXPECT_TRUE(take(peer));
  limits.Release(server::asio::ip::make_address("192.0.2.1"));
  EXPECT_TRUE(take("192.0.2.3"));
  EXPECT_EQ(limits.open(), 12U);
}

TEST_F(ListenerTest, AFailingHandlerEndsItsConnectionOnly) {
  const auto fail = [](Stream stream, ConnectionInfo) -> server::asio::awaitable<void> {
    const Wake wake = co_await stream.WaitReadable();
    if (wake == Wake::kReadable) throw std::runtime_error("a bug");
  };
  const auto listener = Open(fail, limits_);
  pool_.Start();
  for (int i = 0; i < 3; ++i) {
    const auto client = Connect(listener->port());
    Send(client.get(), "x");
    EXPECT_EQ(Receive(client.get(), 1), "");
  }
  Stop(*listener);
  EXPECT_EQ(limits_.open(), 0U);
}

TEST_F(ListenerTest, AnAddressInUseIsASentence) {
  const auto listener = Open(Greet, limits_);
  ListenerOptions options;
  options.address = "127.0.0.1";
  options.port = listener->port();
  const auto second = Listener::Open(options, {pool_, limits_, tasks_}, Greet);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().find(std::to_string(listener->port())), std::string::npos);
  options.address = "localhost";
  EXPECT_FALSE(Listener::Open(options, {pool_, limits_, tasks_}, Greet)) << "names are not looked up";
}

TEST(ConnectionLimitsTest, TotalAndPerAddressAreCountedApart) {
  const auto a = server::asio::ip::make_address("192.0.2.1");
  const auto b = server::asio::ip::make_address("192.0.2.2");
  const auto c = server::asio::ip::make_address("2001:db8::1");
  ConnectionLimits limits(3, 2, 3);
  EXPECT_TRUE(limits.Acquire(a));
  EXPECT_TRUE(limits.Acquire(a));
  EXPECT_FALSE(limits.Acquire(a)) << "per address";
  EXPECT_TRUE(limits.Acquire(b));
  EXPECT_FALSE(limits.Acquire(c)) << "total";
  limits.Release(a);
  EXPECT_TRUE(limits.Acquire(c));
  EXPECT_EQ(limits.open(), 3U);
}

}  // namespace
}  // namespace server_test
