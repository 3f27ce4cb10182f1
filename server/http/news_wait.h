#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>

#include <boost/asio/steady_timer.hpp>

#include "server/net/asio.h"
#include "storage/store/change_feed.h"

namespace server::http {

class NewsWait;

/// Those who wait for news of an account: so many and no more, and none once the server stops.
///
/// Lifetime   outlives its waits, also those that die with the loop.
/// Thread     the HTTP loop's.
class WaitingRoom {
 public:
  static constexpr std::size_t kPlaces = 128;

  bool full() const { return closed_ || waits_.size() >= kPlaces; }
  bool closed() const { return closed_; }
  /// Everyone's Next() returns, now and from now on.
  void Close();

 private:
  friend class NewsWait;
  std::set<NewsWait*> waits_;
  bool closed_ = false;
};

/// Hears that something happened to an account, for one who then looks what it was: news that come meanwhile
/// are one piece of news, so a slow reader costs nothing.
///
/// Lifetime   in the frame of its request; the feed and the room outlive it.
/// Thread     OnChange() any; the rest the HTTP loop's.
class NewsWait final : public storage::ChangeListener {
 public:
  NewsWait(WaitingRoom& room, storage::ChangeFeed& feed, storage::AccountId account,
           const asio::any_io_executor& executor);
  ~NewsWait() override;
  NewsWait(const NewsWait&) = delete;

  /// Waits for news since the last call (or since it was made), Wake(), or the time. One waits at a time.
  asio::awaitable<void> Next(std::chrono::steady_clock::time_point until);
  /// Ends Next().
  void Wake();

  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override;

 private:
  // Shared with what OnChange() posts, which may come when the wait is over.
  struct Bell {
    explicit Bell(const asio::any_io_executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    std::atomic<bool> rung{false};
  };

  WaitingRoom& room_;
  const std::shared_ptr<Bell> bell_;
  storage::ChangeFeed::Subscription subscription_;  ///< ends before what it calls
};

}  // namespace server::http
