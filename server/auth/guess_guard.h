#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <boost/asio/ip/address.hpp>

#include "server/clock.h"

namespace server::auth {

/// What wrong passwords cost whoever sends them. Failures are counted for
///
///   a customer and a name   a customer is an IPv4 address or an IPv6 /64;
///   a customer              whatever the names;
///   a network               an IPv4 /24, an IPv6 /64.
///
/// A count halves in each `half_life`. One that reaches its limit is locked for a `half_life`: no password is
/// looked at, right or wrong, and nothing is counted. So a lock ends by itself, and whoever goes on guessing
/// has half as many guesses a `half_life` as the limit says, each time.
///
/// Names are never locked as such, else anybody could lock out anybody from afar. Who shares an address with
/// an attacker (carriers put thousands behind one) is not locked out with it: a customer and name that have
/// logged in within a day are kept in mind, and only failures with that very name from that very customer
/// lock them. An unknown name is counted as a known one is.
///
/// In memory: a restart forgives. Both tables are bounded; when the first is full what is least guilty of
/// some goes, so that a flood of new addresses does not clear the old ones.
///
/// Thread: any.
class GuessGuard {
 public:
  struct Limits {
    std::uint32_t per_name = 10;
    std::uint32_t per_customer = 100;
    std::uint32_t per_network = 1000;
    std::chrono::seconds half_life{300};
    std::chrono::milliseconds max_delay{10'000};  ///< 0: failures are answered at once
    std::size_t counts = 100'000;                 ///< in the table
    std::size_t known = 100'000;
  };

  GuessGuard(const Clock& clock, Limits limits);

  /// nullopt: the password may be looked at. Else until when not.
  std::optional<std::chrono::seconds> LockedFor(const boost::asio::ip::address& peer, std::string_view name);
  /// Counts; says how long to hold back the answer: 0, 0, 1 s, 2 s, 4 s, 8 s, then 10 s, by the customer's
  /// count.
  std::chrono::milliseconds Failed(const boost::asio::ip::address& peer, std::string_view name);
  /// Forgets the failures with this name from there, and no others: else one's own account would pay for
  /// guesses at others.
  void Succeeded(const boost::asio::ip::address& peer, std::string_view name);

  std::size_t counts() const;
  std::size_t known() const;
  std::uint64_t locks() const;  ///< that have begun since the start

 private:
  using Time = std::chrono::steady_clock::time_point;
  using Key = std::uint64_t;  ///< keyed hash, so that nobody makes two collide
  struct Count {
    double failures = 0;  ///< at `at`
    Time at;
    Time locked_until;
  };
  enum class Kind : std::uint8_t { kName, kCustomer, kNetwork };
  struct Keys {
    Key name, customer, network;
  };

  Key KeyOf(Kind kind, const boost::asio::ip::address& address, std::string_view name) const;
  Keys KeysOf(const boost::asio::ip::address& peer, std::string_view name) const;
  double Now(const Count& count, Time now) const;
  std::optional<std::chrono::seconds> Locked(Key key, Time now) const;
  double Add(Key key, std::uint32_t limit, Time now);
  void MakeRoom(Time now);
  bool IsKnown(Key key, Time now) const;

  const Clock& clock_;
  const Limits limits_;
  std::array<unsigned char, 16> secret_;
  mutable std::mutex mutex_;
  std::unordered_map<Key, Count> counts_;
  struct Known {
    Key key;
    Time at;
  };
  std::list<Known> known_;  ///< the newest first
  std::unordered_map<Key, std::list<Known>::iterator> known_by_key_;
  std::uint64_t locks_ = 0;
};

}  // namespace server::auth
