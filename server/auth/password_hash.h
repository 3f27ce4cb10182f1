#pragma once

#include <string>
#include <string_view>

namespace server::auth {

inline constexpr std::size_t kMaxPassword = 512;  ///< octets; SHA-512-crypt's own limit

/// True if `hash` is one that Verify() understands and that costs no more than those it is measured by:
/// "$argon2id$..." up to 19 MiB, and up to twice 19 MiB in memory times passes, as Hash() makes them;
/// "$6$..." up to 5000 rounds, which is the method's default. So memory in flight is bounded, and who has a
/// dearer hash is not told from nobody by the time that a refusal takes. Imported hashes must pass; nothing
/// is hashed.
bool IsAcceptable(const std::string& hash);

/// Blocks for tens of milliseconds and up to 19 MiB (Argon2id), so it belongs on the pool for passwords.
/// Hashes that were stored when dearer ones were acceptable, up to 256 MiB, 16 passes and 1,000,000 rounds,
/// cost more. False for others.
bool Verify(const std::string& hash, std::string_view password);

/// Argon2id, 19 MiB, two passes; blocks likewise. Empty when there is no memory.
std::string Hash(std::string_view password);

/// A hash that no password has, of the same cost as Hash()'s: what an unknown name is checked against.
const std::string& NobodysHash();
/// Likewise "$6$...", of the dearest that is acceptable.
const std::string& NobodysImportedHash();

}  // namespace server::auth
