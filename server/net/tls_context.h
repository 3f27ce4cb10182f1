#pragma once

#include <memory>
#include <mutex>
#include <string>

#include <tl/expected.hpp>

// OpenSSL's SSL_CTX, without its headers.
struct ssl_ctx_st;

namespace server::net {

class PskKeys;

struct TlsOptions {
  std::string certificate_file;  ///< PEM, the server's first, then its chain
  std::string key_file;          ///< PEM
  std::string minimum_version = "1.2";
  std::string ciphers;        ///< TLS 1.2, OpenSSL's syntax; empty: forward secrecy and AEAD only
  std::string cipher_suites;  ///< TLS 1.3; empty: OpenSSL's default
  bool session_tickets = true;
  std::string client_ca_file;    ///< PEM; whose client certificates are believed; empty: none is asked for
  const PskKeys* psk = nullptr;  ///< outlives the context; nullptr: no pre-shared keys
  /// PEM; empty: none is revoked. An authority that signs clients and has no list here, or an old one, is not
  /// believed; the lists of those above it are heard if they are here.
  std::string client_crl_file;
};

/// The server's certificate and TLS settings. Reload() replaces them for handshakes to come; connections keep
/// theirs. A client need not have a certificate; one that shows a bad one does not get through the handshake.
/// With each Reload() the keys of session tickets are new, whatever is in the files: nobody resumes what a
/// revoked certificate began.
///
/// Thread: any.
class TlsContext {
 public:
  /// An error is a sentence with the file's name.
  static tl::expected<std::unique_ptr<TlsContext>, std::string> Create(TlsOptions options);

  /// Reads the files again; on failure the old certificate stays in use and the sentence says what is wrong.
  tl::expected<void, std::string> Reload();

  std::shared_ptr<ssl_ctx_st> Current() const;

 private:
  explicit TlsContext(TlsOptions options) : options_(std::move(options)) {}

  const TlsOptions options_;
  mutable std::mutex mutex_;
  std::shared_ptr<ssl_ctx_st> current_;
};

}  // namespace server::net
