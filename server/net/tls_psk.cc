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

/// The table that was given for its context; nullptr: none.
const PskKeys* KeysOf(SSL& ssl) {
  return static_cast<const PskKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(&ssl)));
}

/// The key, or octets that nobody can know: then it is the proof that fails, as with a wrong key.
PskKeys::Entry EntryFor(const PskKeys& keys, std::string_view identity) {
  if (auto entry = keys.Find(identity)) return *std::move(entry);
  PskKeys::Entry nobodys{std::string(kRandomKey, '\0')};
  if (RAND_bytes(reinterpret_cast<unsigned char*>(nobodys.key.data()), kRandomKey) != 1) nobodys.key.clear();
  return nobodys;
}

/// Which key, and not its identity alone: a ticket has this from its handshake, and comes back when the
/// identity may have another key, of another owner. Serials begin anew with the program, and so do the
/// tickets' keys.
bool Remember(SSL_SESSION& session, std::string_view identity, std::uint64_t serial) {
  std::string data(sizeof serial, '\0');
  std::memcpy(data.data(), &serial, sizeof serial);
  data += identity;
  return SSL_SESSION_set1_ticket_appdata(&session, data.data(), data.size()) == 1;
}

bool IsIdentity(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdentity &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

/// TLS 1.2. OpenSSL cuts an identity at a NUL; what is left needs its own key.
unsigned FindKey(SSL* ssl, const char* identity, unsigned char* out, unsigned max) {
  const PskKeys* keys = KeysOf(*ssl);
  // TLS 1.3 asks here too when FindSession() has found nothing: no.
  if (keys == nullptr || identity == nullptr || SSL_version(ssl) >= TLS1_3_VERSION) return 0;
  const auto entry = EntryFor(*keys, IsIdentity(identity) ? identity : "");
  SSL_SESSION* session = SSL_get_session(ssl);
  if (entry.key.size() > max || session == nullptr || !Remember(*session, identity, entry.serial)) return 0;
  std::memcpy(out, entry.key.data(), entry.key.size());
  return static_cast<unsigned>(entry.key.size());
}

/// TLS 1.3: the key becomes a session, which knows its identity: of several that a client offers, the one
/// that was taken says who it is.
int FindSession(SSL* ssl, const unsigned char* identity, std::size_t size, SSL_SESSION** out) {
  *out = nullptr;
  const PskKeys* keys = KeysOf(*ssl);
  const std::string_view text(reinterpret_cast<const char*>(identity), size);
  // Tickets come this way as well; they are no text.
  if (keys == nullptr || !IsIdentity(text)) return 1;
  const auto entry = EntryFor(*keys, text);
  const auto& key = entry.key;
  static constexpr unsigned char kAes128GcmSha256[] = {0x13, 0x01};
  const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, kAes128GcmSha256);
  std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(SSL_SESSION_new(), SSL_SESSION_free);
  if (!session || key.empty() || cipher == nullptr ||
      SSL_SESSION_set1_master_key(session.get(), reinterpret_cast<const unsigned char*>(key.data()),
                                  key.size()) != 1 ||
      SSL_SESSION_set_cipher(session.get(), cipher) != 1 ||
      SSL_SESSION_set_protocol_version(session.get(), TLS1_3_VERSION) != 1 ||
      !Remember(*session, text, entry.serial))
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

std::optional<PskUse> PskUseOf(ssl_st& ssl) {
  const PskKeys* keys = KeysOf(ssl);
  SSL_SESSION* session = SSL_get_session(&ssl);
  void* data = nullptr;
  std::size_t size = 0;
  std::uint64_t serial = 0;
  if (keys == nullptr || session == nullptr || SSL_SESSION_get0_ticket_appdata(session, &data, &size) != 1 ||
      data == nullptr || size <= sizeof serial)
    return std::nullopt;
  std::memcpy(&serial, data, sizeof serial);
  PskUse use{std::string(static_cast<const char*>(data) + sizeof serial, size - sizeof serial), std::nullopt};
  if (const auto entry = keys->Find(use.identity); entry && entry->serial == serial) use.owner = entry->owner;
  return use;
}

}  // namespace server::net
