#include "server/sessions/account_seats.h"

namespace server::sessions {

Seat& Seat::operator=(Seat&& other) noexcept {
  if (this == &other) return *this;
  Leave();
  seats_ = std::exchange(other.seats_, nullptr);
  whose_ = other.whose_;
  return *this;
}

void Seat::Leave() {
  if (auto* seats = std::exchange(seats_, nullptr)) seats->Give(whose_);
}

std::optional<Seat> AccountSeats::Take(storage::AccountId account, storage::AccountId actor) {
  if (most_ == 0) return Seat();
  const std::lock_guard lock(mutex_);
  const Seat::Whose whose(account.value, actor.value);
  std::size_t& taken = taken_[whose];
  if (taken == most_) return std::nullopt;
  ++taken;
  return Seat(this, whose);
}

void AccountSeats::Give(Seat::Whose whose) {
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(whose);
  if (--found->second == 0) taken_.erase(found);
}

}  // namespace server::sessions
