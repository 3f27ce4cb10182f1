#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "storage/store/folder.h"

namespace server::sessions {

class AccountSeats;

/// One of the sessions that an account may have at once, as long as this lives.
class Seat {
 public:
  Seat() = default;
  Seat(Seat&& other) noexcept : seats_(std::exchange(other.seats_, nullptr)), account_(other.account_) {}
  Seat& operator=(Seat&& other) noexcept;
  ~Seat() { Leave(); }
  void Leave();

 private:
  friend class AccountSeats;
  Seat(AccountSeats* seats, storage::AccountId account) : seats_(seats), account_(account) {}
  AccountSeats* seats_ = nullptr;
  storage::AccountId account_;
};

/// How many sessions each account has.
///
/// Lifetime   outlives the seats.
/// Thread     any.
class AccountSeats {
 public:
  /// `most` of one account; 0: any number.
  explicit AccountSeats(std::size_t most) : most_(most) {}

  /// nullopt: it has as many as it may.
  std::optional<Seat> Take(storage::AccountId account);
  std::size_t most() const { return most_; }

 private:
  friend class Seat;
  void Give(storage::AccountId account);

  const std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<storage::AccountId, std::size_t> taken_;  ///< of accounts that have any
};

}  // namespace server::sessions
