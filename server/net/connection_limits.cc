#include "server/net/listener.h"
#include "server/net/network.h"

namespace server::net {
namespace {

std::size_t CountOf(const std::map<asio::ip::address, std::size_t>& counts, const asio::ip::address& of) {
  const auto found = counts.find(of);
  return found == counts.end() ? 0 : found->second;
}

void Drop(std::map<asio::ip::address, std::size_t>& counts, const asio::ip::address& of) {
  const auto found = counts.find(of);
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace

bool ConnectionLimits::Acquire(const asio::ip::address& peer) {
  const auto network = NetworkOf(peer);
  const std::lock_guard lock(mutex_);
  if (open_ >= total_ || CountOf(by_address_, peer) >= per_address_) return false;
  if (!peer.is_loopback()) {
    if (CountOf(by_network_, network) >= per_network_) return false;
    ++by_network_[network];
  }
  ++by_address_[peer];
  ++open_;
  return true;
}

void ConnectionLimits::Release(const asio::ip::address& peer) {
  const std::lock_guard lock(mutex_);
  Drop(by_address_, peer);
  if (!peer.is_loopback()) Drop(by_network_, NetworkOf(peer));
  --open_;
}

std::size_t ConnectionLimits::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

}  // namespace server::net
