#pragma once

#include <cstdint>
#include <optional>
#include <string>

// OpenSSL's, without its headers.
struct ssl_st;
struct ssl_ctx_st;

namespace server::net {

class PskKeys;

/// Handshakes on `context` may be by a pre-shared key: TLS 1.3 external PSK, or a PSK suite of TLS 1.2.
/// `keys` outlives the context. An identity that nobody has fails as one with a wrong key does, after the
/// same work.
void AcceptPsk(ssl_ctx_st& context, const PskKeys& keys);

/// What this connection's handshake was made with, or the one whose ticket it resumed.
struct PskUse {
  std::string identity;
  /// nullopt: that key has gone since, though the identity may have a new one.
  std::optional<std::uint64_t> owner;
};

/// nullopt: it was none.
std::optional<PskUse> PskUseOf(ssl_st& ssl);

}  // namespace server::net
