#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// OpenSSL's SSL, without its headers.
struct ssl_st;

namespace server::net {

/// What TLS knows of the two ends of a connection.
struct TlsEnds {
  std::optional<std::uint64_t>
      psk_owner;                         ///< whom the pre-shared key proves that the handshake was made with
  std::string exporter;                  ///< RFC 9266; empty in TLS 1.2 without the extended master secret
  std::string server_end_point;          ///< RFC 5929 §4: a hash of our certificate
  bool client_certificate = false;       ///< the client has one, and it was verified
  std::vector<std::string> client_uris;  ///< its subjectAltName's, in its order
};

TlsEnds ReadEnds(ssl_st& ssl);

}  // namespace server::net
