#include "server/http/byte_budget.h"

namespace server::http {

bool ByteBudget::Share::Hold(std::uint64_t octets) {
  const std::scoped_lock lock(budget_.mutex_);
  const std::uint64_t of_all = budget_.held_ - held_ + octets;
  auto& of_account = budget_.held_by_[account_];
  const std::uint64_t of_one = of_account - held_ + octets;
  const bool room = octets <= held_ || (of_all <= budget_.total_ && of_one <= budget_.per_account_);
  if (room) {
    budget_.held_ = of_all;
    of_account = of_one;
    held_ = octets;
  }
  if (of_account == 0) budget_.held_by_.erase(account_);
  return room;
}

}  // namespace server::http
