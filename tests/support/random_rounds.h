#pragma once

#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

// Rounds of random steps that can be repeated: CMS_SEED and CMS_ROUNDS repeat a run, CMS_TRACE prints its
// dialogs.

namespace tests {

inline const bool kTrace = std::getenv("CMS_TRACE") != nullptr;

using Random = std::mt19937;
/// From 0 to n - 1.
inline std::uint32_t Below(Random& random, std::size_t n) {
  return std::uniform_int_distribution<std::uint32_t>(0, static_cast<std::uint32_t>(n) - 1)(random);
}
inline bool Chance(Random& random, std::uint32_t percent) { return Below(random, 100) < percent; }

inline std::uint32_t FromEnvironment(const char* name, std::uint32_t otherwise) {
  const char* text = std::getenv(name);
  if (text == nullptr) return otherwise;
  std::uint32_t value = 0;
  const std::string_view digits(text);
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

/// `round(seed)` for one seed after the other, until one fails.
template <class Round>
void PlayRounds(std::uint32_t otherwise, Round&& round) {
  const std::uint32_t seed = FromEnvironment("CMS_SEED", std::random_device{}());
  const std::uint32_t rounds = FromEnvironment("CMS_ROUNDS", otherwise);
  fmt::print("CMS_SEED={} CMS_ROUNDS={}\n", seed, rounds);
  for (std::uint32_t i = 0; i < rounds && !testing::Test::HasFailure(); ++i) round(seed + i);
}

}  // namespace tests
