#include "storage/store/change_feed.h"

#include <algorithm>
#include <utility>

namespace storage {

FolderSummary SummaryOf(const FolderStatus& status) {
  return {.path = status.path,
          .uid_validity = status.uid_validity,
          .uid_next = status.uid_next,
          .messages = status.messages,
          .unseen = status.unseen,
          .highest_modseq = status.highest_modseq,
          .owner_rights = status.owner_rights};
}

ChangeFeed::Subscription& ChangeFeed::Subscription::operator=(Subscription&& other) noexcept {
  if (this == &other) return *this;
  Reset();
  feed_ = std::exchange(other.feed_, nullptr);
  account_ = other.account_;
  listener_ = std::exchange(other.listener_, nullptr);
  return *this;
}

void ChangeFeed::Subscription::Reset() {
  if (feed_ == nullptr) return;
  Shard& shard = feed_->ShardOf(account_);
  const std::scoped_lock lock(shard.mutex);
  const auto at = shard.listeners.find(account_);
  auto& listeners = at->second;
  listeners.erase(std::find(listeners.begin(), listeners.end(), listener_));
  if (listeners.empty()) shard.listeners.erase(at);
  feed_ = nullptr;
}

ChangeFeed::Subscription ChangeFeed::Subscribe(AccountId account, ChangeListener& listener) {
  Shard& shard = ShardOf(account);
  const std::scoped_lock lock(shard.mutex);
  shard.listeners[account].push_back(&listener);
  return {this, account, &listener};
}

void ChangeFeed::Publish(const std::shared_ptr<const Change>& change) {
  Shard& shard = ShardOf(change->account);
  // The lock is held while listeners note the news: that is what makes Reset() final.
  const std::scoped_lock lock(shard.mutex);
  const auto at = shard.listeners.find(change->account);
  if (at == shard.listeners.end()) return;
  for (ChangeListener* listener : at->second) listener->OnChange(change);
}

}  // namespace storage
