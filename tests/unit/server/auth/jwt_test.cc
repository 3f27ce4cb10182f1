#include "server/auth/jwt.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "server/auth/token_verifier.h"

namespace server_test {
namespace {

using namespace server::auth;
using std::chrono::system_clock;

constexpr std::int64_t kNow = 1'700'000'000;

std::string Pem(EVP_PKEY* key) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> owned(key, EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), BIO_free);
  EXPECT_EQ(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr), 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

const std::string& EdPem() {
  static const std::string pem = Pem(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  return pem;
}

/// RFC 7515 appendix A.3 and RFC 8037 appendix A.4.
TEST(JwtTest, RfcVectors) {
  const auto es =
      ReadJwks(R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
      "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})");
  ASSERT_TRUE(es) << es.error();
  const auto es_token = ReadJwt(
      "eyJhbGciOiJFUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
      "Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  ASSERT_TRUE(es_token);
  EXPECT_TRUE(IsSignedBy(*es_token, es->front()));

  const auto ed = ReadJwks(
      R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  ASSERT_TRUE(ed) << ed.error();
  const auto ed_token = ReadJwt(
      "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-"
      "09PGcvMg3AIbQR6dWbhijcNR4"
      "ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
  ASSERT_TRUE(ed_token);
  EXPECT_TRUE(IsSignedBy(*ed_token, ed->front()));
  EXPECT_FALSE(IsSignedBy(*es_token, ed->front()));
  EXPECT_FALSE(IsSignedBy(*ed_token, es->front()));
}

TEST(JwtTest, WhatIsSignedWithEachKindOfKeyIsVerifiedWithItsJwks) {
  for (const auto& pem : {Pem(EVP_RSA_gen(2048)), Pem(EVP_EC_gen("P-256")), EdPem()}) {
    const auto token = SignJwt("{}", pem, "k1");
    const auto keys = ReadJwks(JwksOf(pem, "k1").value());
    ASSERT_TRUE(token && keys);
    auto parts = ReadJwt(*token);
    ASSERT_TRUE(parts);
    EXPECT_EQ(parts->claims, "{}");
    EXPECT_TRUE(IsSignedBy(*parts, keys->front())) << parts->alg;
    auto changed = *parts;
    changed.signed_octets += ' ';
    EXPECT_FALSE(IsSignedBy(changed, keys->front()));
    changed = *parts;
    changed.key_id = "k2";
    EXPECT_FALSE(IsSignedBy(changed, keys->front()));
    for (const auto* alg : {"none", "HS256", ""}) {
      changed = *parts;
      changed.alg = alg;
      EXPECT_FALSE(IsSignedBy(changed, keys->front())) << alg;
    }
    changed = *parts;
    changed.signature.clear();
    EXPECT_FALSE(IsSignedBy(changed, keys->front()));
  }
  EXPECT_FALSE(SignJwt("{}", Pem(EVP_RSA_gen(1024)), "")) << "too weak";
  EXPECT_FALSE(SignJwt("{}", "no key", ""));
}

TEST(JwtTest, WhatIsNoToken) {
  for (const auto* text : {"", ".", "..", "e30", "e30.e30", "e30=.e30.", "e30.e30.!", "e30.e30.AA.AA",
                           "W10.e30.AA", "eyJjcml0IjpbXX0.e30.AA", "Zm9v.e30.AA"})
    EXPECT_FALSE(ReadJwt(text)) << text;
  EXPECT_FALSE(ReadJwt(std::string(1 << 20, 'A')));
}

TEST(JwksTest, WhatIsNoSetOfKeys) {
  for (const auto* text :
       {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[{"kty":"oct","k":"AAAA"}]})",
        R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"AAAA"}]})",
        R"({"keys":[{"kty":"RSA","n":"AAAA","e":"AQAB"}]})"})
    EXPECT_FALSE(ReadJwks(text)) << text;
}

class TokenVerifierTest : public testing::Test {
 protected:
  TokenVerifierTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cmsd_jwks_XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    settings_.jwks = directory_ + "/jwks.json";
    settings_.issuer = "https://issuer.example";
    settings_.audience = "imap.example";
    WriteKeys(EdPem());
    verifier_ = TokenVerifier::Open(settings_).value();
  }
  ~TokenVerifierTest() override { std::filesystem::remove_all(directory_); }

  void WriteKeys(const std::string& pem) const { std::ofstream(settings_.jwks) << JwksOf(pem, "").value(); }
  static std::string Claims(const std::string& change_from = "", const std::string& to = "") {
    std::string claims =
        R"({"iss":"https://issuer.example","aud":"imap.example","exp":1700003600,"nbf":1700000000,)"
        R"("iat":1700000000,"sub":"tel:+15550100111"})";
    if (!change_from.empty()) {
      const auto at = claims.find(change_from);
      EXPECT_NE(at, std::string::npos) << change_from;
      claims.replace(at, change_from.size(), to);
    }
    return claims;
  }
  tl::expected<std::string, std::string> Verify(const std::string& claims, const std::string& pem = EdPem()) {
    return verifier_->Verify(SignJwt(claims, pem, "").value(),
                             system_clock::time_point(std::chrono::seconds(kNow)));
  }
  std::string Refusal(const std::string& change_from, const std::string& to) {
    const auto address = Verify(Claims(change_from, to));
    return address ? "accepted" : address.error();
  }

  std::string directory_;
  server::config::Oauth settings_;
  std::unique_ptr<TokenVerifier> verifier_;
};

TEST_F(TokenVerifierTest, TakesAnAddressFromATokenOfItsIssuer) {
  EXPECT_EQ(Verify(Claims()), "tel:+15550100111");
  EXPECT_EQ(Verify(Claims(R"("imap.example")", R"(["a","imap.example"])")), "tel:+15550100111");
  EXPECT_EQ(Verify(Claims("1700003600", "1699999950.5")), "tel:+15550100111") << "expired within the skew";
  EXPECT_EQ(Verify(Claims("\"nbf\":1700000000", "\"nbf\":1700000050")), "tel:+15550100111")
      << "our clock is late";
}

TEST_F(TokenVerifierTest, RefusesWhatIsNotForUsNow) {
  EXPECT_EQ(Refusal("https://issuer.example", "https://other.example"), "another issuer");
  EXPECT_EQ(Refusal("imap.example", "other.example"), "for another audience");
  EXPECT_EQ(Refusal(R"("imap.example")", "[]"), "for another audience");
  EXPECT_EQ(Refusal(R"("exp":1700003600,)", ""), "without an expiry");
  EXPECT_EQ(Refusal("1700003600", "\"tomorrow\""), "without an expiry");
  EXPECT_EQ(Refusal("1700003600", "1699999900"), "expired");
  EXPECT_EQ(Refusal("1700003600", "4853600000"), "valid for too long") << "a century";
  EXPECT_EQ(Refusal("1700003600", "1e300"), "without an expiry");
  EXPECT_EQ(Refusal("\"nbf\":1700000000", "\"nbf\":1700000100"), "not yet valid");
  EXPECT_EQ(Refusal("\"sub\"", "\"subject\""), "without the claim that oauth.address names");
}

TEST_F(TokenVerifierTest, RefusesOtherKeysAndNone) {
  EXPECT_FALSE(Verify(Claims(), Pem(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))));
  EXPECT_FALSE(Verify(Claims(), Pem(EVP_EC_gen("P-256"))));
  const auto now = system_clock::time_point(std::chrono::seconds(kNow));
  const auto unsigned_token = EncodeBase64Url(R"({"alg":"none"})") + "." + EncodeBase64Url(Claims()) + ".";
  EXPECT_FALSE(verifier_->Verify(unsigned_token, now));
  EXPECT_EQ(verifier_->Verify(std::string(1 << 20, 'A'), now).error(), "too long");
}

TEST_F(TokenVerifierTest, TheKeysFollowTheirFile) {
  const auto other = Pem(EVP_EC_gen("P-256"));
  EXPECT_FALSE(Verify(Claims(), other));
  WriteKeys(other);
  std::filesystem::last_write_time(settings_.jwks,
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_TRUE(Verify(Claims(), other));
  EXPECT_FALSE(Verify(Claims())) << "the old key is gone";
  std::ofstream(settings_.jwks) << "not json";
  std::filesystem::last_write_time(settings_.jwks,
                                   std::filesystem::file_time_type::clock::now() + std::chrono::hours(2));
  EXPECT_TRUE(Verify(Claims(), other)) << "a bad file leaves the keys as they are";
}

TEST_F(TokenVerifierTest, TheRuleMakesTheAddress) {
  settings_.address = "tel:{phone_number}";
  verifier_ = TokenVerifier::Open(settings_).value();
  EXPECT_EQ(Verify(Claims(R"("sub":"tel:+15550100111")", R"("phone_number":"+15550100222")")),
            "tel:+15550100222");
  EXPECT_FALSE(Verify(Claims()));
}

}  // namespace
}  // namespace server_test
