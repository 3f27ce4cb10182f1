// Session tickets: who has one saves a handshake, until the keys of the tickets have changed.
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "server/net/tls_context.h"
#include "server/net/tls_ends.h"
#include "tests/unit/server/net/memory_ends.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server_test {
namespace {

using namespace server::net;

using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;
using SessionPtr = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

/// Both ends of a handshake in one thread, over memory; the parameter is the protocol's version.
class TlsTicketsTest : public testing::TestWithParam<int> {
 protected:
  TlsTicketsTest() {
    SSL_CTX_set_min_proto_version(client_.get(), GetParam());
    SSL_CTX_set_max_proto_version(client_.get(), GetParam());
    SSL_CTX_set_session_cache_mode(client_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_app_data(client_.get(), this);
    SSL_CTX_sess_set_new_cb(client_.get(), [](SSL* ssl, SSL_SESSION* session) {
      auto* test = static_cast<TlsTicketsTest*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
      test->ticket_.reset(session);
      return 1;
    });
  }

  std::unique_ptr<TlsContext> Context(bool tickets) const {
    return TlsContext::Create({.certificate_file = certificate_.certificate_file(),
                               .key_file = certificate_.key_file(),
                               .session_tickets = tickets})
        .value();
  }

  /// Whether the session of `ticket` was resumed; a new ticket is in `ticket_`.
  bool Resumes(const TlsContext& context, SSL_SESSION* ticket) {
    const SslPtr server(SSL_new(context.Current().get()), SSL_free);
    const SslPtr client(SSL_new(client_.get()), SSL_free);
    JoinInMemory(*server, *client);
    if (ticket != nullptr) SSL_set_session(client.get(), ticket);
    bool done = false;
    for (int i = 0; i < 10 && !done; ++i) {
      const int there = SSL_do_handshake(client.get());
      const int here = SSL_do_handshake(server.get());
      done = there == 1 && here == 1;
    }
    EXPECT_TRUE(done) << "without a good ticket it is a full handshake";
    char octet = 0;
    SSL_read(client.get(), &octet, 1);  // TLS 1.3 sends its tickets afterwards
    const bool reused = SSL_session_reused(client.get()) == 1;
    // What breaks off without a word is not to be resumed: OpenSSL spoils its session.
    SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    return reused;
  }

  const TestCertificate certificate_;
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client_{SSL_CTX_new(TLS_client_method()), SSL_CTX_free};
  SessionPtr ticket_{nullptr, SSL_SESSION_free};
};
INSTANTIATE_TEST_SUITE_P(Versions, TlsTicketsTest, testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& info) { return info.param == TLS1_2_VERSION ? "Tls12" : "Tls13"; });

TEST_P(TlsTicketsTest, ATicketResumesUntilTheKeysRotate) {
  const auto context = Context(true);
  EXPECT_FALSE(Resumes(*context, nullptr));
  ASSERT_TRUE(ticket_);
  const SessionPtr first(SSL_SESSION_dup(ticket_.get()), SSL_SESSION_free);
  EXPECT_TRUE(Resumes(*context, first.get()));
  ASSERT_TRUE(context->Reload());
  EXPECT_FALSE(Resumes(*context, first.get())) << "its key is gone";
  ASSERT_TRUE(ticket_);
  const SessionPtr second(SSL_SESSION_dup(ticket_.get()), SSL_SESSION_free);
  EXPECT_TRUE(Resumes(*context, second.get())) << "the new one is good";
}

TEST_P(TlsTicketsTest, TheKeysRotateThoughTheFilesCannotBeRead) {
  const auto context = Context(true);
  EXPECT_FALSE(Resumes(*context, nullptr));
  ASSERT_TRUE(ticket_);
  const SessionPtr first(SSL_SESSION_dup(ticket_.get()), SSL_SESSION_free);
  std::filesystem::remove(certificate_.certificate_file());
  ASSERT_FALSE(context->Reload());
  EXPECT_FALSE(Resumes(*context, first.get()));
  const SessionPtr second(SSL_SESSION_dup(ticket_.get()), SSL_SESSION_free);
  EXPECT_TRUE(Resumes(*context, second.get()));
}

TEST_P(TlsTicketsTest, WithoutTicketsNothingIsResumed) {
  const auto context = Context(false);
  EXPECT_FALSE(Resumes(*context, nullptr));
  if (!ticket_) return;  // none was given
  const SessionPtr kept(SSL_SESSION_dup(ticket_.get()), SSL_SESSION_free);
  EXPECT_FALSE(Resumes(*context, kept.get()));
}

using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

/// Signed by itself; good until `seconds` from now.
X509Ptr CertificateUntil(EVP_PKEY* key, long seconds) {
  X509Ptr certificate(X509_new(), X509_free);
  X509* x = certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -7200);
  X509_gmtime_adj(X509_getm_notAfter(x), seconds);
  X509_set_pubkey(x, key);
  X509_NAME* name = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("client"), -1,
                             -1, 0);
  X509_set_issuer_name(x, name);
  X509_sign(x, key, EVP_sha256());
  return certificate;
}

/// OpenSSL does not look at the time, as it does not when a ticket is resumed.
bool IsTaken(long seconds) {
  const KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  const X509Ptr certificate = CertificateUntil(key.get(), seconds);
  const TestCertificate ours;
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> here(SSL_CTX_new(TLS_server_method()),
                                                               SSL_CTX_free);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> there(SSL_CTX_new(TLS_client_method()),
                                                                SSL_CTX_free);
  SSL_CTX_use_certificate_chain_file(here.get(), ours.certificate_file().c_str());
  SSL_CTX_use_PrivateKey_file(here.get(), ours.key_file().c_str(), SSL_FILETYPE_PEM);
  X509_STORE_add_cert(SSL_CTX_get_cert_store(here.get()), certificate.get());
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(here.get()), X509_V_FLAG_NO_CHECK_TIME);
  SSL_CTX_set_verify(here.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_use_certificate(there.get(), certificate.get());
  SSL_CTX_use_PrivateKey(there.get(), key.get());
  const SslPtr server(SSL_new(here.get()), SSL_free);
  const SslPtr client(SSL_new(there.get()), SSL_free);
  JoinInMemory(*server, *client);
  bool done = false;
  for (int i = 0; i < 10 && !done; ++i) {
    const int theirs = SSL_do_handshake(client.get());
    const int ours_too = SSL_do_handshake(server.get());
    done = theirs == 1 && ours_too == 1;
  }
  EXPECT_TRUE(done);
  EXPECT_EQ(SSL_get_verify_result(server.get()), X509_V_OK);
  return ReadEnds(*server).client_certificate;
}

TEST(TlsEndsTest, AClientsCertificateIsGoodUntilItExpiresThoughATicketLastsLonger) {
  EXPECT_TRUE(IsTaken(3600));
  EXPECT_FALSE(IsTaken(-60));
}

}  // namespace
}  // namespace server_test
