#include "server/net/accept_loop.h"

#include <new>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "tests/unit/server/net/stream_fixture.h"

namespace server_test {
namespace {

using Tcp = server::asio::ip::tcp;

class AcceptLoopTest : public ReactorTest {
 protected:
  template <class Admit>
  void Start(Admit admit) {
    server::asio::co_spawn(reactor_.context(), server::net::AcceptLoop(acceptor_, "test", admit),
                           server::asio::detached);
  }

  Tcp::socket Connect() {
    Tcp::socket client(reactor_.context());
    client.connect(acceptor_.local_endpoint());
    return client;
  }

  Tcp::acceptor acceptor_{reactor_.context(), {server::asio::ip::address_v4::loopback(), 0}};
};

// The HTTP server's loop once ended with the first connection that could not be started (issue 2).
TEST_F(AcceptLoopTest, AConnectionThatCannotBeStartedDoesNotEndIt) {
  int calls = 0;
  std::vector<Tcp::socket> kept;
  Start([&](Tcp::socket socket, const Tcp::endpoint& peer) {
    EXPECT_TRUE(peer.address().is_loopback());
    if (++calls % 2 == 1) throw std::bad_alloc();
    kept.push_back(std::move(socket));
    return true;
  });
  std::vector<Tcp::socket> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(Connect());
  while (calls < 4) reactor_.context().run_one();
  EXPECT_EQ(kept.size(), 2U);
  acceptor_.close();
  Finish();
}

TEST_F(AcceptLoopTest, WithoutRoomItPausesAndGoesOn) {
  int calls = 0;
  Start([&](Tcp::socket /*falls*/, const Tcp::endpoint& /*peer*/) { return ++calls > 1; });
  const auto first = Connect();
  const auto second = Connect();
  while (calls < 2) reactor_.context().run_one();
  acceptor_.close();
  Finish();
}

TEST_F(AcceptLoopTest, ClosingTheAcceptorEndsIt) {
  Start([](Tcp::socket /*socket*/, const Tcp::endpoint& /*peer*/) { return true; });
  Turn();
  acceptor_.close();
  Finish();  // returns: nothing waits any more
}

}  // namespace
}  // namespace server_test
