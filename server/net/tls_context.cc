#include "server/net/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "server/net/tls_psk.h"

namespace server::net {
namespace {

constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/// Of TLS 1.2, after the others: with forward secrecy and authenticated encryption there is this one.
constexpr const char* kPskCiphers = ":ECDHE-PSK-CHACHA20-POLY1305";
/// Of TLS 1.3: the hash of a pre-shared key is SHA-256 (RFC 8446 §4.2.11), so these come first.
constexpr const char* kPskSuites =
    "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";

tl::unexpected<std::string> Refuse(std::string_view what) {
  const auto code = ERR_peek_last_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return tl::unexpected(reason ? fmt::format("{}: {}", what, reason) : std::string(what));
}

/// Whoever learns the key later cannot read what was recorded: TLS 1.3 always, here an ephemeral exchange. A
/// suite without authentication or encryption is none.
bool HasForwardSecrecy(const SSL_CIPHER* suite) {
  const int exchange = SSL_CIPHER_get_kx_nid(suite);
  const bool ephemeral = exchange == NID_kx_ecdhe || exchange == NID_kx_ecdhe_psk || exchange == NID_kx_any;
  return ephemeral && SSL_CIPHER_get_auth_nid(suite) != NID_auth_null &&
         SSL_CIPHER_get_cipher_nid(suite) != NID_undef;
}

tl::expected<void, std::string> SetCiphers(SSL_CTX* c, const std::string& ciphers) {
  if (SSL_CTX_set_cipher_list(c, ciphers.c_str()) != 1) return Refuse("tls.ciphers");
  const STACK_OF(SSL_CIPHER)* suites = SSL_CTX_get_ciphers(c);
  for (int i = 0; i < sk_SSL_CIPHER_num(suites); ++i) {
    const SSL_CIPHER* suite = sk_SSL_CIPHER_value(suites, i);
    if (HasForwardSecrecy(suite)) continue;
    return tl::unexpected(
        fmt::format("tls.ciphers allows {}, which has no forward secrecy, or no encryption: name ECDHE "
                    "suites only, or leave it empty",
                    SSL_CIPHER_get_name(suite)));
  }
  return {};
}

/// Of the client's own issuer there must be a list, and a good one. Of those above it what there is counts:
/// many a root publishes none.
int TolerateNoListAbove(int good, X509_STORE_CTX* chain) {
  const bool tolerated = X509_STORE_CTX_get_error(chain) == X509_V_ERR_UNABLE_TO_GET_CRL &&
                         X509_STORE_CTX_get_error_depth(chain) > 0;
  if (good != 1 && tolerated) X509_STORE_CTX_set_error(chain, X509_V_OK);
  return good == 1 || tolerated ? 1 : 0;
}

/// Client certificates: asked for, verified, not required.
tl::expected<void, std::string> AskClients(SSL_CTX* c, const TlsOptions& options) {
  if (options.client_ca_file.empty()) return {};
  const char* file = options.client_ca_file.c_str();
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file);
  if (names == nullptr || SSL_CTX_load_verify_file(c, file) != 1)
    return Refuse(fmt::format("tls.client_ca {}", options.client_ca_file));
  SSL_CTX_set_client_CA_list(c, names);  // so that clients know which of their certificates is meant
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER, nullptr);
  if (options.client_crl_file.empty()) return {};
  X509_STORE* store = SSL_CTX_get_cert_store(c);
  X509_LOOKUP* lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, options.client_crl_file.c_str(), X509_FILETYPE_PEM) < 1)
    return Refuse(fmt::format("tls.client_crl {}", options.client_crl_file));
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  SSL_CTX_set_verify(c, SSL_VERIFY_PEER, TolerateNoListAbove);
  return {};
}

using Context = std::shared_ptr<ssl_ctx_st>;

/// All but what is in files. It has ticket keys of its own.
tl::expected<Context, std::string> Prepare(const TlsOptions& options) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Refuse("TLS cannot be set up");
  SSL_CTX* c = context.get();

  const bool only13 = options.minimum_version == "1.3";
  if (!only13 && options.minimum_version != "1.2") return Refuse("tls.minimum_version must be 1.2 or 1.3");
  SSL_CTX_set_min_proto_version(c, only13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  std::string ciphers = options.ciphers.empty() ? std::string(kDefaultCiphers) : options.ciphers;
  if (options.psk != nullptr) {
    AcceptPsk(*c, *options.psk);
    ciphers += kPskCiphers;
    SSL_CTX_set_ciphersuites(c, kPskSuites);
  }
  if (auto set = SetCiphers(c, ciphers); !set) return tl::unexpected(std::move(set).error());
  if (!options.cipher_suites.empty() && SSL_CTX_set_ciphersuites(c, options.cipher_suites.c_str()) != 1)
    return Refuse("tls.cipher_suites");

  // An idle connection owns no buffer, and a write may be continued from a buffer that has moved.
  SSL_CTX_set_mode(
      c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                             SSL_OP_PRIORITIZE_CHACHA);
  // Sessions travel in tickets or not at all: a server-side cache would be memory without a bound of ours.
  SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
  if (options.session_tickets) {
    SSL_CTX_set_num_tickets(c, 1);
  } else {
    SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    SSL_CTX_set_num_tickets(c, 0);
  }
  static constexpr unsigned char kSessionContext[] = "cmsd";
  SSL_CTX_set_session_id_context(c, kSessionContext, sizeof kSessionContext - 1);
  return context;
}

tl::expected<Context, std::string> Build(const TlsOptions& options) {
  auto context = Prepare(options);
  if (!context) return context;
  SSL_CTX* c = context->get();
  if (SSL_CTX_use_certificate_chain_file(c, options.certificate_file.c_str()) != 1)
    return Refuse(fmt::format("certificate {}", options.certificate_file));
  if (SSL_CTX_use_PrivateKey_file(c, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return Refuse(fmt::format("private key {}", options.key_file));
  if (SSL_CTX_check_private_key(c) != 1)
    return Refuse(fmt::format("{} is not the key of {}", options.key_file, options.certificate_file));
  auto asked = AskClients(c, options);
  if (!asked) return tl::unexpected(std::move(asked).error());
  return context;
}

/// With the certificates, lists and key of `old`; nullptr: OpenSSL has no memory left.
Context BuildFrom(const TlsOptions& options, SSL_CTX* old) {
  auto context = Prepare(options);
  if (!context) return nullptr;
  SSL_CTX* c = context->get();
  STACK_OF(X509)* chain = nullptr;
  SSL_CTX_get0_chain_certs(old, &chain);
  if (SSL_CTX_use_cert_and_key(c, SSL_CTX_get0_certificate(old), SSL_CTX_get0_privatekey(old), chain, 1) != 1)
    return nullptr;
  SSL_CTX_set1_cert_store(c, SSL_CTX_get_cert_store(old));
  if (const auto* names = SSL_CTX_get_client_CA_list(old))
    SSL_CTX_set_client_CA_list(c, SSL_dup_CA_list(names));
  SSL_CTX_set_verify(c, SSL_CTX_get_verify_mode(old), SSL_CTX_get_verify_callback(old));
  return *context;
}

}  // namespace

tl::expected<std::unique_ptr<TlsContext>, std::string> TlsContext::Create(TlsOptions options) {
  std::unique_ptr<TlsContext> context(new TlsContext(std::move(options)));
  auto loaded = context->Reload();
  if (!loaded) return tl::unexpected(std::move(loaded).error());
  return context;
}

tl::expected<void, std::string> TlsContext::Reload() {
  auto built = Build(options_);
  const std::lock_guard lock(mutex_);
  if (built) {
    current_ = *std::move(built);
    return {};
  }
  if (current_) {
    if (auto renewed = BuildFrom(options_, current_.get())) current_ = std::move(renewed);
  }
  return tl::unexpected(std::move(built).error());
}

std::shared_ptr<ssl_ctx_st> TlsContext::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace server::net
