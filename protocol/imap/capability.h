#pragma once

#include <cstdint>
#include <string>

namespace protocol {

/// What decides which capabilities are advertised.
struct CapabilityContext {
  bool tls = false;                 ///< the connection is encrypted
  bool authenticated = false;       ///< after login
  bool starttls_available = false;  ///< configured, and not yet encrypted
  bool plaintext_login = false;     ///< LOGIN and AUTH=PLAIN allowed without TLS (loopback in development)
  std::uint64_t append_limit = 0;   ///< APPENDLIMIT=n, octets
};

/// The words of CAPABILITY separated by spaces, "IMAP4rev1 LITERAL+ ..." (RFC 3501 §7.2.1). The table is in
/// capability.cc.
std::string CapabilityWords(const CapabilityContext& context);

/// Whether LOGIN and plain-text SASL mechanisms may be used; false means that LOGINDISABLED is advertised.
inline bool LoginAllowed(const CapabilityContext& context) { return context.tls || context.plaintext_login; }

}  // namespace protocol
