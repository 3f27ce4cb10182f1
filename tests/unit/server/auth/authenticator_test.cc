#include "server/auth/authenticator.h"

#include "server/auth/password_hash.h"
#include "storage/kv/memory_engine.h"
#include "tests/unit/server/net/stream_fixture.h"

namespace server_test {
namespace {

using namespace server::auth;

class AuthenticatorTest : public ReactorTest {
 protected:
  AuthenticatorTest() {
    storage::NewAccount account;
    account.address = "tel:+15550100111";
    account.aliases = {"sip:user1@example.com"};
    account.password_hash = Hash("secret");
    id_ = store_->CreateAccount(account).value();
  }

  Login Check(std::string_view login, std::string_view password) {
    return Run(authenticator_.Check(login, password, peer_));
  }

  std::unique_ptr<storage::kv::Engine> engine_ = storage::kv::NewMemoryEngine();
  std::unique_ptr<storage::MailStore> store_ = std::move(storage::MailStore::Open(*engine_, {})).value();
  server::net::StorageExecutor pool_{{.threads = 2}};
  Authenticator authenticator_{*store_, pool_, pool_, clock_, std::chrono::milliseconds(0)};
  server::asio::ip::address peer_ = server::asio::ip::make_address("192.0.2.1");
  storage::AccountId id_;
};

TEST_F(AuthenticatorTest, EveryFormOfTheAddressLogsIn) {
  for (const auto* login :
       {"tel:+15550100111", "+15550100111", "user1@example.com", "sip:user1@EXAMPLE.com"}) {
    const auto result = Check(login, "secret");
    EXPECT_EQ(result.verdict, Verdict::kAccepted) << login;
    EXPECT_EQ(result.account.id, id_) << login;
  }
}

TEST_F(AuthenticatorTest, ANetworkElementActsForTheUsersItMay) {
  storage::NewAccount pf;
  pf.address = "sip:pf@example.com";
  pf.role = storage::Role::kPf;
  pf.password_hash = Hash("secret");
  const auto pf_id = store_->CreateAccount(pf).value();
  ASSERT_TRUE(store_->CreateAccount({.address = "tel:+4912345"}));
  Authenticator auth(*store_, pool_, pool_, clock_, std::chrono::milliseconds(0), ActFor({"tel:+1555*"}));
  const auto check = [&](std::string_view login, std::string_view password, std::string_view act_as) {
    return Run(auth.CheckFor(login, password, act_as, peer_));
  };
  for (const auto* user : {"+15550100111", "user1@example.com"}) {  // an alias is the same account
    const auto result = check("pf@example.com", "secret", user);
    EXPECT_EQ(result.verdict, Verdict::kAccepted) << user;
    EXPECT_EQ(result.account.id, id_);
    EXPECT_EQ(result.actor.id, pf_id);
  }
  for (const auto* user : {"+4912345", "+15550100999", "+49000", "no address at all", "pf@example.com"})
    EXPECT_EQ(check("pf@example.com", "secret", user).verdict, Verdict::kNotAllowed) << user;
  EXPECT_EQ(check("pf@example.com", "wrong", "+15550100111").verdict, Verdict::kRefused);
  EXPECT_EQ(check("+15550100111", "secret", "+15550100112").verdict, Verdict::kNotAllowed) << "a user";
  ASSERT_TRUE(store_->SetStatus(id_, storage::AccountStatus::kDisabled));
  EXPECT_EQ(check("pf@example.com", "secret", "+15550100111").verdict, Verdict::kNotAllowed);
  // Without a pattern, nobody.
  EXPECT_EQ(Run(authenticator_.CheckFor("pf@example.com", "secret", "+15550100111", peer_)).verdict,
            Verdict::kNotAllowed);
}

TEST(ActForTest, Patterns) {
  const ActFor some({"tel:+1555*", "sip:*@example.com", "sip:a*b*c@x"});
  for (const auto* yes : {"tel:+1555", "tel:+15550100", "sip:@example.com", "sip:a@b@example.com",
                          "sip:abc@x", "sip:axbybxc@x"})
    EXPECT_TRUE(some.Allows(yes)) << yes;
  for (const auto* no :
       {"tel:+155", "tel:1555", "sip:a@example.com.evil", "sip:a@example.org", "sip:ac@x", ""})
    EXPECT_FALSE(some.Allows(no)) << no;
  EXPECT_FALSE(ActFor().Allows("tel:+1"));
  EXPECT_TRUE(ActFor({"*"}).Allows("tel:+1"));
}

TEST_F(AuthenticatorTest, WrongPasswordsAndUnknownNamesAreTheSame) {
  EXPECT_EQ(Check("+15550100111", "Secret").verdict, Verdict::kRefused);
  EXPECT_EQ(Check("+15550100111", "").verdict, Verdict::kRefused);
  EXPECT_EQ(Check("+15550100112", "secret").verdict, Verdict::kRefused);
  EXPECT_EQ(Check("no address at all", "secret").verdict, Verdict::kRefused);
  EXPECT_EQ(Check("", "").verdict, Verdict::kRefused);
}

TEST_F(AuthenticatorTest, AnAccountWithoutAPasswordRefusesAll) {
  storage::NewAccount account;
  account.address = "tel:+15550100222";
  ASSERT_TRUE(store_->CreateAccount(account));
  EXPECT_EQ(Check("+15550100222", "").verdict, Verdict::kRefused);
  EXPECT_EQ(Check("+15550100222", "secret").verdict, Verdict::kRefused);
}

TEST_F(AuthenticatorTest, ADisabledAccountIsToldSoOnlyWithItsPassword) {
  ASSERT_TRUE(store_->SetStatus(id_, storage::AccountStatus::kDisabled));
  EXPECT_EQ(Check("+15550100111", "wrong").verdict, Verdict::kRefused);
  EXPECT_EQ(Check("+15550100111", "secret").verdict, Verdict::kDisabled);
}

TEST_F(AuthenticatorTest, AChangedPasswordIsChangedAtOnceDespiteTheCache) {
  EXPECT_EQ(Check("+15550100111", "secret").verdict, Verdict::kAccepted);
  ASSERT_TRUE(store_->SetPasswordHash(id_, Hash("new")));
  EXPECT_EQ(Check("+15550100111", "secret").verdict, Verdict::kRefused);
  EXPECT_EQ(Check("+15550100111", "new").verdict, Verdict::kAccepted);
}

// Whoever measures how long a refusal takes must not learn who has an account: the work is the same.

class RefusalWorkTest : public AuthenticatorTest {
 protected:
  /// The methods of the hashes that one refused login computes.
  std::vector<std::string> WorkOf(std::string_view login, std::string_view password) {
    methods_.clear();
    const auto result = Run(counting_.Check(login, password, peer_));
    EXPECT_EQ(result.verdict, Verdict::kRefused);
    return methods_;
  }

  std::vector<std::string> methods_;  // written on the pool while the test waits for it
  Authenticator counting_{*store_,
                          pool_,
                          pool_,
                          clock_,
                          std::chrono::milliseconds(0),
                          ActFor(),
                          [this](const std::string& hash, std::string_view /*password*/) {
                            methods_.push_back(hash.substr(0, hash.find('$', 1) + 1));
                            return false;
                          }};
};

TEST_F(RefusalWorkTest, IsOneArgon2idForAnyNameAndPassword) {
  storage::NewAccount none;
  none.address = "tel:+15550100222";
  ASSERT_TRUE(store_->CreateAccount(none));
  const std::vector<std::string> one_argon2id = {"$argon2id$"};
  EXPECT_EQ(WorkOf("+15550100111", "wrong"), one_argon2id) << "wrong password";
  EXPECT_EQ(WorkOf("+15550100112", "wrong"), one_argon2id) << "unknown name";
  EXPECT_EQ(WorkOf("no address at all", "wrong"), one_argon2id) << "no name";
  EXPECT_EQ(WorkOf("+15550100222", "wrong"), one_argon2id) << "no password set";
}

TEST_F(RefusalWorkTest, OfAnImportedHashIncludesAnArgon2id) {
  storage::NewAccount imported;
  imported.address = "tel:+15550100333";
  imported.password_hash =
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1";
  ASSERT_TRUE(store_->CreateAccount(imported));
  EXPECT_EQ(WorkOf("+15550100333", "wrong"), (std::vector<std::string>{"$6$", "$argon2id$"}));
}

}  // namespace
}  // namespace server_test
