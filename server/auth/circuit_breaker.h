#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "server/clock.h"

namespace server::auth {

/// Keeps questions from a service that does not answer: after `failures` in a row none is asked for `pause`;
/// then one is, and decides whether the others may follow.
///
/// Thread: any.
class CircuitBreaker {
 public:
  struct Limits {
    std::uint32_t failures = 5;
    std::chrono::seconds pause{10};
  };

  /// A question that may be asked; it has failed unless Succeeded() says otherwise before its end. The
  /// breaker outlives it.
  class Attempt {
   public:
    Attempt(Attempt&& other) noexcept
        : breaker_(std::exchange(other.breaker_, nullptr)),
          decides_(other.decides_),
          succeeded_(other.succeeded_) {}
    Attempt& operator=(Attempt&&) = delete;
    ~Attempt() {
      if (breaker_ != nullptr) breaker_->End(decides_, succeeded_);
    }
    void Succeeded() { succeeded_ = true; }

   private:
    friend class CircuitBreaker;
    Attempt(CircuitBreaker& breaker, bool decides) : breaker_(&breaker), decides_(decides) {}

    CircuitBreaker* breaker_;
    const bool decides_;
    bool succeeded_ = false;
  };

  CircuitBreaker(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  /// nullopt: do not ask.
  std::optional<Attempt> Admit() {
    const std::lock_guard lock(mutex_);
    if (!open_until_) return Attempt(*this, false);
    if (deciding_ || clock_.Now() < *open_until_) return std::nullopt;
    deciding_ = true;
    return Attempt(*this, true);
  }

 private:
  void End(bool decides, bool succeeded) {
    const std::lock_guard lock(mutex_);
    if (decides) deciding_ = false;
    // What was asked before it opened is late, and decides nothing.
    if (open_until_ && !decides) return;
    failures_ = succeeded ? 0 : failures_ + 1;
    open_until_.reset();
    if (failures_ >= limits_.failures) open_until_ = clock_.Now() + limits_.pause;
  }

  const Clock& clock_;
  const Limits limits_;
  std::mutex mutex_;
  std::uint32_t failures_ = 0;  ///< in a row
  bool deciding_ = false;       ///< one was let through to see
  std::optional<std::chrono::steady_clock::time_point> open_until_;
};

}  // namespace server::auth
