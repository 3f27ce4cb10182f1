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

}  // namespace
}  // namespace server_test
