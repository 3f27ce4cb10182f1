#include "server/net/listener.h"

namespace server::net {

bool ConnectionLimits::Acquire(const asio::ip::address& peer) {
  const std::lock_guard lock(mutex_);
  if (open_ >= total_) return false;
  auto& from_peer =
      by_address_[peer];  // at most `total_` entries: each has a connection, or is dropped below
  if (from_peer >= per_address_) {
    if (from_peer == 0) by_address_.erase(peer);
    return false;
  }
  ++from_peer;
  ++open_;
  return true;
}

void ConnectionLimits::Release(const asio::ip::address& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = by_address_.find(peer);
  if (found == by_address_.end()) return;
  if (--found->second == 0) by_address_.erase(found);
  --open_;
}

std::size_t ConnectionLimits::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

}  // namespace server::net
