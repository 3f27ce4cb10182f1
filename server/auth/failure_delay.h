#pragma once

#include <chrono>
#include <map>
#include <mutex>

#include <boost/asio/ip/address.hpp>

#include "server/clock.h"

namespace server::auth {

/// How long the answer to the next failed login from an address is held back: 0, 0, 1 s, 2 s, 4 s, 8 s, then
/// 10 s. A success forgives half, a quarter of an hour without a failure everything. An IPv6 address counts
/// as its /64, which one customer has as a whole.
///
/// Thread: any.
class FailureDelay {
 public:
  static constexpr std::chrono::seconds kMax{10};
  static constexpr std::chrono::minutes kForget{15};
  static constexpr std::size_t kMaxAddresses = 10'000;

  /// `max` 0: never hold back (tests).
  explicit FailureDelay(const Clock& clock, std::chrono::milliseconds max = kMax)
      : clock_(clock), max_(max) {}

  /// Counts a failure and says how long to wait before it is answered.
  std::chrono::milliseconds Failed(const boost::asio::ip::address& peer);
  void Succeeded(const boost::asio::ip::address& peer);
  std::size_t size() const;

 private:
  struct Record {
    unsigned failures = 0;
    std::chrono::steady_clock::time_point last;
  };
  void DropOld(std::chrono::steady_clock::time_point now);

  const Clock& clock_;
  const std::chrono::milliseconds max_;
  mutable std::mutex mutex_;
  std::map<boost::asio::ip::address, Record> records_;
};

}  // namespace server::auth
