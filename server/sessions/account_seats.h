#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "storage/store/folder.h"

namespace server::sessions {

class AccountSeats;

/// One of the sessions that an account may have at once, as long as this lives.
class Seat {
 public:
  Seat() = default;
  Seat(Seat&& other) noexcept : seats_(std::exchange(other.seats_, nullptr)), whose_(other.whose_) {}
  Seat& operator=(Seat&& other) noexcept;
  ~Seat() { Leave(); }
  void Leave();

 private:
  friend class AccountSeats;
  /// The account, and who has logged in to it.
  using Whose = std::pair<std::uint64_t, std::uint64_t>;
  Seat(AccountSeats* seats, Whose whose) : seats_(seats), whose_(whose) {}
  AccountSeats* seats_ = nullptr;
  Whose whose_;
};

/// How many sessions each account has. Those of a PF that acts for it are counted apart, so that a busy PF
/// does not keep out the user; nor do its sessions for one user keep it from acting for another.
///
/// Lifetime   outlives the seats.
/// Thread     any.
class AccountSeats {
 public:
  /// `most` of one account and who is logged in to it; 0: any number.
  explicit AccountSeats(std::size_t most) : most_(most) {}

  /// `actor`: who has logged in, the account itself or a PF. nullopt: it has as many as it may.
  std::optional<Seat> Take(storage::AccountId account, storage::AccountId actor);
  std::size_t most() const { return most_; }

 private:
  friend class Seat;
  void Give(Seat::Whose whose);

  const std::size_t most_;
  std::mutex mutex_;
  std::map<Seat::Whose, std::size_t> taken_;  ///< of those that have any
};

}  // namespace server::sessions
