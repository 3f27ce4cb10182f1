#include "server/http/news_wait.h"

#include <boost/asio/post.hpp>

namespace server::http {

void WaitingRoom::Close() {
  closed_ = true;
  for (NewsWait* wait : waits_) wait->Wake();
}

NewsWait::NewsWait(WaitingRoom& room, storage::ChangeFeed& feed, storage::AccountId account,
                   const asio::any_io_executor& executor)
    : room_(room), bell_(std::make_shared<Bell>(executor)), subscription_(feed.Subscribe(account, *this)) {
  room_.waits_.insert(this);
}

NewsWait::~NewsWait() { room_.waits_.erase(this); }

asio::awaitable<void> NewsWait::Next(std::chrono::steady_clock::time_point until) {
  if (!room_.closed()) bell_->timer.expires_at(until);
  // What has rung before the timer was set would be lost with it.
  if (room_.closed() || bell_->rung.exchange(false)) co_return;
  [[maybe_unused]] const auto [ignored] = co_await bell_->timer.async_wait(kAsTuple);
  bell_->rung = false;
}

void NewsWait::Wake() {
  bell_->rung = true;
  bell_->timer.cancel();
}

void NewsWait::OnChange(const std::shared_ptr<const storage::Change>& /*change*/) noexcept {
  if (bell_->rung.exchange(true)) return;
  asio::post(bell_->timer.get_executor(), [bell = bell_] { bell->timer.cancel(); });
}

}  // namespace server::http
