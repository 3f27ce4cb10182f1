#include "server/sessions/account_seats.h"

namespace server::sessions {

Seat& Seat::operator=(Seat&& other) noexcept {
  if (this == &other) return *this;
  Leave();
  seats_ = std::exchange(other.seats_, nullptr);
  account_ = other.account_;
  return *this;
}

void Seat::Leave() {
  if (auto* seats = std::exchange(seats_, nullptr)) seats->Give(account_);
}

std::optional<Seat> AccountSeats::Take(storage::AccountId account) {
  if (most_ == 0) return Seat();
  const std::lock_guard lock(mutex_);
  std::size_t& taken = taken_[account];
  if (taken == most_) return std::nullopt;
  ++taken;
  return Seat(this, account);
}

void AccountSeats::Give(storage::AccountId account) {
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(account);
  if (--found->second == 0) taken_.erase(found);
}

}  // namespace server::sessions
