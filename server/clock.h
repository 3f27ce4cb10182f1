#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace server {

/// Where time comes from: handed to whatever measures it, so that tests decide when it passes.
///
/// Thread: any.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Never goes back; deadlines and delays.
  virtual std::chrono::steady_clock::time_point Now() const = 0;
  /// The calendar; internal dates and records.
  virtual std::chrono::system_clock::time_point WallNow() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override { return std::chrono::steady_clock::now(); }
  std::chrono::system_clock::time_point WallNow() const override { return std::chrono::system_clock::now(); }
};

/// Stands still until told otherwise. Starts well above zero, so that "an hour ago" is a time.
class FakeClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override {
    return std::chrono::steady_clock::time_point(Elapsed() + std::chrono::hours(24));
  }
  std::chrono::system_clock::time_point WallNow() const override {
    constexpr std::chrono::seconds kStart{1'700'000'000};
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(kStart + Elapsed()));
  }
  void Advance(std::chrono::nanoseconds by) { elapsed_ += by.count(); }

 private:
  std::chrono::nanoseconds Elapsed() const { return std::chrono::nanoseconds(elapsed_.load()); }
  std::atomic<std::int64_t> elapsed_{0};
};

}  // namespace server
