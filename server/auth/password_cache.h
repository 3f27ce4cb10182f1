#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <unordered_map>

#include "server/clock.h"

namespace server::auth {

/// Remembers for a minute that a password matched a hash, because clients log in many times in a row and
/// Argon2id is meant to be slow. Holds neither: the key is a keyed hash of both, with a key that dies with
/// the process. A changed password is another hash, so nothing needs to be forgotten.
///
/// Thread: any.
class PasswordCache {
 public:
  static constexpr std::chrono::seconds kLifetime{60};
  static constexpr std::size_t kMaxEntries = 10'000;

  explicit PasswordCache(const Clock& clock);

  bool Contains(std::string_view hash, std::string_view password) const;
  void Remember(std::string_view hash, std::string_view password);
  std::size_t size() const;

 private:
  using Digest = std::array<unsigned char, 32>;
  struct FirstBytes {
    std::size_t operator()(const Digest& digest) const;
  };
  Digest DigestOf(std::string_view hash, std::string_view password) const;

  const Clock& clock_;
  std::array<unsigned char, 32> key_;
  mutable std::mutex mutex_;
  std::unordered_map<Digest, std::chrono::steady_clock::time_point, FirstBytes> until_;
};

}  // namespace server::auth
