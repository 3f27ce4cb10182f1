#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/sasl/scram_keys.h"

namespace server::auth {

struct ScramOptions {
  std::uint32_t iterations = 15'000;  ///< of keys that are made from now on
  bool sha1 = false;                  ///< make keys of SCRAM-SHA-1 too, and take it
  std::string secret;  ///< what the salts of unknown names are made of; the same after a restart
};

// What an account's row keeps of its password: words with one space between them. The first is the hash
// (password_hash.h); of a password that was set here, and not imported as a hash, SCRAM keys follow, as
// RFC 5803 writes them. One text, so that all of it changes at once.

/// Empty: no login by password.
std::string_view HashIn(std::string_view record);
/// nullopt: SCRAM is not possible until the password is set again.
std::optional<protocol::sasl::ScramKeys> ScramKeysIn(std::string_view record, protocol::sasl::ScramHash hash);

/// Blocks like Hash(), and for the iterations. Empty when there is no memory.
std::string MakeRecord(std::string_view password, const ScramOptions& options);

/// What a name without keys is answered: the same salt each time, and nobody's keys.
protocol::sasl::ScramKeys NobodysKeys(std::string_view name, protocol::sasl::ScramHash hash,
                                      const ScramOptions& options);

/// Fresh and printable, for an exchange.
std::string NewNonce();

}  // namespace server::auth
