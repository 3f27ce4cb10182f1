#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace server::net {

/// The least that a peer must move of what is being transferred: `step` octets, or the rest, in each `stall`.
struct Pace {
  std::size_t step = 4096;
  std::chrono::milliseconds stall{60'000};
};

/// By when one transfer must have moved its next step, in either direction. One octet now and then does not
/// keep it alive: each step has its own time.
class TransferDeadline {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  explicit TransferDeadline(Pace pace) : pace_(pace) {}

  /// `moved`: octets so far, of any count that grows with the transfer. The time begins with the first call.
  TimePoint Next(TimePoint now, std::int64_t moved) {
    if (!end_ || moved - begin_ >= static_cast<std::int64_t>(pace_.step)) {
      end_ = now + pace_.stall;
      begin_ = moved;
    }
    return *end_;
  }

  /// The next call begins a new step.
  void Restart() { end_.reset(); }

 private:
  Pace pace_;
  std::optional<TimePoint> end_;
  std::int64_t begin_ = 0;
};

}  // namespace server::net
