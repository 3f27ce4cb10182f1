#include "server/net/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace server::net {
namespace {

constexpr const char* kDefaultCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

tl::unexpected<std::string> Refuse(std::string_view what) {
  const auto code = ERR_peek_last_error();
  const char* reason = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return tl::unexpected(reason ? fmt::format("{}: {}", what, reason) : std::string(what));
}

tl::expected<std::shared_ptr<ssl_ctx_st>, std::string> Build(const TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return Refuse("TLS cannot be set up");
  SSL_CTX* c = context.get();

  const bool only13 = options.minimum_version == "1.3";
  if (!only13 && options.minimum_version != "1.2") return Refuse("tls.minimum_version must be 1.2 or 1.3");
  SSL_CTX_set_min_proto_version(c, only13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  const char* ciphers = options.ciphers.empty() ? kDefaultCiphers : options.ciphers.c_str();
  if (SSL_CTX_set_cipher_list(c, ciphers) != 1) return Refuse("tls.ciphers");
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

  if (SSL_CTX_use_certificate_chain_file(c, options.certificate_file.c_str()) != 1)
    return Refuse(fmt::format("certificate {}", options.certificate_file));
  if (SSL_CTX_use_PrivateKey_file(c, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
    return Refuse(fmt::format("private key {}", options.key_file));
  if (SSL_CTX_check_private_key(c) != 1)
    return Refuse(fmt::format("{} is not the key of {}", options.key_file, options.certificate_file));
  return context;
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
  if (!built) return tl::unexpected(std::move(built).error());
  const std::lock_guard lock(mutex_);
  current_ = std::move(*built);
  return {};
}

std::shared_ptr<ssl_ctx_st> TlsContext::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace server::net
