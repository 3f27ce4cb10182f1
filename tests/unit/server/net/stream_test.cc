#include "server/net/stream.h"

#include <array>
#include <string>
#include <thread>

#include "tests/unit/server/net/stream_fixture.h"

namespace server_test {
namespace {

using namespace std::chrono_literals;
using server::net::ReadResult;
using server::net::Stream;
using server::net::Wake;
using Status = ReadResult::Status;

TEST_F(StreamTest, ReadSomeSaysWouldBlockOnAnIdlePeer) {
  std::array<char, 8> space;
  EXPECT_EQ(stream_->ReadSome(space).status, Status::kWouldBlock);
}

TEST_F(StreamTest, ReadSomeGivesWhatHasArrived) {
  Send(client_.get(), "a1 NOOP\r\n");
  std::array<char, 64> space;
  const auto read = stream_->ReadSome(space);
  EXPECT_EQ(read.status, Status::kData);
  EXPECT_EQ(std::string_view(space.data(), read.size), "a1 NOOP\r\n");
}

TEST_F(StreamTest, ReadSomeReportsTheEndAfterTheLastOctet) {
  Send(client_.get(), "x");
  client_.Reset();
  std::array<char, 8> space;
  EXPECT_EQ(stream_->ReadSome(space).status, Status::kData);
  EXPECT_EQ(stream_->ReadSome(space).status, Status::kEnd);
}

TEST_F(StreamTest, WaitEndsWhenOctetsArrive) {
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  EXPECT_FALSE(wake->value);
  Send(client_.get(), "x");
  Finish();
  EXPECT_EQ(wake->value, Wake::kReadable);
}

TEST_F(StreamTest, WaitEndsWhenThePeerHangsUp) {
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  client_.Reset();
  Finish();
  EXPECT_EQ(wake->value, Wake::kReadable);
}

TEST_F(StreamTest, WaitSeesOctetsThatCameBeforeIt) {
  Send(client_.get(), "x");
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kReadable);
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kReadable) << "unread octets are news until they are read";
}

TEST_F(StreamTest, NotifyEndsAWait) {
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  stream_->Notify();
  Finish();
  EXPECT_EQ(wake->value, Wake::kNotified);
}

TEST_F(StreamTest, NotifyIsRememberedOnceAndComesBeforeReadable) {
  Send(client_.get(), "x");
  stream_->Notify();
  stream_->Notify();
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kNotified);
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kReadable);
}

TEST_F(StreamTest, WakerWorksFromAnotherThread) {
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  std::thread([waker = stream_->waker()] { waker(); }).join();
  Finish();
  EXPECT_EQ(wake->value, Wake::kNotified);
}

TEST_F(StreamTest, WakerOutlivesItsStream) {
  const auto waker = stream_->waker();
  waker();
  stream_.reset();
  waker();
  Finish();
}

TEST_F(StreamTest, WakerFollowsAMovedStream) {
  const auto waker = stream_->waker();
  Stream moved(std::move(*stream_));
  waker();
  Turn();
  EXPECT_EQ(Run(moved.WaitReadable()), Wake::kNotified);
}

TEST_F(StreamTest, DeadlineEndsAWaitWhenItsTimeHasCome) {
  stream_->SetDeadline(stream_->Now() + 60s);
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  Advance(59s);
  EXPECT_FALSE(wake->value);
  Advance(1s);
  EXPECT_EQ(wake->value, Wake::kDeadline);
}

TEST_F(StreamTest, PassedDeadlineIsReportedUntilItIsSetAnew) {
  stream_->SetDeadline(stream_->Now());
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kDeadline);
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kDeadline);
  stream_->SetDeadline(stream_->Now() + 1s);
  Send(client_.get(), "x");
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kReadable);
}

TEST_F(StreamTest, ClearedDeadlineNeverComes) {
  stream_->SetDeadline(stream_->Now() + 1s);
  stream_->ClearDeadline();
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  Advance(24h);
  EXPECT_FALSE(wake->value);
  stream_->Close();
  Finish();
}

TEST_F(StreamTest, GoodbyeCanBeWrittenAfterTheDeadline) {
  stream_->SetDeadline(stream_->Now());
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kDeadline);
  EXPECT_TRUE(Run(stream_->Write("* BYE\r\n")));
  EXPECT_EQ(Receive(client_.get(), 7), "* BYE\r\n");
}

TEST_F(StreamTest, CloseEndsAWait) {
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  stream_->Close();
  Finish();
  EXPECT_EQ(wake->value, Wake::kClosed);
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kClosed);
  EXPECT_FALSE(Run(stream_->Write("x")));
}

TEST_F(StreamTest, CloseLeavesLastWordsReadableDespiteUnreadInput) {
  Send(client_.get(), std::string(1000, 'x'));
  EXPECT_TRUE(Run(stream_->Write("* BYE\r\n")));
  stream_->Close();
  EXPECT_EQ(Receive(client_.get(), 100), "* BYE\r\n");
}

TEST_F(StreamTest, ShutdownEndsEveryWaitFromThenOn) {
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  reactor_.Shutdown();
  Finish();
  EXPECT_EQ(wake->value, Wake::kShutdown);
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kShutdown);
  EXPECT_TRUE(Run(stream_->Write("* BYE\r\n")));
}

TEST_F(StreamTest, CloseAllClosesEveryStreamOfTheReactor) {
  const auto wake = Spawn(stream_->WaitReadable());
  Turn();
  reactor_.CloseAll();
  Finish();
  EXPECT_EQ(wake->value, Wake::kClosed);
  EXPECT_FALSE(stream_->is_open());
}

TEST_F(StreamTest, LargeWriteWaitsForASlowReader) {
  std::string octets(8 << 20, '\0');
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<char>(i * 31 / 7);
  std::string got;
  std::thread reader([&] { got = Receive(client_.get(), octets.size()); });
  EXPECT_TRUE(Run(stream_->Write(octets)));
  reader.join();
  EXPECT_EQ(got, octets);
}

TEST_F(StreamTest, PiecesArriveInTheirOrder) {
  std::string expected;
  std::vector<std::string> octets(40);
  for (std::size_t i = 0; i < octets.size(); ++i) {
    if (i % 7 != 3) octets[i] = std::string(i % 5 == 0 ? 300'000 : i, static_cast<char>('a' + i % 26));
    expected += octets[i];
  }
  std::vector<std::string_view> pieces(octets.begin(), octets.end());
  std::string received;
  std::thread reader([&] { received = Receive(client_.get(), expected.size()); });
  EXPECT_TRUE(Run(stream_->Write(pieces)));
  reader.join();
  EXPECT_TRUE(received == expected);
  std::vector<std::string_view> none(3);
  EXPECT_TRUE(Run(stream_->Write(none)));
}

TEST_F(StreamTest, WriteToAPeerThatNeverReadsFailsAfterTheStallLimit) {
  const std::string octets(8 << 20, 'x');
  stream_->SetWritePace({1, 10s});
  const auto written = Spawn(stream_->Write(octets));
  Turn();
  Advance(9s);
  EXPECT_FALSE(written->value);
  Advance(1s);
  EXPECT_EQ(written->value, false);
}

TEST_F(StreamTest, WriteStallIsCountedFromTheLastOctetTaken) {
  const std::string octets(8 << 20, 'x');
  stream_->SetWritePace({1, 10s});
  const auto written = Spawn(stream_->Write(octets));
  Turn();
  Advance(9s);
  std::array<char, 65536> taken;
  while (::recv(client_.get(), taken.data(), taken.size(), MSG_DONTWAIT) > 0) {
  }
  Turn();
  Advance(9s);
  EXPECT_FALSE(written->value);
  Advance(1s);
  EXPECT_EQ(written->value, false);
}

/// Takes about `wanted` octets of what the server has sent.
void Take(int fd, std::size_t wanted) {
  std::array<char, 4096> taken;
  for (std::size_t got = 0; got < wanted;) {
    const auto n = ::recv(fd, taken.data(), taken.size(), MSG_DONTWAIT);
    ASSERT_GT(n, 0);
    got += static_cast<std::size_t>(n);
  }
}

TEST_F(StreamTest, PeerThatTakesLessThanTheStepIsDropped) {
  const std::string octets(8 << 20, 'x');
  SetKernelBuffer(64 << 10);
  stream_->SetWritePace({4 << 20, 10s});
  const auto written = Spawn(stream_->Write(octets));
  Turn();
  for (int second = 0; second < 10; ++second) {
    ASSERT_FALSE(written->value) << "after " << second << " s";
    std::array<char, 65536> taken;  // all that the kernel holds: far below the step
    while (::recv(client_.get(), taken.data(), taken.size(), MSG_DONTWAIT) > 0) {
    }
    Turn();
    Advance(1s);
  }
  EXPECT_EQ(written->value, false);
}

TEST_F(StreamTest, SlowPeerThatTakesTheStepIsKept) {
  const std::string octets(8 << 20, 'x');
  SetKernelBuffer(512 << 10);  // so large that the step does not wake a writer
  stream_->SetWritePace({4096, 10s});
  const auto written = Spawn(stream_->Write(octets));
  Turn();
  Take(client_.get(), 128 << 10);
  Advance(10s);
  EXPECT_FALSE(written->value) << "the step was taken in time";
  Advance(10s);
  EXPECT_EQ(written->value, false) << "and then no more";
}

TEST_F(StreamTest, DeadlineEndsAWriteThatWaits) {
  const std::string octets(8 << 20, 'x');
  stream_->SetDeadline(stream_->Now() + 5s);
  const auto written = Spawn(stream_->Write(octets));
  Turn();
  Advance(5s);
  EXPECT_EQ(written->value, false);
}

TEST_F(StreamTest, NotifyAndShutdownDoNotInterruptAWrite) {
  const std::string octets(4 << 20, 'x');
  const auto written = Spawn(stream_->Write(octets));
  Turn();
  stream_->Notify();
  reactor_.Shutdown();
  Turn();
  EXPECT_FALSE(written->value);
  std::string got;
  std::thread reader([&] { got = Receive(client_.get(), octets.size()); });
  Finish();
  reader.join();
  EXPECT_EQ(written->value, true);
  EXPECT_EQ(got.size(), octets.size());
}

TEST_F(StreamTest, WriteToAPeerThatIsGoneFails) {
  client_.Reset();
  EXPECT_FALSE(Run(stream_->Write("x")));
}

TEST_F(StreamTest, AnEmptyWriteIsDone) { EXPECT_TRUE(Run(stream_->Write(""))); }

TEST_F(StreamTest, ReactorCountsItsStreams) {
  EXPECT_EQ(reactor_.stream_count(), 1U);
  stream_.reset();
  EXPECT_EQ(reactor_.stream_count(), 0U);
}

TEST_F(StreamTest, FramesThatStillWaitDieWithTheReactor) {
  auto reactor = std::make_unique<server::net::Reactor>(clock_);
  auto [server, client] = SocketPair();
  const auto serve = [](Stream stream) -> server::asio::awaitable<void> {
    (void)co_await stream.WaitReadable();
  };
  server::asio::co_spawn(reactor->context(), serve(Stream(*reactor, std::move(server), "local")),
                         server::asio::detached);
  reactor->context().poll();
  reactor.reset();
  EXPECT_EQ(Receive(client.get(), 1), "") << "the stream has closed its socket";
}

}  // namespace
}  // namespace server_test
