#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Quotas (RFC 9208). Names of quota roots are what the client sent, any octets but NUL.
namespace protocol {

/// RFC 9208 §5. STORAGE and ANNOTATION-STORAGE are told in units of kQuotaUnit.
enum class QuotaResource : std::uint8_t { kStorage, kMessage, kMailbox, kAnnotationStorage };

inline constexpr std::uint64_t kQuotaUnit = 1024;  ///< octets

}  // namespace protocol

namespace protocol::command {

/// RFC 9208 §4.1.1.
struct GetQuota {
  std::string root;

  friend bool operator==(const GetQuota&, const GetQuota&) = default;
};

/// RFC 9208 §4.1.2.
struct GetQuotaRoot {
  std::string mailbox;  ///< UTF-8, canonical; need not exist

  friend bool operator==(const GetQuotaRoot&, const GetQuotaRoot&) = default;
};

/// RFC 9208 §4.1.3.
struct SetQuota {
  struct Limit {
    std::optional<QuotaResource> resource;  ///< nullopt: one that nobody here knows
    std::uint64_t limit = 0;                ///< of 63 bits, in the resource's unit

    friend bool operator==(const Limit&, const Limit&) = default;
  };

  std::string root;
  std::vector<Limit> limits;  ///< each resource that is known at most once

  friend bool operator==(const SetQuota&, const SetQuota&) = default;
};

}  // namespace protocol::command
