#pragma once

#include <string>
#include <string_view>

namespace server::auth {

inline constexpr std::size_t kMaxPassword = 512;  ///< octets; SHA-512-crypt's own limit

/// True if `hash` is one that Verify() understands and whose cost is bounded: "$argon2id$..." up to 256 MiB
/// and 16 passes,
/// "$6$..." up to 1,000,000 rounds. Imported hashes must pass; nothing is hashed.
bool IsAcceptable(const std::string& hash);

/// Blocks for tens of milliseconds and up to 19 MiB (Argon2id), so it belongs on the pool for passwords.
/// False for hashes that are not acceptable.
bool Verify(const std::string& hash, std::string_view password);

/// Argon2id, 19 MiB, two passes; blocks likewise. Empty when there is no memory.
std::string Hash(std::string_view password);

/// A hash that no password has, of the same cost as Hash()'s: what an unknown name is checked against.
const std::string& NobodysHash();

}  // namespace server::auth
