#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/auth/password_cache.h"
#include "server/auth/password_hash.h"

namespace server_test {
namespace {

using namespace std::chrono_literals;
using namespace server::auth;
using boost::asio::ip::make_address;

TEST(PasswordHashTest, AHashMatchesItsPasswordOnly) {
  const auto hash = Hash("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$")) << hash;
  EXPECT_TRUE(IsAcceptable(hash));
  EXPECT_TRUE(Verify(hash, "correct horse"));
  EXPECT_FALSE(Verify(hash, "correct horse "));
  EXPECT_FALSE(Verify(hash, ""));
}

TEST(PasswordHashTest, TheSamePasswordHashesDifferentlyEachTime) { EXPECT_NE(Hash("x"), Hash("x")); }

// From the specification of SHA-crypt, "Test vectors".
TEST(PasswordHashTest, Sha512CryptVectorsMatch) {
  EXPECT_TRUE(Verify(
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
      "Hello world!"));
  EXPECT_TRUE(Verify(
      "$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/"
      "YTBmSK6H9qs/y3RnOaw5v.",
      "Hello world!"))
      << "no longer acceptable, but there may be some in the store";
  EXPECT_FALSE(Verify(
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
      "Hello world"));
}

TEST(PasswordHashTest, AnEmbeddedNulDoesNotShortenAPassword) {
  using namespace std::string_view_literals;
  EXPECT_FALSE(Verify(
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
      "Hello world!\0more"sv));
}

TEST(PasswordHashTest, PasswordsOverTheLimitAreRefused) {
  const std::string longest(kMaxPassword, 'x');
  EXPECT_TRUE(Verify(Hash(longest), longest));
  EXPECT_FALSE(Verify(Hash(longest + "x"), longest + "x"));
}

// The bound on Argon2's memory, and that a refusal's time tells nothing, rest on this.
TEST(PasswordHashTest, NoneThatIsDearerThanNobodysIsTaken) {
  const auto argon2 = [](unsigned kib, unsigned passes) {
    return fmt::format("$argon2id$v=19$m={},t={},p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA", kib, passes);
  };
  const auto sha512 = [](std::string_view rounds) {
    return fmt::format("$6${}saltstringsaltst${}", rounds, std::string(86, 'x'));
  };
  for (const auto& [kib, passes] :
       {std::pair(19456U, 2U), {12288U, 3U}, {9216U, 4U}, {2432U, 16U}, {19456U, 1U}})
    EXPECT_TRUE(IsAcceptable(argon2(kib, passes))) << kib << ' ' << passes;
  for (const auto& [kib, passes] :
       {std::pair(19457U, 1U), {19456U, 3U}, {12972U, 3U}, {2433U, 16U}, {8U, 17U}, {65536U, 4U}})
    EXPECT_FALSE(IsAcceptable(argon2(kib, passes))) << kib << ' ' << passes;
  EXPECT_TRUE(IsAcceptable(sha512("")));
  EXPECT_TRUE(IsAcceptable(sha512("rounds=5000$")));
  EXPECT_FALSE(IsAcceptable(sha512("rounds=5001$")));
  EXPECT_TRUE(IsAcceptable(NobodysImportedHash()));
  EXPECT_EQ(NobodysImportedHash().find('$', 3), 3U + 16U)
      << "the longest salt, and no rounds but the default";
}

TEST(PasswordHashTest, NobodysHashIsCheckableAndOfTheUsualCost) {
  EXPECT_TRUE(IsAcceptable(NobodysHash()));
  EXPECT_TRUE(NobodysHash().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
}

struct HashCase {
  const char* name;
  const char* hash;
};
class UnacceptableHash : public testing::TestWithParam<HashCase> {};
TEST_P(UnacceptableHash, IsRefusedWithoutHashing) {
  EXPECT_FALSE(IsAcceptable(GetParam().hash));
  EXPECT_FALSE(Verify(GetParam().hash, "x"));
}
INSTANTIATE_TEST_SUITE_P(
    Hashes, UnacceptableHash,
    testing::Values(HashCase{"Empty", ""}, HashCase{"Plain", "secret"},
                    HashCase{"Md5", "$1$salt$qJH7.N4xYta3aEG/dfqo/0"},
                    HashCase{"Argon2i", "$argon2i$v=19$m=4096,t=3,p=1$c2FsdHNhbHQ$aGFzaA"},
                    HashCase{"TooMuchMemory", "$argon2id$v=19$m=4194304,t=1,p=1$c2FsdHNhbHQ$aGFzaA"},
                    HashCase{"TooManyPasses", "$argon2id$v=19$m=4096,t=1000,p=1$c2FsdHNhbHQ$aGFzaA"},
                    HashCase{"Lanes", "$argon2id$v=19$m=4096,t=1,p=4$c2FsdHNhbHQ$aGFzaA"},
                    HashCase{"OldVersion", "$argon2id$v=16$m=4096,t=1,p=1$c2FsdHNhbHQ$aGFzaA"},
                    HashCase{"Truncated", "$argon2id$v=19$m=4096"},
                    HashCase{"TooManyRounds",
                             "$6$rounds=999999999$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
                             "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"},
                    HashCase{"ShortSha", "$6$saltstring$svn8Uo"}, HashCase{"Space", "$6$salt string$x"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PasswordCacheTest, APairIsRememberedForAMinute) {
  server::FakeClock clock;
  PasswordCache cache(clock);
  EXPECT_FALSE(cache.Contains("hash", "password"));
  cache.Remember("hash", "password");
  EXPECT_TRUE(cache.Contains("hash", "password"));
  EXPECT_FALSE(cache.Contains("hash", "passwore"));
  EXPECT_FALSE(cache.Contains("hasi", "password")) << "a changed password is another hash";
  EXPECT_FALSE(cache.Contains("hashp", "assword"));
  clock.Advance(PasswordCache::kLifetime);
  EXPECT_FALSE(cache.Contains("hash", "password"));
}

TEST(PasswordCacheTest, ItsSizeIsBounded) {
  server::FakeClock clock;
  PasswordCache cache(clock);
  for (std::size_t i = 0; i < PasswordCache::kMaxEntries + 10; ++i) cache.Remember("hash", std::to_string(i));
  EXPECT_LE(cache.size(), PasswordCache::kMaxEntries);
}

}  // namespace
}  // namespace server_test
