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
