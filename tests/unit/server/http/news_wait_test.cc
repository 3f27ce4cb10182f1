#include "server/http/news_wait.h"

#include <gtest/gtest.h>

namespace server::http {
namespace {

TEST(WaitingRoomTest, WhoDiesWithTheLoopLeaves) {
  storage::ChangeFeed feed;
  WaitingRoom room;
  {
    asio::io_context loop(1);
    const auto wait = [&]() -> asio::awaitable<void> {
      NewsWait news(room, feed, storage::AccountId{1}, co_await asio::this_coro::executor);
      co_await news.Next(std::chrono::steady_clock::time_point::max());
    };
    for (std::size_t i = 0; i < WaitingRoom::kPlaces; ++i) asio::co_spawn(loop, wait(), asio::detached);
    loop.poll();
    EXPECT_TRUE(room.full());
  }
  EXPECT_FALSE(room.full());
}

}  // namespace
}  // namespace server::http
