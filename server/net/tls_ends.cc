#include "server/net/tls_ends.h"

#include <memory>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "server/net/tls_psk.h"

namespace server::net {
namespace {

constexpr std::size_t kMaxUris = 16;
constexpr std::size_t kMaxUri = 1024;

std::string Exporter(SSL& ssl) {
  // RFC 9266 §3: in TLS 1.2 two connections may share their keys without the extended master secret.
  if (SSL_version(&ssl) < TLS1_3_VERSION && SSL_get_extms_support(&ssl) != 1) return {};
  static constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  std::string out(32, '\0');
  const int done = SSL_export_keying_material(&ssl, reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                              kLabel.data(), kLabel.size(), nullptr, 0, /*use_context=*/1);
  return done == 1 ? out : std::string();
}

std::string ServerEndPoint(SSL& ssl) {
  const X509* certificate = SSL_get_certificate(&ssl);
  if (certificate == nullptr) return {};
  // The hash of the certificate's signature; of those that are weak, SHA-256 (RFC 5929 §4.1).
  int digest = NID_undef;
  if (X509_get_signature_info(const_cast<X509*>(certificate), &digest, nullptr, nullptr, nullptr) != 1)
    return {};
  if (digest == NID_md5 || digest == NID_sha1) digest = NID_sha256;
  const EVP_MD* md = EVP_get_digestbynid(digest);
  if (md == nullptr) return {};  // Ed25519: no hash of its own, and so not defined
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (X509_digest(certificate, md, reinterpret_cast<unsigned char*>(out.data()), &size) != 1) return {};
  out.resize(size);
  return out;
}

std::vector<std::string> Uris(const X509& certificate) {
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  std::vector<std::string> out;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  for (int i = 0; i < count && out.size() < kMaxUris; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    const std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                           static_cast<std::size_t>(ASN1_STRING_length(uri)));
    // A NUL would end the name for some readers and not for others.
    if (text.size() <= kMaxUri && text.find('\0') == std::string::npos) out.push_back(text);
  }
  return out;
}

}  // namespace

TlsEnds ReadEnds(ssl_st& ssl) {
  TlsEnds ends;
  ends.exporter = Exporter(ssl);
  if (const auto psk = PskUseOf(ssl)) {
    ends.psk_owner = psk->owner;
    return ends;  // no certificate was shown, here or there
  }
  ends.server_end_point = ServerEndPoint(ssl);
  const X509* client = SSL_get0_peer_certificate(&ssl);
  // What a ticket resumes was verified at its handshake, and may have expired since.
  ends.client_certificate = client != nullptr && SSL_get_verify_result(&ssl) == X509_V_OK &&
                            X509_cmp_current_time(X509_get0_notAfter(client)) > 0;
  if (ends.client_certificate) ends.client_uris = Uris(*client);
  return ends;
}

}  // namespace server::net
