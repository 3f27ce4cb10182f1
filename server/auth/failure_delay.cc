#include "server/auth/failure_delay.h"

#include <algorithm>

namespace server::auth {
namespace {

constexpr unsigned kFree = 2;  ///< slips of the finger

boost::asio::ip::address Customer(const boost::asio::ip::address& peer) {
  if (!peer.is_v6()) return peer;
  auto bytes = peer.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return boost::asio::ip::address_v6(bytes);
}

}  // namespace

std::chrono::milliseconds FailureDelay::Failed(const boost::asio::ip::address& peer) {
  const auto now = clock_.Now();
  const std::lock_guard lock(mutex_);
  if (records_.size() >= kMaxAddresses) DropOld(now);
  Record& record = records_[Customer(peer)];
  if (now - record.last >= kForget) record.failures = 0;
  record.last = now;
  ++record.failures;
  if (record.failures <= kFree) return std::chrono::milliseconds(0);
  const unsigned doublings = std::min(record.failures - kFree - 1, 10U);
  return std::min(max_, std::chrono::milliseconds(std::chrono::seconds(1)) * (1 << doublings));
}

void FailureDelay::Succeeded(const boost::asio::ip::address& peer) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(Customer(peer));
  if (found == records_.end()) return;
  // Not all: else one's own account would pay for guesses at others.
  found->second.failures /= 2;
  if (found->second.failures == 0) records_.erase(found);
}

void FailureDelay::DropOld(std::chrono::steady_clock::time_point now) {
  std::erase_if(records_, [&](const auto& entry) { return now - entry.second.last >= kForget; });
  if (records_.size() < kMaxAddresses) return;
  // An attack from everywhere: what is least dangerous goes, so that the table stays bounded.
  std::erase_if(records_, [](const auto& entry) { return entry.second.failures <= kFree; });
  if (records_.size() >= kMaxAddresses) records_.erase(records_.begin());
}

std::size_t FailureDelay::size() const {
  const std::lock_guard lock(mutex_);
  return records_.size();
}

}  // namespace server::auth
