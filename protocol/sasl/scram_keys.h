#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace protocol::sasl {

enum class ScramHash : std::uint8_t { kSha1, kSha256 };

/// What a server keeps of a password (RFC 5802 §3). Octets, not base64. Whoever steals them can neither log
/// in elsewhere with them nor here, but can try passwords at the cost of `iterations` HMACs each.
struct ScramKeys {
  std::string salt;
  std::uint32_t iterations = 0;
  std::string stored_key;
  std::string server_key;
  friend bool operator==(const ScramKeys&, const ScramKeys&) = default;
};

inline constexpr std::uint32_t kMinScramIterations = 4096;  ///< RFC 7677 §4
inline constexpr std::uint32_t kMaxScramIterations = 1'000'000;
inline constexpr std::size_t kScramSalt = 16;  ///< octets of the salts that are made here

/// Costs `iterations` HMACs. The password is prepared by SASLprep; one that SASLprep refuses is taken as its
/// octets are, as clients without SASLprep do.
ScramKeys MakeScramKeys(ScramHash hash, std::string_view password, std::string_view salt,
                        std::uint32_t iterations);

/// "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$StoredKey:ServerKey" (RFC 5803 §3): printable ASCII without
/// spaces.
std::string WriteScramKeys(ScramHash hash, const ScramKeys& keys);
/// nullopt: not that, of another hash, or with lengths or a number of iterations that are never made here.
std::optional<ScramKeys> ReadScramKeys(ScramHash hash, std::string_view text);

/// "SCRAM-SHA-256"
std::string_view NameOf(ScramHash hash);

}  // namespace protocol::sasl
