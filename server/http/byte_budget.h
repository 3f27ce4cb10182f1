#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace server::http {

/// Octets that requests hold in memory while they wait for their callers: of all together, and of those of
/// one account, so that the rest is for others.
///
/// Lifetime   longer than its shares. Thread: any.
class ByteBudget {
 public:
  ByteBudget(std::uint64_t total, std::uint64_t per_account) : total_(total), per_account_(per_account) {}

  /// What one request holds.
  class Share {
   public:
    Share(ByteBudget& budget, std::uint64_t account) : budget_(budget), account_(account) {}
    ~Share() { Hold(0); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    /// It holds as many from now on; false: there is no room for more, and it holds what it held.
    bool Hold(std::uint64_t octets);

   private:
    ByteBudget& budget_;
    const std::uint64_t account_;
    std::uint64_t held_ = 0;
  };

 private:
  const std::uint64_t total_;
  const std::uint64_t per_account_;
  std::mutex mutex_;
  std::uint64_t held_ = 0;
  std::unordered_map<std::uint64_t, std::uint64_t> held_by_;
};

}  // namespace server::http
