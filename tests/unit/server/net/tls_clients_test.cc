// Client certificates: which authorities are believed, and what their revocation lists say.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "server/net/tls_context.h"
#include "tests/unit/server/net/memory_ends.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server_test {
namespace {

using namespace server::net;

template <typename T, void (*kFree)(T*)>
struct Free {
  void operator()(T* one) const { kFree(one); }
};
using SslPtr = std::unique_ptr<SSL, Free<SSL, SSL_free>>;
using SslCtxPtr = std::unique_ptr<SSL_CTX, Free<SSL_CTX, SSL_CTX_free>>;
using X509Ptr = std::unique_ptr<X509, Free<X509, X509_free>>;
using CrlPtr = std::unique_ptr<X509_CRL, Free<X509_CRL, X509_CRL_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;

/// A certificate and its key.
struct Holder {
  KeyPtr key{EVP_EC_gen("P-256")};
  X509Ptr certificate{X509_new()};
};

/// Signed by `issuer`; nullptr: by itself.
Holder Certify(const char* name, const Holder* issuer, bool authority) {
  static long serial = 0;
  Holder out;
  X509* x = out.certificate.get();
  X509_set_version(x, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(x), -3600);
  X509_gmtime_adj(X509_getm_notAfter(x), 3600);
  X509_set_pubkey(x, out.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer->certificate.get() : x));
  if (authority) {
    X509_EXTENSION* basic = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints, "critical,CA:TRUE");
    X509_add_ext(x, basic, -1);
    X509_EXTENSION_free(basic);
  }
  X509_sign(x, issuer ? issuer->key.get() : out.key.get(), EVP_sha256());
  return out;
}

/// What `issuer` has revoked; nullptr: nothing. `seconds`: until the next one is due.
CrlPtr List(const Holder& issuer, const Holder* revoked, long seconds = 3600) {
  CrlPtr list(X509_CRL_new());
  X509_CRL_set_version(list.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.certificate.get()));
  const std::unique_ptr<ASN1_TIME, Free<ASN1_TIME, ASN1_TIME_free>> then(X509_gmtime_adj(nullptr, -1800));
  X509_CRL_set1_lastUpdate(list.get(), then.get());
  X509_gmtime_adj(then.get(), seconds);
  X509_CRL_set1_nextUpdate(list.get(), then.get());
  if (revoked != nullptr) {
    X509_REVOKED* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked->certificate.get()));
    X509_gmtime_adj(then.get(), -1800);
    X509_REVOKED_set_revocationDate(entry, then.get());
    X509_CRL_add0_revoked(list.get(), entry);
  }
  X509_CRL_sign(list.get(), issuer.key.get(), EVP_sha256());
  return list;
}

/// A root signs an authority, which signs a client; the client shows both, the server knows the root.
class TlsClientsTest : public testing::Test {
 protected:
  std::string File(const char* name) const {
    return std::filesystem::path(own_.key_file()).parent_path() / name;
  }

  std::unique_ptr<TlsContext> Context(const std::vector<CrlPtr>& lists) const {
    const BioPtr roots(BIO_new_file(File("roots.pem").c_str(), "w"));
    PEM_write_bio_X509(roots.get(), root_.certificate.get());
    BIO_flush(roots.get());
    const BioPtr out(BIO_new_file(File("lists.pem").c_str(), "w"));
    for (const auto& list : lists) PEM_write_bio_X509_CRL(out.get(), list.get());
    BIO_flush(out.get());
    return TlsContext::Create({.certificate_file = own_.certificate_file(),
                               .key_file = own_.key_file(),
                               .client_ca_file = File("roots.pem"),
                               .client_crl_file = File("lists.pem")})
        .value();
  }

  template <typename... Lists>
  std::unique_ptr<TlsContext> ContextWith(Lists... lists) const {
    std::vector<CrlPtr> all;
    (all.push_back(std::move(lists)), ...);
    return Context(all);
  }

  bool IsTaken(const TlsContext& context) const {
    const SslCtxPtr there(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_use_certificate(there.get(), client_.certificate.get());
    SSL_CTX_use_PrivateKey(there.get(), client_.key.get());
    SSL_CTX_add1_chain_cert(there.get(), between_.certificate.get());
    const SslPtr server(SSL_new(context.Current().get()));
    const SslPtr client(SSL_new(there.get()));
    JoinInMemory(*server, *client);
    for (int i = 0; i < 10; ++i) {
      SSL_do_handshake(client.get());
      if (SSL_do_handshake(server.get()) != 1) continue;
      return SSL_get0_peer_certificate(server.get()) != nullptr &&
             SSL_get_verify_result(server.get()) == X509_V_OK;
    }
    return false;
  }

  const TestCertificate own_;
  const Holder root_ = Certify("root", nullptr, true);
  const Holder between_ = Certify("between", &root_, true);
  const Holder client_ = Certify("client", &between_, false);
};

TEST_F(TlsClientsTest, NobodyIsRevokedByListsThatNameNobody) {
  EXPECT_TRUE(IsTaken(*ContextWith(List(root_, nullptr), List(between_, nullptr))));
}

TEST_F(TlsClientsTest, ARevokedClientIsRefused) {
  EXPECT_FALSE(IsTaken(*ContextWith(List(root_, nullptr), List(between_, &client_))));
  EXPECT_FALSE(IsTaken(*ContextWith(List(between_, &client_))));
}

TEST_F(TlsClientsTest, AClientOfARevokedAuthorityIsRefused) {
  EXPECT_FALSE(IsTaken(*ContextWith(List(root_, &between_), List(between_, nullptr))));
}

TEST_F(TlsClientsTest, WhoSignsClientsHasAListAndARootNeedHaveNone) {
  EXPECT_TRUE(IsTaken(*ContextWith(List(between_, nullptr))));
  EXPECT_FALSE(IsTaken(*ContextWith(List(root_, nullptr))));
}

TEST_F(TlsClientsTest, AListThatIsOutOfDateIsNotBelieved) {
  EXPECT_FALSE(IsTaken(*ContextWith(List(root_, nullptr), List(between_, nullptr, -60))));
  EXPECT_FALSE(IsTaken(*ContextWith(List(root_, nullptr, -60), List(between_, nullptr))));
}

TEST_F(TlsClientsTest, WhatCannotBeReadAgainLeavesTheListsInForce) {
  const auto good = ContextWith(List(between_, nullptr));
  const auto bad = ContextWith(List(between_, &client_));
  std::ofstream(own_.certificate_file()) << "half a certific";
  EXPECT_FALSE(good->Reload());
  EXPECT_FALSE(bad->Reload());
  EXPECT_TRUE(IsTaken(*good));
  EXPECT_FALSE(IsTaken(*bad));
  EXPECT_EQ(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(good->Current().get())), 1);
}

}  // namespace
}  // namespace server_test
