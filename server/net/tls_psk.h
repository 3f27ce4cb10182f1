#pragma once

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

/// Whose key this connection's handshake was made with; empty: none.
std::string PskIdentity(ssl_st& ssl);
/// The table that was given for its context; nullptr: none.
const PskKeys* PskKeysOf(ssl_st& ssl);

}  // namespace server::net
