#include "server/auth/authenticator.h"

#include "protocol/sasl/scram_crypto.h"
#include "protocol/text/base64.h"
#include "server/auth/mechanism.h"
#include "server/auth/password_hash.h"
#include "server/auth/password_record.h"
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
  Authenticator authenticator_{*store_, pool_, pool_, clock_, {.max_delay = {}}};
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
  Authenticator auth(*store_, pool_, pool_, clock_, {.max_delay = {}}, ActFor({"tel:+1555*"}));
  const auto check = [&](std::string_view login, std::string_view password, std::string_view act_as) {
    return Run(auth.CheckFor(login, password, act_as, peer_));
  };
  for (const auto* user : {"+15550100111", "user1@example.com"}) {  // an alias is the same account
    const auto result = check("pf@example.com", "secret", user);
    EXPECT_EQ(result.verdict, Verdict::kAccepted) << user;
    EXPECT_EQ(result.account.id, id_);
    EXPECT_EQ(result.actor.id, pf_id);
  }
  for (const auto* user : {"+4912345", "+15550100999", "+49000", "no address at all"})
    EXPECT_EQ(check("pf@example.com", "secret", user).verdict, Verdict::kNotAllowed) << user;
  EXPECT_EQ(check("pf@example.com", "secret", "sip:pf@Example.com").account.id, pf_id) << "itself";
  EXPECT_EQ(check("pf@example.com", "wrong", "+15550100111").verdict, Verdict::kRefused);
  EXPECT_EQ(check("+15550100111", "secret", "+15550100112").verdict, Verdict::kNotAllowed) << "a user";
  ASSERT_TRUE(store_->SetStatus(id_, storage::AccountStatus::kDisabled));
  EXPECT_EQ(check("pf@example.com", "secret", "+15550100111").verdict, Verdict::kNotAllowed);
  // The PF's own patterns, from the moment that they are there.
  ASSERT_TRUE(store_->ChangeActFor(pf_id, {"tel:+49*"}, {}));
  EXPECT_EQ(check("pf@example.com", "secret", "+4912345").verdict, Verdict::kAccepted);
  ASSERT_TRUE(store_->ChangeActFor(pf_id, {}, {"tel:+49*"}));
  EXPECT_EQ(check("pf@example.com", "secret", "+4912345").verdict, Verdict::kNotAllowed);
  // Without a pattern, nobody.
  EXPECT_EQ(Run(authenticator_.CheckFor("pf@example.com", "secret", "+15550100111", peer_)).verdict,
            Verdict::kNotAllowed);
}

// Patterns are of accounts: neither an alias nor another spelling brings one in whose address matches none.
TEST_F(AuthenticatorTest, AnAliasWithinAPatternLeadsToNoAccountOutsideIt) {
  storage::NewAccount pf;
  pf.address = "sip:pf@example.com";
  pf.role = storage::Role::kPf;
  pf.password_hash = Hash("secret");
  ASSERT_TRUE(store_->CreateAccount(pf));
  const auto verdict = [&](const ActFor& allowed, std::string_view act_as) {
    Authenticator auth(*store_, pool_, pool_, clock_, {.max_delay = {}}, allowed);
    return Run(auth.CheckFor("pf@example.com", "secret", act_as, peer_)).verdict;
  };
  const ActFor by_alias({"sip:user1@example.com", "sip:*@example.com"});
  for (const auto* user : {"sip:user1@example.com", "user1@example.com", "SIP:user1@EXAMPLE.com",
                           "sip:user1@example.com;transport=tcp", "sip:%75ser1@example.com", "+15550100111",
                           "tel:+1-555-010-0111", "sip:+15550100111@example.com;user=phone"})
    EXPECT_EQ(verdict(by_alias, user), Verdict::kNotAllowed) << user;
  // By its own address it is allowed in each of its spellings.
  const ActFor by_address({"tel:+15550100111"});
  for (const auto* user : {"tel:+1-555-010-0111", "+1 (555) 010-0111", "user1@EXAMPLE.com"})
    EXPECT_EQ(verdict(by_address, user), Verdict::kAccepted) << user;
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

TEST_F(AuthenticatorTest, TooManyWrongPasswordsLockOutTheRightOneToo) {
  for (const auto* login : {"+15550100111", "+15550100112"}) {
    for (int i = 0; i < 10; ++i) EXPECT_EQ(Check(login, "wrong").verdict, Verdict::kRefused);
    const auto locked = Check(login, "secret");
    EXPECT_EQ(locked.verdict, Verdict::kLockedOut) << login << ": an unknown name, too";
    EXPECT_EQ(locked.locked_for, std::chrono::seconds(300));
  }
  // SCRAM is the same password.
  auto claim = Run(authenticator_.FindScram("+15550100111", protocol::sasl::ScramHash::kSha256));
  EXPECT_EQ(Run(authenticator_.ConcludeScram("+15550100111", claim->account, {}, peer_)).verdict,
            Verdict::kLockedOut);
  // A certificate is none, and from elsewhere nothing has happened.
  EXPECT_EQ(Run(authenticator_.CheckIdentities({"tel:+15550100111"}, {}, peer_)).verdict, Verdict::kAccepted);
  const auto elsewhere = server::asio::ip::make_address("192.0.3.1");
  EXPECT_EQ(Run(authenticator_.Check("+15550100111", "secret", elsewhere)).verdict, Verdict::kAccepted);
  clock_.Advance(std::chrono::seconds(300));
  EXPECT_EQ(Check("+15550100111", "secret").verdict, Verdict::kAccepted);
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
    std::ranges::sort(methods_);
    return methods_;
  }

  std::vector<std::string> methods_;  // written on the pool while the test waits for it
  Authenticator counting_{*store_,
                          pool_,
                          pool_,
                          clock_,
                          {.max_delay = {}},
                          ActFor(),
                          [this](const std::string& hash, std::string_view /*password*/) {
                            methods_.push_back(hash.substr(0, hash.find('$', 1) + 1));
                            return false;
                          }};
};

TEST_F(RefusalWorkTest, IsOneHashOfEachKindForAnyNameAndPassword) {
  storage::NewAccount none;
  none.address = "tel:+15550100222";
  ASSERT_TRUE(store_->CreateAccount(none));
  storage::NewAccount imported;
  imported.address = "tel:+15550100333";
  imported.password_hash =
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjlO/O817G3uBnIFNjnQJuesI68OTLiBFdcbYEdFCoEOfaS35inz1";
  ASSERT_TRUE(store_->CreateAccount(imported));
  const std::vector<std::string> each = {"$6$", "$argon2id$"};
  EXPECT_EQ(WorkOf("+15550100111", "wrong"), each) << "wrong password";
  EXPECT_EQ(WorkOf("+15550100112", "wrong"), each) << "unknown name";
  EXPECT_EQ(WorkOf("no address at all", "wrong"), each) << "no name";
  EXPECT_EQ(WorkOf("+15550100222", "wrong"), each) << "no password set";
  EXPECT_EQ(WorkOf("+15550100333", "wrong"), each) << "imported hash";
  // The dearest that can be imported are no dearer than what stands for them (PasswordHashTest has the
  // limits).
  storage::NewAccount dear;
  dear.address = "tel:+15550100444";
  dear.password_hash = "$6$rounds=5000$saltstringsaltst$" + std::string(86, 'x');
  ASSERT_TRUE(IsAcceptable(dear.password_hash));
  ASSERT_TRUE(store_->CreateAccount(dear));
  EXPECT_EQ(WorkOf("+15550100444", "wrong"), each) << "the dearest imported hash";
}

/// SCRAM-SHA-256, from the client's side as well.
class ScramMechanismTest : public AuthenticatorTest {
 protected:
  ScramMechanismTest() {
    EXPECT_TRUE(store_->SetPasswordHash(id_, MakeRecord("secret", scram_)));
    storage::NewAccount pf;
    pf.address = "sip:pf@example.com";
    pf.role = storage::Role::kPf;
    pf.password_hash = MakeRecord("secret", scram_);
    pf_id_ = store_->CreateAccount(pf).value();
  }

  Progress Next(Mechanism& mechanism, std::optional<std::string> response) {
    return Run(mechanism.Next(std::move(response)));
  }
  static std::string TextOf(const Progress& progress) {
    const auto* challenge = std::get_if<protocol::sasl::Challenge>(&progress);
    return challenge ? challenge->octets : "(none)";
  }

  struct Outcome {
    Login login;
    bool server_proved = false;
  };
  /// `header`: "n,,"; `bound`: the octets after it in "c=".
  Outcome LogIn(const std::string& mechanism_name, const std::string& name, const std::string& password,
                const std::string& header = "n,,", const std::string& bound = "") {
    using namespace protocol::sasl;
    Channel channel{peer_, {}};
    channel.ends.exporter = exporter_;
    const auto mechanism = StartMechanism(mechanism_name, auth_, channel);
    const std::string bare = "n=" + name + ",r=client";
    const auto challenge = Next(*mechanism, header + bare);
    if (const auto* login = std::get_if<Login>(&challenge)) return {*login};
    server_first_ = TextOf(challenge);
    const auto salt_at = server_first_.find(",s=") + 3;
    const auto count_at = server_first_.find(",i=");
    const auto salt = protocol::text::DecodeBase64(server_first_.substr(salt_at, count_at - salt_at));
    EXPECT_TRUE(salt);
    const auto salted = Stretch(ScramHash::kSha256, password, *salt,
                                static_cast<std::uint32_t>(std::stoul(server_first_.substr(count_at + 3))));
    const auto without_proof = "c=" + protocol::text::EncodeBase64(header + bound) + "," +
                               server_first_.substr(0, server_first_.find(','));
    const auto message = bare + "," + server_first_ + "," + without_proof;
    std::string proof = Hmac(ScramHash::kSha256, salted, "Client Key");
    const auto signature = Hmac(ScramHash::kSha256, Digest(ScramHash::kSha256, proof), message);
    for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= signature[i];
    auto last = Next(*mechanism, without_proof + ",p=" + protocol::text::EncodeBase64(proof));
    if (const auto* login = std::get_if<Login>(&last)) return {*login};
    const auto server_key = Hmac(ScramHash::kSha256, salted, "Server Key");
    const bool proved =
        TextOf(last) == "v=" + protocol::text::EncodeBase64(Hmac(ScramHash::kSha256, server_key, message));
    last = Next(*mechanism, "");
    const auto* login = std::get_if<Login>(&last);
    EXPECT_NE(login, nullptr);
    return {login ? *login : Login(), proved};
  }
  Verdict VerdictOn(const std::string& name, const std::string& password, const std::string& header = "n,,") {
    return LogIn("SCRAM-SHA-256", name, password, header).login.verdict;
  }
  /// The challenge without the nonce, which differs each time.
  std::string Salt(const std::string& name) {
    LogIn("SCRAM-SHA-256", name, "wrong");
    return server_first_.substr(server_first_.find(",s="));
  }

  const ScramOptions scram_{.iterations = 4096, .secret = "a secret of the store"};
  Authenticator auth_{*store_, pool_, pool_, clock_, {.max_delay = {}}, ActFor({"tel:+1555*"}),
                      Verify,  scram_};
  storage::AccountId pf_id_;
  std::string exporter_;
  std::string server_first_;
};

TEST_F(ScramMechanismTest, BothSidesProveThatTheyKnowThePassword) {
  for (const auto* login : {"tel:+15550100111", "user1@EXAMPLE.com"}) {
    const auto outcome = LogIn("SCRAM-SHA-256", login, "secret");
    EXPECT_EQ(outcome.login.verdict, Verdict::kAccepted) << login;
    EXPECT_EQ(outcome.login.account.id, id_);
    EXPECT_TRUE(outcome.server_proved);
  }
}

TEST_F(ScramMechanismTest, ThePasswordStillDoesForPlain) {
  EXPECT_EQ(Check("+15550100111", "secret").verdict, Verdict::kAccepted);
  EXPECT_EQ(Check("+15550100111", "wrong").verdict, Verdict::kRefused);
}

TEST_F(ScramMechanismTest, WrongPasswordsUnknownNamesAndAccountsOfBeforeAreTheSame) {
  ASSERT_TRUE(store_->CreateAccount({.address = "tel:+15550100333", .password_hash = Hash("secret")}));
  EXPECT_EQ(VerdictOn("+15550100111", "wrong"), Verdict::kRefused);
  EXPECT_EQ(VerdictOn("+15550100222", "secret"), Verdict::kRefused) << "nobody";
  EXPECT_EQ(VerdictOn("no address", "secret"), Verdict::kRefused);
  EXPECT_EQ(VerdictOn("+15550100333", "secret"), Verdict::kRefused) << "its password is of before SCRAM";
  const auto known = Salt("+15550100111");
  for (const auto* name : {"+15550100222", "no address", "+15550100333"}) {
    EXPECT_EQ(Salt(name).size(), known.size()) << name;
    EXPECT_EQ(Salt(name), Salt(name)) << "a salt that changes tells that there is none";
  }
  EXPECT_NE(Salt("+15550100222"), Salt("+15550100223"));
  EXPECT_EQ(Salt("+1 555 010-0222"), Salt("tel:+15550100222")) << "another spelling of the name";
}

TEST_F(ScramMechanismTest, AnAuthorizationIdentityFollowsTheRuleOfPlain) {
  const auto outcome = LogIn("SCRAM-SHA-256", "pf@example.com", "secret", "n,a=user1@example.com,");
  EXPECT_EQ(outcome.login.verdict, Verdict::kAccepted);
  EXPECT_EQ(outcome.login.account.id, id_);
  EXPECT_EQ(outcome.login.actor.id, pf_id_);
  EXPECT_EQ(VerdictOn("pf@example.com", "secret", "n,a=+4912345,"), Verdict::kNotAllowed);
  EXPECT_EQ(VerdictOn("+15550100111", "secret", "n,a=pf@example.com,"), Verdict::kNotAllowed);
  EXPECT_EQ(VerdictOn("+15550100111", "secret", "n,a=tel:+1-555-010-0111,"), Verdict::kAccepted) << "itself";
  EXPECT_EQ(VerdictOn("+15550100111", "secret", "n,a=user1@example.com,"), Verdict::kAccepted) << "its alias";
}

TEST_F(ScramMechanismTest, ADisabledAccountIsToldSoOnlyWithItsPassword) {
  ASSERT_TRUE(store_->SetStatus(id_, storage::AccountStatus::kDisabled));
  EXPECT_EQ(VerdictOn("+15550100111", "wrong"), Verdict::kRefused);
  EXPECT_EQ(VerdictOn("+15550100111", "secret"), Verdict::kDisabled);
}

TEST_F(ScramMechanismTest, PlusIsBoundToTheConnection) {
  exporter_ = "octets of this connection";
  const auto bind = [&](const std::string& bound) {
    return LogIn("SCRAM-SHA-256-PLUS", "+15550100111", "secret", "p=tls-exporter,,", bound).login.verdict;
  };
  EXPECT_EQ(bind(exporter_), Verdict::kAccepted);
  EXPECT_EQ(bind("octets of the attacker's"), Verdict::kNotBound);
  EXPECT_EQ(VerdictOn("+15550100111", "secret", "y,,"), Verdict::kNotBound) << "who took -PLUS off the list?";
  EXPECT_EQ(VerdictOn("+15550100111", "secret", "n,,"), Verdict::kAccepted);
}

TEST_F(ScramMechanismTest, AnExchangeThatIsOverStaysSo) {
  const auto mechanism = StartMechanism("scram-sha-256", auth_, {peer_, {}});
  EXPECT_EQ(TextOf(Next(*mechanism, std::nullopt)), "");
  EXPECT_TRUE(std::holds_alternative<protocol::sasl::Fault>(Next(*mechanism, "nonsense")));
  EXPECT_TRUE(std::holds_alternative<protocol::sasl::Fault>(Next(*mechanism, "n,,n=user1@example.com,r=x")));
}

TEST_F(ScramMechanismTest, Sha1HasKeysOnlyIfItIsOn) {
  using protocol::sasl::ScramHash;
  EXPECT_FALSE(ScramKeysIn(MakeRecord("secret", scram_), ScramHash::kSha1));
  const auto both = MakeRecord("secret", {.iterations = 4096, .sha1 = true, .secret = {}});
  EXPECT_TRUE(ScramKeysIn(both, ScramHash::kSha1));
  EXPECT_TRUE(ScramKeysIn(both, ScramHash::kSha256));
  EXPECT_TRUE(Verify(std::string(HashIn(both)), "secret"));
}

/// EXTERNAL, with what a certificate says.
class ExternalMechanismTest : public ScramMechanismTest {
 protected:
  Login External(std::vector<std::string> uris, const std::string& authzid) {
    Channel channel{peer_, {}};
    channel.ends.client_certificate = true;
    channel.ends.client_uris = std::move(uris);
    const auto mechanism = StartMechanism("EXTERNAL", auth_, std::move(channel));
    EXPECT_EQ(TextOf(Next(*mechanism, std::nullopt)), "");
    const auto end = Next(*mechanism, authzid);
    const auto* login = std::get_if<Login>(&end);
    EXPECT_NE(login, nullptr);
    return login ? *login : Login();
  }
};

TEST_F(ExternalMechanismTest, TheCertificateNamesTheAccount) {
  for (const auto* uri : {"tel:+15550100111", "sip:user1@Example.com"}) {
    EXPECT_EQ(External({uri}, "").account.id, id_) << uri;
    EXPECT_EQ(External({uri}, "+1 555 0100111").verdict, Verdict::kAccepted) << uri;
  }
  EXPECT_EQ(External({"https://example.com/", "urn:x", "tel:+15550100111"}, "").account.id, id_);
  EXPECT_EQ(External({"tel:+15550100999"}, "").verdict, Verdict::kRefused) << "no such account";
  EXPECT_EQ(External({}, "").verdict, Verdict::kRefused);
  EXPECT_EQ(External({}, "+15550100111").verdict, Verdict::kRefused);
}

TEST_F(ExternalMechanismTest, AnAuthorizationIdentityFollowsTheRuleOfPlain) {
  const auto outcome = External({"sip:pf@example.com"}, "user1@example.com");
  EXPECT_EQ(outcome.verdict, Verdict::kAccepted);
  EXPECT_EQ(outcome.account.id, id_);
  EXPECT_EQ(outcome.actor.id, pf_id_);
  EXPECT_EQ(External({"sip:pf@example.com"}, "+4912345").verdict, Verdict::kNotAllowed);
  EXPECT_EQ(External({"tel:+15550100111"}, "pf@example.com").verdict, Verdict::kNotAllowed);
  EXPECT_EQ(External({"tel:+15550100111", "sip:pf@example.com"}, "sip:pf@example.com").account.id, pf_id_);
  ASSERT_TRUE(store_->SetStatus(id_, storage::AccountStatus::kDisabled));
  EXPECT_EQ(External({"tel:+15550100111"}, "").verdict, Verdict::kDisabled);
}

TEST_F(ExternalMechanismTest, AnIdentityWithNulIsMalformed) {
  const auto mechanism = StartMechanism("EXTERNAL", auth_, {peer_, {}});
  EXPECT_TRUE(std::holds_alternative<protocol::sasl::Fault>(Next(*mechanism, std::string("a\0b", 3))));
}

}  // namespace
}  // namespace server_test
