// What ends a session from elsewhere while it waits or works.
#include "protocol/imap/limits.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Every look at it takes a second, so that each slice of work is as short as can be.
class TickingClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(100'000 + looks_++));
  }
  std::chrono::system_clock::time_point WallNow() const override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  }
  int looks() const { return looks_; }

 private:
  mutable std::atomic<int> looks_{0};
};

/// Two hundred messages, of which each takes a slice to search, and a session that has selected them.
class InterruptedSearchTest : public ImapTest {
 protected:
  InterruptedSearchTest() { Fill(kMessages); }
  ~InterruptedSearchTest() override { Drain(); }

  std::unique_ptr<Client> Searching() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    net::Stream stream(reactor_, net::UniqueFd(ends[0]), "test");
    net::ConnectionInfo info;
    info.id = ++connections_;
    info.loopback = true;
    asio::co_spawn(reactor_.context(), ServeConnection(std::move(stream), info, ticking_services_),
                   asio::detached);
    auto client = std::make_unique<Client>(reactor_, ends[1]);
    client->Line();
    EXPECT_THAT((*client)("LOGIN user1@example.com secret"), StartsWith("a OK"));
    EXPECT_THAT((*client)("SELECT INBOX"), HasSubstr("a OK"));
    client->Send("a SEARCH BODY nothing\r\n");
    const int before = ticking_.looks();
    while (ticking_.looks() < before + 10) reactor_.context().run_one_for(std::chrono::seconds(20));
    return client;
  }

  static constexpr int kMessages = 200;
  TickingClock ticking_;
  Services ticking_services_{*store_, storage_, authenticator_, ticking_, log_, options_, nullptr};
};

TEST_F(InterruptedSearchTest, GoesOnToItsEndIfNobodyDisturbsIt) {
  const auto client = Searching();
  const int before = ticking_.looks();
  EXPECT_EQ(client->Answer(), "* SEARCH\na OK SEARCH completed\n");
  EXPECT_GT(ticking_.looks(), before + kMessages) << "it was searched in slices";
}

TEST_F(InterruptedSearchTest, EndsWhenTheClientHasLeft) {
  Searching().reset();
  const int before = ticking_.looks();
  while (reactor_.stream_count() > 0) {
    ASSERT_GT(reactor_.context().run_one_for(std::chrono::seconds(20)), 0U);
  }
  EXPECT_LT(ticking_.looks(), before + kMessages);
}

TEST_F(InterruptedSearchTest, EndsWithByeWhenTheServerStops) {
  const auto client = Searching();
  reactor_.Shutdown();
  EXPECT_EQ(client->Line(), "* BYE [UNAVAILABLE] Server is shutting down");
  EXPECT_EQ(client->Line(), "(closed)");
}

TEST_F(InterruptedSearchTest, HasNoMoreTextKeysThanTheLimit) {
  Client client = Selected();
  std::string keys;
  for (std::size_t i = 0; i < protocol::limits::kSearchTextKeys; ++i) keys += " SUBJECT number";
  EXPECT_THAT(client("SEARCH 1:2" + keys), StartsWith("* SEARCH 1 2\na OK"));
  EXPECT_THAT(client("SEARCH 1:2 OR BODY x SEEN" + keys), StartsWith("a NO [LIMIT] Too many text keys"));
  EXPECT_THAT(client("NOOP"), StartsWith("a OK"));
}

}  // namespace
}  // namespace server::imap
