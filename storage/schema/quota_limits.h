#pragma once

#include <cstdint>
#include <limits>
#include <optional>

namespace storage {

/// RFC 9208 §3.1.2: use and limits are 63-bit numbers.
inline constexpr std::uint64_t kMaxQuota = std::numeric_limits<std::int64_t>::max();

/// What an account may hold at most: nullopt, no limit; 0, nothing. None is above kMaxQuota.
struct QuotaLimits {
  std::optional<std::uint64_t> octets{};  ///< of messages
  std::optional<std::uint64_t> messages{};
  std::optional<std::uint64_t> folders{};
  std::optional<std::uint64_t> annotation_octets{};  ///< names and values of METADATA entries
  friend bool operator==(const QuotaLimits&, const QuotaLimits&) = default;
};

}  // namespace storage
