#include "server/net/tls_psk.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "server/net/psk_keys.h"
#include "server/net/tls_context.h"
#include "server/net/tls_ends.h"
#include "tests/unit/server/net/memory_ends.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server_test {
namespace {

using namespace server::net;

using SslPtr = std::unique_ptr<SSL, decltype(&SSL_free)>;

using SessionPtr = std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)>;

/// What the client of a handshake offers, and what it was given; its context's app data.
struct Offer {
  std::string identity;
  std::string key;
  SessionPtr new_ticket{nullptr, SSL_SESSION_free};
};

/// TLS 1.2; 1.3 asks here too when UseSession() has nothing to offer.
unsigned UseKey(SSL* ssl, const char*, char* identity, unsigned max_identity, unsigned char* key, unsigned) {
  const auto* offer = static_cast<const Offer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  if (offer->identity.empty()) return 0;
  offer->identity.copy(identity, max_identity - 1);
  identity[offer->identity.size()] = '\0';
  std::ranges::copy(offer->key, key);
  return static_cast<unsigned>(offer->key.size());
}

int UseSession(SSL* ssl, const EVP_MD* md, const unsigned char** id, std::size_t* size, SSL_SESSION** out) {
  const auto* offer = static_cast<const Offer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  static constexpr unsigned char kSuite[] = {0x13, 0x01};
  *out = nullptr;
  const SSL_CIPHER* cipher = SSL_CIPHER_find(ssl, kSuite);
  if (offer->identity.empty() || (md != nullptr && SSL_CIPHER_get_handshake_digest(cipher) != md)) return 1;
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
    SSL_CTX_set_psk_client_callback(client_context_.get(), UseKey);
    SSL_CTX_set_session_cache_mode(client_context_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(client_context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      static_cast<Offer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)))->new_ticket.reset(session);
      return 1;
    });
  }

  void UseTls12() {
    SSL_CTX_set_max_proto_version(client_context_.get(), TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(client_context_.get(), "ECDHE-PSK-CHACHA20-POLY1305");
  }

  /// With `ticket`, of an earlier handshake, if there is one. False: it failed.
  bool Handshake(SSL_SESSION* ticket = nullptr) {
    server_.reset(SSL_new(tls_->Current().get()));
    client_.reset(SSL_new(client_context_.get()));
    if (ticket != nullptr) SSL_set_session(client_.get(), ticket);
    JoinInMemory(*server_, *client_);
    for (int turn = 0; turn < 10; ++turn) {
      for (SSL* side : {client_.get(), server_.get()}) {
        const int result = SSL_do_handshake(side);
        if (result != 1 && SSL_get_error(side, result) == SSL_ERROR_SSL) return false;
      }
    }
    if (!SSL_is_init_finished(server_.get()) || !SSL_is_init_finished(client_.get())) return false;
    char octet = 0;
    SSL_read(client_.get(), &octet, 1);  // TLS 1.3 sends its tickets afterwards
    // Else OpenSSL takes the connection for a broken one, whose ticket it does not use.
    SSL_set_shutdown(client_.get(), SSL_SENT_SHUTDOWN);
    return true;
  }
  bool Resumed() { return SSL_session_reused(client_.get()) == 1; }
  /// The ticket of the last handshake; null: none was given.
  SessionPtr TakeTicket() { return std::exchange(offer_.new_ticket, SessionPtr(nullptr, SSL_SESSION_free)); }
  /// Empty: it was no handshake by a key.
  std::string Identity() { return PskUseOf(*server_).value_or(PskUse()).identity; }
  std::optional<std::uint64_t> Owner() { return ReadEnds(*server_).psk_owner; }

  TestCertificate certificate_;
  PskKeys keys_;
  std::unique_ptr<TlsContext> tls_;
  Offer offer_{"phone", std::string(32, 'k'), {nullptr, SSL_SESSION_free}};
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
  offer_.identity = "nobody";
  offer_.key[0] = 'k';
  EXPECT_FALSE(Handshake());
}

TEST_F(TlsPskTest, WhatIsNoIdentityIsNobodysAndTheCertificateIsShown) {
  for (const auto& identity :
       {std::string("phone\0", 6), std::string("phone\0x", 7), std::string(129, 'x')}) {
    offer_.identity = identity;
    EXPECT_TRUE(Handshake());
    EXPECT_EQ(Identity(), "");
    EXPECT_EQ(Owner(), std::nullopt);
    EXPECT_NE(SSL_get0_peer_certificate(client_.get()), nullptr);
  }
}

TEST_F(TlsPskTest, ARevokedKeyProvesNobodyThoughTheConnectionStays) {
  ASSERT_TRUE(Handshake());
  keys_.Remove("phone");
  EXPECT_EQ(Owner(), std::nullopt);
}

TEST_F(TlsPskTest, AKeyDoesNotProveTheOwnerOfTheNextOne) {
  for (const bool tls12 : {false, true}) {
    SCOPED_TRACE(tls12);
    if (tls12) UseTls12();
    keys_.Set("phone", {std::string(32, 'k'), 7});
    ASSERT_TRUE(Handshake());
    EXPECT_EQ(Owner(), 7U);
    const auto ticket = TakeTicket();
    ASSERT_TRUE(ticket);
    ASSERT_TRUE(Handshake(ticket.get()));
    EXPECT_TRUE(Resumed());
    EXPECT_EQ(Owner(), 7U) << "a ticket is as good as its key";
    const auto next_ticket =
        tls12 ? SessionPtr(SSL_SESSION_dup(ticket.get()), SSL_SESSION_free) : TakeTicket();
    ASSERT_TRUE(next_ticket);

    keys_.Remove("phone");
    keys_.Set("phone", {std::string(32, 'n'), 8});
    EXPECT_EQ(Owner(), std::nullopt) << "a connection that is up";
    ASSERT_TRUE(Handshake(next_ticket.get()));
    EXPECT_TRUE(Resumed());
    EXPECT_EQ(Owner(), std::nullopt) << "a ticket";
  }
}

// OpenSSL's client offers no two keys at once, but a ticket and a key.
TEST_F(TlsPskTest, OfTwoThatAreOfferedTheOneThatIsTakenSaysWhoItIs) {
  offer_.identity.clear();
  ASSERT_TRUE(Handshake());
  EXPECT_NE(SSL_get0_peer_certificate(client_.get()), nullptr);
  const auto ticket = TakeTicket();
  ASSERT_TRUE(ticket);

  offer_.identity = "phone";
  ASSERT_TRUE(Handshake(ticket.get()));
  EXPECT_TRUE(Resumed());
  EXPECT_EQ(Identity(), "") << "the ticket, whose handshake was by certificate";
  const auto next_ticket = TakeTicket();
  ASSERT_TRUE(next_ticket);
  ASSERT_TRUE(tls_->Reload());
  ASSERT_TRUE(Handshake(next_ticket.get()));
  EXPECT_EQ(Identity(), "phone") << "the key, for nobody can read the ticket any more";
  EXPECT_EQ(Owner(), 7U);
}

}  // namespace
}  // namespace server_test
