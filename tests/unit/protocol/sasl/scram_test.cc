#include "protocol/sasl/scram.h"

#include <functional>

#include <gtest/gtest.h>

#include "protocol/sasl/scram_crypto.h"
#include "protocol/text/base64.h"
#include "protocol/text/saslprep.h"

namespace protocol_test {
namespace {

using namespace std::string_literals;
using namespace protocol::sasl;
using protocol::text::DecodeBase64;
using protocol::text::EncodeBase64;
using protocol::text::SaslPrep;

struct Vector {
  ScramHash hash;
  std::string salt;  // base64
  std::string client_first;
  std::string nonce;  // the server's part
  std::string server_first;
  std::string client_final;
  std::string server_final;
};

/// RFC 5802 §5 and RFC 7677 §3: user "user", password "pencil".
const Vector kSha1 = {ScramHash::kSha1,
                      "QSXCR+Q6sek8bf92",
                      "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
                      "3rfcNHYJY1ZVvWVs7j",
                      "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                      "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                      "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="};
const Vector kSha256 = {
    ScramHash::kSha256,
    "W22ZaJ0SNY7soEsUEjb6gQ==",
    "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
    "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
    "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="};

ScramKeys KeysOf(const Vector& vector, std::string_view password = "pencil") {
  return MakeScramKeys(vector.hash, password, *DecodeBase64(vector.salt), 4096);
}

class RfcVector : public testing::TestWithParam<Vector> {};

TEST_P(RfcVector, IsFollowedToTheLastOctet) {
  const Vector& vector = GetParam();
  ScramExchange exchange(vector.hash, false, {}, false);
  EXPECT_EQ(exchange.ReadFirst(vector.client_first), (ScramExchange::First{"user", ""}));
  EXPECT_EQ(exchange.Challenge(KeysOf(vector), vector.nonce), vector.server_first);
  EXPECT_EQ(exchange.ReadFinal(vector.client_final), vector.server_final);
}

TEST_P(RfcVector, IsRefusedWithAnotherPassword) {
  const Vector& vector = GetParam();
  ScramExchange exchange(vector.hash, false, {}, false);
  ASSERT_TRUE(exchange.ReadFirst(vector.client_first));
  exchange.Challenge(KeysOf(vector, "Pencil"), vector.nonce);
  EXPECT_EQ(exchange.ReadFinal(vector.client_final).error(), ScramFault::kWrongProof);
}

INSTANTIATE_TEST_SUITE_P(Scram, RfcVector, testing::Values(kSha1, kSha256), [](const auto& info) {
  return info.param.hash == ScramHash::kSha1 ? "Sha1" : "Sha256";
});

/// A client that knows the password "pencil", for exchanges that no RFC prints.
struct Client {
  std::string first_bare = "n=user,r=clientnonce";
  std::string Final(std::string_view header_and_data, std::string_view server_first,
                    std::string_view more = "") const {
    const auto nonce = server_first.substr(2, server_first.find(',') - 2);
    const auto without_proof =
        "c=" + EncodeBase64(header_and_data) + ",r=" + std::string(nonce) + std::string(more);
    const auto message = first_bare + "," + std::string(server_first) + "," + without_proof;
    const auto salted = Stretch(ScramHash::kSha256, "pencil", *DecodeBase64(kSha256.salt), 4096);
    std::string proof = Hmac(ScramHash::kSha256, salted, "Client Key");
    const auto signature = Hmac(ScramHash::kSha256, Digest(ScramHash::kSha256, proof), message);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= signature[i];
    return without_proof + ",p=" + EncodeBase64(proof);
  }
};

const ChannelBindings kBindings = {.tls_exporter = "exported octets", .tls_server_end_point = "hash"};

struct BindingCase {
  std::string name;
  bool plus;
  std::string header;
  std::string data;  ///< that the client sends back
  std::optional<ScramFault> first;
  std::optional<ScramFault> last;
};

class ScramBinding : public testing::TestWithParam<BindingCase> {};

TEST_P(ScramBinding, EndsAsItShould) {
  const auto& c = GetParam();
  const Client client;
  ScramExchange exchange(ScramHash::kSha256, c.plus, kBindings, /*plus_offered=*/true);
  const auto first = exchange.ReadFirst(c.header + client.first_bare);
  if (c.first) {
    ASSERT_FALSE(first);
    EXPECT_EQ(first.error(), *c.first);
    return;
  }
  ASSERT_TRUE(first);
  const auto challenge = exchange.Challenge(KeysOf(kSha256), "servernonce");
  const auto last = exchange.ReadFinal(client.Final(c.header + c.data, challenge));
  if (c.last) {
    ASSERT_FALSE(last);
    EXPECT_EQ(last.error(), *c.last);
  } else {
    ASSERT_TRUE(last);
    EXPECT_EQ(last->substr(0, 2), "v=");
  }
}

INSTANTIATE_TEST_SUITE_P(
    Scram, ScramBinding,
    testing::Values(
        BindingCase{"Exporter", true, "p=tls-exporter,,", "exported octets", {}, {}},
        BindingCase{"ServerEndPoint", true, "p=tls-server-end-point,,", "hash", {}, {}},
        BindingCase{
            "DataOfAnotherConnection", true, "p=tls-exporter,,", "others' octets", {}, ScramFault::kBinding},
        BindingCase{"DataOfTheOtherType", true, "p=tls-exporter,,", "hash", {}, ScramFault::kBinding},
        BindingCase{"NoData", true, "p=tls-exporter,,", "", {}, ScramFault::kBinding},
        BindingCase{"UnknownType", true, "p=tls-unique,,", "", ScramFault::kBinding, {}},
        BindingCase{"PlusWithoutBinding", true, "n,,", "", ScramFault::kBinding, {}},
        BindingCase{"PlusWithY", true, "y,,", "", ScramFault::kBinding, {}},
        BindingCase{"BindingWithoutPlus", false, "p=tls-exporter,,", "", ScramFault::kBinding, {}},
        BindingCase{"Downgraded", false, "y,,", "", ScramFault::kDowngraded, {}},
        BindingCase{"ClientThatCannotBind", false, "n,,", "", {}, {}}),
    [](const auto& info) { return info.param.name; });

TEST(ScramTest, WithoutPlusOnTheListAClientMaySayThatItWouldBind) {
  const Client client;
  ScramExchange exchange(ScramHash::kSha256, false, {}, /*plus_offered=*/false);
  ASSERT_TRUE(exchange.ReadFirst("y,," + client.first_bare));
  const auto challenge = exchange.Challenge(KeysOf(kSha256), "servernonce");
  EXPECT_TRUE(exchange.ReadFinal(client.Final("y,,", challenge)));
}

TEST(ScramTest, TheHeaderThatWasSentIsTheOneThatIsBound) {
  const Client client;
  ScramExchange exchange(ScramHash::kSha256, false, {}, false);
  ASSERT_TRUE(exchange.ReadFirst("n,," + client.first_bare));
  const auto challenge = exchange.Challenge(KeysOf(kSha256), "servernonce");
  EXPECT_EQ(exchange.ReadFinal(client.Final("n,a=eve,", challenge)).error(), ScramFault::kBinding);
}

TEST(ScramTest, NamesAreUnescaped) {
  ScramExchange exchange(ScramHash::kSha256, false, {}, false);
  EXPECT_EQ(exchange.ReadFirst("n,a=b=2C=3D@x,n=a=3Db=2Cc,r=x,x=unknown"),
            (ScramExchange::First{"a=b,c", "b,=@x"}));
}

TEST(ScramTest, MalformedFirstMessages) {
  for (const auto& message : {""s,
                              "n"s,
                              "n,"s,
                              "n,,"s,
                              "n,,n=user"s,
                              "n,,r=x,n=user"s,
                              "n,,n=,r=x"s,
                              "n,,n=user,r="s,
                              "n,,n=us=er,r=x"s,
                              "n,,n=us=2cer,r=x"s,
                              "n,,n=us\0er,r=x"s,
                              "n,a=,n=user,r=x"s,
                              "n,b=x,n=user,r=x"s,
                              "x,,n=user,r=x"s,
                              "n,,n=user,r=a\x7f"s,
                              "n,,n=user,r=a b"s,
                              "n,,n=user,r=x,1=2"s,
                              "n,,n=user,r=x,a="s,
                              "n,,n=" + std::string(1025, 'u') + ",r=x",
                              "n,,n=user,r=" + std::string(257, 'r'),
                              "n,,n=user,r=x,a=" + std::string(9000, 'y')}) {
    ScramExchange exchange(ScramHash::kSha256, false, {}, false);
    const auto first = exchange.ReadFirst(message);
    ASSERT_FALSE(first) << message;
    EXPECT_EQ(first.error(), ScramFault::kMalformed) << message;
  }
  ScramExchange exchange(ScramHash::kSha256, false, {}, false);
  EXPECT_EQ(exchange.ReadFirst("n,,m=x,n=user,r=x").error(), ScramFault::kExtension);
}

TEST(ScramTest, FinalMessages) {
  const Client client;
  const auto last = [&](const std::function<std::string(std::string)>& change, std::string_view more = "") {
    ScramExchange exchange(ScramHash::kSha256, false, {}, false);
    EXPECT_TRUE(exchange.ReadFirst("n,," + client.first_bare));
    const auto challenge = exchange.Challenge(KeysOf(kSha256), "servernonce");
    return exchange.ReadFinal(change(client.Final("n,,", challenge, more)));
  };
  const auto same = [](std::string text) { return text; };
  EXPECT_TRUE(last(same));
  EXPECT_TRUE(last(same, ",x=an extension")) << "ignored, but signed";
  const auto fault = [&](const std::string& from, const std::string& to) {
    const auto outcome = last([&](std::string text) {
      const auto at = text.find(from);
      EXPECT_NE(at, std::string::npos);
      return text.replace(at, from.size(), to);
    });
    EXPECT_FALSE(outcome) << from << " -> " << to;
    return outcome ? ScramFault::kMalformed : outcome.error();
  };
  EXPECT_EQ(fault("clientnonceservernonce", "clientnonce"), ScramFault::kWrongProof) << "another nonce";
  EXPECT_EQ(fault("clientnonce", "Clientnonce"), ScramFault::kWrongProof);
  EXPECT_EQ(fault(",p=", ",q="), ScramFault::kMalformed);
  EXPECT_EQ(fault(",p=", ",p=AAAA"), ScramFault::kMalformed) << "too long";
  EXPECT_EQ(fault(",p=", ",p=*"), ScramFault::kMalformed) << "not base64";
  EXPECT_EQ(fault("c=", "d="), ScramFault::kMalformed);
  EXPECT_EQ(fault("c=biws", "c=b"), ScramFault::kMalformed);
  EXPECT_EQ(fault("r=", "x="), ScramFault::kMalformed);
}

TEST(ScramKeysTest, AreWrittenAsInRfc5803AndReadBack) {
  const auto keys = KeysOf(kSha256);
  const auto text = WriteScramKeys(ScramHash::kSha256, keys);
  EXPECT_EQ(text,
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
  EXPECT_EQ(ReadScramKeys(ScramHash::kSha256, text), keys);
  EXPECT_FALSE(ReadScramKeys(ScramHash::kSha1, text));
  for (std::size_t i = 0; i < text.size(); ++i)
    EXPECT_FALSE(ReadScramKeys(ScramHash::kSha256, text.substr(0, i))) << i;
  auto weak = keys;
  weak.iterations = 1;
  EXPECT_FALSE(ReadScramKeys(ScramHash::kSha256, WriteScramKeys(ScramHash::kSha256, weak)));
}

TEST(ScramKeysTest, APasswordIsTheSameInEverySpellingOfUnicode) {
  const auto keys = [](std::string_view password) {
    return MakeScramKeys(ScramHash::kSha256, password, "0123456789abcdef", 4096);
  };
  EXPECT_EQ(keys("caf\xc3\xa9"), keys("cafe\xcc\x81")) << "composed, decomposed";
  EXPECT_EQ(keys("a\xc2\xad"), keys("a")) << "a soft hyphen is nothing";
  EXPECT_NE(keys("a"), keys("A"));
  EXPECT_NE(keys("bell\a"), keys("bell")) << "what SASLprep refuses is taken as it is";
}

/// RFC 4013 §3.
TEST(SaslPrepTest, Rfc4013Examples) {
  EXPECT_EQ(SaslPrep("I\xc2\xadX"), "IX");
  EXPECT_EQ(SaslPrep("user"), "user");
  EXPECT_EQ(SaslPrep("USER"), "USER");
  EXPECT_EQ(SaslPrep("\xc2\xaa"), "a");
  EXPECT_EQ(SaslPrep("\xe2\x85\xa8"), "IX");
  EXPECT_EQ(SaslPrep("\x07"), std::nullopt);
  EXPECT_EQ(SaslPrep("\xd8\xa7\x31"), std::nullopt);
  EXPECT_EQ(SaslPrep("\xff"), std::nullopt) << "not UTF-8";
  EXPECT_EQ(SaslPrep(""), "");
  EXPECT_EQ(SaslPrep("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80") << "younger than Unicode 3.2";
}

}  // namespace
}  // namespace protocol_test
