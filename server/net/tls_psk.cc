#include "server/net/tls_psk.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "server/net/psk_keys.h"

namespace server::net {
namespace {

constexpr std::size_t kMaxIdentity = 128;  ///< the store's; what is longer is no identity of ours
constexpr std::size_t kRandomKey = 32;

/// The key, or octets that nobody can know: then it is the proof that fails, as with a wrong key.
std::string KeyFor(const PskKeys& keys, std::string_view identity) {
  if (const auto entry = keys.Find(identity)) return entry->key;
  std::string random(kRandomKey, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random.data()), kRandomKey) != 1) random.clear();
  return random;
}

bool IsIdentity(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdentity &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

/// TLS 1.2. OpenSSL cuts an identity at a NUL; what is left needs its own key.
unsigned FindKey(SSL* ssl, const char* identity, unsigned char* out, unsigned max) {
  const PskKeys* keys = PskKeysOf(*ssl);
  // TLS 1.3 asks here too when FindSession() has found nothing: no.
  if (keys == nullptr || identity == nullptr || SSL_version(ssl) >= TLS1_3_VERSION) return 0;
  const auto key = KeyFor(*keys, IsIdentity(identity) ? identity : "");
  if (key.size() > max) return 0;
  std::memcpy(out, key.data(), key.size());
  return static_cast<unsigned>(key.size());
}

/// TLS 1.3: the key becomes a session, which knows its identity: of several that a client offers, the one
/// that was taken says who it is.
int FindSession(SSL* ssl, const unsigned char* identity, std::size_t size, SSL_SESSION** out) {
  *out = nullptr;
  const PskKeys* keys = PskKeysOf(*ssl);
  const std::string_view text(reinterpret_cast<const char*>(identity), size);
  // Tickets come this way as well; they are no text.
  if (keys == nullptr || !IsIdentity(text)) return 1;
  const auto key = KeyFor(*keys, text);
  static constexpr unsigned char kAes128GcmSha256[] = {0x13, 0x01};
  const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, kAes128GcmSha256);
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_SESSION_new(), SSL_SESSION_free);
  if (!session || key.empty() || cipher == nullptr ||
      SSL_SESSION_set1_master_key(session.get(), reinterpret_cast<const unsigned char*>(key.data()),
                                  key.size()) != 1 ||
      SSL_SESSION_set_cipher(session.get(), cipher) != 1 ||
      SSL_SESSION_set_protocol_version(session.get(), TLS1_3_VERSION) != 1 ||
      SSL_SESSION_set1_ticket_appdata(session.get(), text.data(), text.size()) != 1)
    return 0;
  *out = session.release();
  return 1;
}

}  // namespace

void AcceptPsk(ssl_ctx_st& context, const PskKeys& keys) {
  SSL_CTX_set_app_data(&context, const_cast<PskKeys*>(&keys));
  SSL_CTX_set_psk_server_callback(&context, FindKey);
  SSL_CTX_set_psk_find_session_callback(&context, FindSession);
}

const PskKeys* PskKeysOf(ssl_st& ssl) {
  return static_cast<const PskKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(&ssl)));
}

std::string PskIdentity(ssl_st& ssl) {
  if (PskKeysOf(ssl) == nullptr) return {};
  if (SSL_version(&ssl) < TLS1_3_VERSION) {
    const char* identity = SSL_get_psk_identity(&ssl);
    return identity != nullptr ? identity : "";
  }
  void* data = nullptr;
  std::size_t size = 0;
  SSL_SESSION* session = SSL_get_session(&ssl);
  if (session == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 || data == nullptr)
    return {};
  return {static_cast<const char*>(data), size};
}

}  // namespace server::net
