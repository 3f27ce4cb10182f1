#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace protocol {

/// What decides which capabilities are advertised.
struct CapabilityContext {
  bool tls = false;                 ///< the connection is encrypted
  bool authenticated = false;       ///< after login
  bool starttls_available = false;  ///< configured, and not yet encrypted
  bool plaintext_login = false;     ///< LOGIN and AUTH=PLAIN allowed without TLS (loopback in development)
  bool scram = true;                ///< what it needs to know of passwords is known here
  bool scram_without_tls = false;   ///< SCRAM is allowed where they are not
  bool scram_sha1 = false;          ///< not SCRAM-SHA-256 alone
  bool channel_binding = false;     ///< TLS has what SCRAM-*-PLUS binds to
  bool oauth = false;               ///< tokens are taken
  bool external = false;            ///< the client has proved an identity below: a certificate
  bool quota_set = false;           ///< SETQUOTA is allowed here
  std::uint64_t append_limit = 0;   ///< APPENDLIMIT=n, octets
};

/// The words of CAPABILITY separated by spaces, "IMAP4rev1 LITERAL+ ..." (RFC 3501 §7.2.1). The table is in
/// capability.cc.
std::string CapabilityWords(const CapabilityContext& context);

/// Whether LOGIN and plain-text SASL mechanisms may be used; false means that LOGINDISABLED is advertised.
inline bool LoginAllowed(const CapabilityContext& context) { return context.tls || context.plaintext_login; }

/// Whether "AUTH=<mechanism>" is among the words, without regard to case: else the client may not use it.
bool Offers(const CapabilityContext& context, std::string_view mechanism);

}  // namespace protocol
