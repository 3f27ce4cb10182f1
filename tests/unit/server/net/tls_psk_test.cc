#include "server/net/tls_psk.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "server/net/psk_keys.h"
#include "server/net/tls_context.h"
#include "server/net/tls_ends.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server_test {
namespace {

using namespace server::net;

using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;

/// What the client of a TLS 1.3 handshake offers; its context's app data.
struct Offer {
  std::string identity;
  std::string key;
};

int UseSession(SSL* ssl, const EVP_MD* md, const unsigned char** id, std::size_t* size, SSL_SESSION** out) {
  const auto* offer = static_cast<const Offer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  static constexpr unsigned char kSuite[] = {0x13, 0x01};
  *out = nullptr;
  const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, kSuite);
  if (offer == nullptr || (md != nullptr && SSL_CIPHER_get_handshake_digest(cipher) != md)) return 1;
  *id = reinterpret_cast<const unsigned char*>(offer->identity.data());
  *size = offer->identity.size();
  *out = SSL_SESSION_new();
  SSL_SESSION_set1_master_key(*out, reinterpret_cast<const unsigned char*>(offer->key.data()),
                              offer->key.size());
  SSL_SESSION_set_cipher(*out, cipher);
  SSL_SESSION_set_protocol_version(*out, TLS1_3_VERSION);
  return 1;
}

/// Both ends of a handshake in one thread, over memory.
class TlsPskTest : public testing::Test {
 protected:
  TlsPskTest() {
    keys_.Set("phone", {std::string(32, 'k'), 7});
    tls_ = TlsContext::Create({.certificate_file = certificate_.certificate_file(),
                               .key_file = certificate_.key_file(),
                               .psk = &keys_})
               .value();
    SSL_CTX_set_app_data(client_context_.get(), &offer_);
    SSL_CTX_set_psk_use_session_callback(client_context_.get(), UseSession);
  }

  /// False: it failed.
  bool Handshake() {
    server_.reset(SSL_new(tls_->Current().get()));
    client_.reset(SSL_new(client_context_.get()));
    BIO* ends[2];
    BIO_new_bio_pair(&ends[0], 0, &ends[1], 0);
    SSL_set_bio(server_.get(), ends[0], ends[0]);
    SSL_set_bio(client_.get(), ends[1], ends[1]);
    SSL_set_accept_state(server_.get());
    SSL_set_connect_state(client_.get());
    for (int turn = 0; turn < 10; ++turn) {
      for (SSL* side : {client_.get(), server_.get()}) {
        const int result = SSL_do_handshake(side);
        if (result != 1 && SSL_get_error(side, result) == SSL_ERROR_SSL) return false;
      }
    }
    return SSL_is_init_finished(server_.get()) && SSL_is_init_finished(client_.get());
  }
  std::string Identity() { return PskIdentity(*server_); }

  TestCertificate certificate_;
  PskKeys keys_;
  std::unique_ptr<TlsContext> tls_;
  Offer offer_{"phone", std::string(32, 'k')};
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> client_context_{SSL_CTX_new(TLS_client_method()),
                                                                    SSL_CTX_free};
  SslPtr server_{nullptr, SSL_free};
  SslPtr client_{nullptr, SSL_free};
};

TEST_F(TlsPskTest, TheKeyProvesItsOwner) {
  ASSERT_TRUE(Handshake());
  EXPECT_EQ(Identity(), "phone");
  const auto ends = ReadEnds(*server_);
  EXPECT_EQ(ends.psk_owner, 7U);
  EXPECT_TRUE(ends.server_end_point.empty()) << "no certificate was shown";
  EXPECT_FALSE(ends.exporter.empty());
  EXPECT_EQ(SSL_get0_peer_certificate(client_.get()), nullptr);
}

TEST_F(TlsPskTest, AWrongKeyAndAnUnknownIdentityFailAlike) {
  offer_.key[0] = 'x';
  EXPECT_FALSE(Handshake());
  offer_ = {"nobody", std::string(32, 'k')};
  EXPECT_FALSE(Handshake());
}

TEST_F(TlsPskTest, WhatIsNoIdentityIsNobodysAndTheCertificateIsShown) {
  for (const auto& identity :
       {std::string("phone\0", 6), std::string("phone\0x", 7), std::string(129, 'x')}) {
    offer_.identity = identity;
    EXPECT_TRUE(Handshake());
    EXPECT_EQ(Identity(), "");
    EXPECT_EQ(ReadEnds(*server_).psk_owner, std::nullopt);
    EXPECT_NE(SSL_get0_peer_certificate(client_.get()), nullptr);
  }
}

TEST_F(TlsPskTest, ARevokedKeyProvesNobodyThoughTheConnectionStays) {
  ASSERT_TRUE(Handshake());
  keys_.Remove("phone");
  EXPECT_EQ(ReadEnds(*server_).psk_owner, std::nullopt);
}

}  // namespace
}  // namespace server_test
