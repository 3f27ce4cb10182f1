// Authorised URLs against forgery: none that was changed is redeemed (RFC 4467 §6).
#include "server/references/url_authority.h"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "protocol/model/ascii.h"
#include "server/references/part_reader.h"
#include "server/references/url_token.h"
#include "tests/support/counting_engine.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace server::references {
namespace {

using tests::Must;

class UrlAuthorityTest : public testing::Test {
 protected:
  UrlAuthorityTest() {
    Must(tests::Append(*store, owner, "INBOX", {"A: b\r\n\r\nc\r\n"}));
    Must(tests::Append(*store, other, "INBOX", {"A: b\r\n\r\nc\r\n"}));
  }
  std::string Authorise(const std::string& asked) {
    auto authorised = Must(authority.Authorise(asked, {owner}));
    EXPECT_EQ(authorised.refusal, "");
    return authorised.url;
  }
  bool Redeems(std::string_view url, storage::AccountId who) {
    return Must(authority.Look(url, {who})).has_value();
  }

  tests::TempStore store;
  storage::AccountId owner = tests::CreateAccount(*store, "tel:+1555");
  storage::AccountId other = tests::CreateAccount(*store, "tel:+1666");
  FakeClock clock;
  UrlPolicy policy{.host = "cms.example.net", .authuser = true, .anonymous = true};
  UrlAuthority authority{*store, policy, clock};
  const std::string rump =
      "imap://tel%3A+1555@cms.example.net/INBOX/;UID=1/"
      ";SECTION=1;EXPIRE=2023-11-15T00:00:00Z;URLAUTH=user+tel%3A+1666";
};

TEST(UrlToken, IsAVersionAndAMac) {
  // RFC 4231 §4.3, test case 2.
  EXPECT_EQ(UrlToken("Jefe", "what do ya want for nothing?"),
            "015bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_TRUE(IsUrlToken(UrlToken("k", "r"), "k", "r"));
  EXPECT_FALSE(IsUrlToken(UrlToken("k", "r"), "l", "r"));
  EXPECT_FALSE(IsUrlToken(UrlToken("k", "r"), "k", "s"));
  EXPECT_FALSE(IsUrlToken(UrlToken("k", "r") + "0", "k", "r"));
  EXPECT_FALSE(IsUrlToken("", "k", "r"));
  // Without a key it is none that was used before.
  EXPECT_EQ(UrlToken("", ""), "01b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  EXPECT_NE(NewUrlKey(), NewUrlKey());
  EXPECT_EQ(NewUrlKey().size(), 32U);
}

TEST_F(UrlAuthorityTest, RedeemsWhatItAuthorised) {
  const std::string url = Authorise(rump);
  EXPECT_TRUE(Redeems(url, other));
  EXPECT_FALSE(Redeems(url, owner));
}

TEST_F(UrlAuthorityTest, NoUrlWithAFlippedBitIsRedeemed) {
  const std::string url = Authorise(rump);
  const std::size_t mechanism = url.rfind(":INTERNAL:") + 1;
  for (std::size_t i = 0; i < url.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = url;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      // The mechanism's name alone may be spelled in any case (RFC 4467 §9).
      if (i >= mechanism && i < mechanism + 8 && protocol::ascii::EqualNoCase(changed, url)) continue;
      EXPECT_FALSE(Redeems(changed, other) || Redeems(changed, owner)) << changed;
    }
  }
}

TEST_F(UrlAuthorityTest, NoUrlThatWasCutOrPiecedTogetherIsRedeemed) {
  const std::string url = Authorise(rump);
  const std::string open = Authorise("imap://tel%3A+1555@cms.example.net/INBOX/;UID=1;URLAUTH=anonymous");
  for (std::size_t i = 0; i < url.size(); ++i) {
    EXPECT_FALSE(Redeems(url.substr(0, i), other)) << i;
    for (const char c : {'0', 'a', '/', ';', ':', '%'})
      EXPECT_FALSE(Redeems(url.substr(0, i) + c + url.substr(i), other)) << i << c;
    // Another's token, and another's end.
    const std::string spliced = url.substr(0, i) + open.substr(std::min(i, open.size()));
    if (spliced != open) EXPECT_FALSE(Redeems(spliced, other)) << spliced;
  }
  EXPECT_FALSE(Redeems(rump + open.substr(open.rfind(":INTERNAL:")), other));
}

TEST_F(UrlAuthorityTest, AnotherUsersKeyOpensNothing) {
  const auto key_of = [&](storage::AccountId account) {
    return Must(store->UrlKey(Must(store->GetFolder(account, "INBOX")).ref, NewUrlKey()));
  };
  // Both have keys; the other's makes good URLs of the other's own.
  ASSERT_TRUE(Redeems(rump + ":INTERNAL:" + UrlToken(key_of(owner), rump), other));
  std::string theirs = rump;
  theirs.replace(theirs.find("1555"), 4, "1666");
  ASSERT_TRUE(Redeems(theirs + ":INTERNAL:" + UrlToken(key_of(other), theirs), other));
  EXPECT_FALSE(Redeems(rump + ":INTERNAL:" + UrlToken(key_of(other), rump), other));
  EXPECT_FALSE(Redeems(theirs + ":INTERNAL:" + UrlToken(key_of(owner), theirs), other));
}

TEST_F(UrlAuthorityTest, NoKeyIsNoKeyToForgeWith) {
  for (const std::string& key : {std::string(), std::string(32, '\0')})
    EXPECT_FALSE(Redeems(rump + ":INTERNAL:" + UrlToken(key, rump), other));
  Authorise(rump);
  for (const std::string& key : {std::string(), std::string(32, '\0')})
    EXPECT_FALSE(Redeems(rump + ":INTERNAL:" + UrlToken(key, rump), other));
}

TEST_F(UrlAuthorityTest, AMailboxMadeAgainUnderTheNameIsAnother) {
  Must(store->CreateFolder(owner, "a", {}));
  Must(tests::Append(*store, owner, "a", {"A: b\r\n\r\n"}));
  const std::string url = Authorise("imap://tel%3A+1555@cms.example.net/a/;UID=1;URLAUTH=anonymous");
  EXPECT_TRUE(Redeems(url, other));
  Must(store->DeleteFolder(owner, "a"));
  Must(store->CreateFolder(owner, "a", {}));
  Must(tests::Append(*store, owner, "a", {"A: b\r\n\r\n"}));
  EXPECT_NE(Authorise("imap://tel%3A+1555@cms.example.net/a/;UID=1;URLAUTH=anonymous"), url);
  EXPECT_FALSE(Redeems(url, other));
}

TEST_F(UrlAuthorityTest, AMessageThatIsExpungedAfterTheCheckIsReadWholeOrNotAtAll) {
  const auto named = Must(authority.Look(Authorise(rump), {other}));
  ASSERT_TRUE(named);
  const MessagePart* what = &named->part;
  const auto opened = Must(PartReader::Open(*store, *what));
  ASSERT_TRUE(opened);
  Must(store->UpdateFlags(what->folder, storage::UidSet(what->uid, what->uid),
                          {protocol::FlagChange::Op::kAdd, {protocol::SystemFlag::kDeleted}}));
  Must(store->Expunge(what->folder, storage::UidSet(what->uid, what->uid)));
  EXPECT_EQ(Must(PartReader::Open(*store, *what)), nullptr) << "between the check and the opening";
  ASSERT_EQ(opened->Begin(PartReader::Form::kDecoded), PartReader::Begun::kOpen)
      << "between the opening and the reading";
  std::string octets;
  EXPECT_TRUE(opened->Take(octets, opened->left()));
  EXPECT_EQ(octets, "c\r\n");
}

/// RFC 4467 §6: who probes for users, mailboxes and keys has the server read as much for each answer.
TEST(UrlAuthorityCostTest, WhatIsNotThereCostsAsMuch) {
  tests::CountingEngine engine;
  const auto store = Must(storage::MailStore::Open(engine, tests::PlainMail()));
  const auto owner = tests::CreateAccount(*store, "tel:+1555");
  for (const std::string path : {"a", "keyless"}) {
    Must(store->CreateFolder(owner, path, {}));
    Must(tests::Append(*store, owner, path, {"A: b\r\n\r\nc\r\n"}));
  }
  const FakeClock clock;
  const UrlPolicy policy{.host = "cms.example.net", .anonymous = true};
  UrlAuthority authority(*store, policy, clock);
  const auto rump = [](std::string_view user, std::string_view mailbox) {
    return fmt::format("imap://{}@cms.example.net/{}/;UID=1;URLAUTH=anonymous", user, mailbox);
  };
  auto url = Must(authority.Authorise(rump("tel%3A+1555", "a"), {owner})).url;
  url.back() = url.back() == '0' ? '1' : '0';
  const auto reads = [&](const std::string& of) {
    const auto forged = of + url.substr(url.rfind(":INTERNAL:"));
    const int before = engine.AllRows();
    EXPECT_FALSE(Must(authority.Look(forged, {owner}))) << forged;
    return engine.AllRows() - before;
  };
  const int there = reads(rump("tel%3A+1555", "a"));
  EXPECT_GT(there, 2);
  EXPECT_EQ(reads(rump("tel%3A+1555", "nowhere")), there);
  EXPECT_EQ(reads(rump("tel%3A+1555", "keyless")), there);
  EXPECT_EQ(reads(rump("tel%3A+1777", "a")), there);
}

TEST_F(UrlAuthorityTest, OnesOwnIsRelativeOrOfThisServerAndUser) {
  const auto is_own = [&](std::string_view text) {
    return Must(authority.IsOwn(protocol::ParseImapUrl(text).value(), owner));
  };
  EXPECT_TRUE(is_own("/INBOX/;UID=1"));
  EXPECT_TRUE(is_own("imap://tel%3A+1555@cms.example.net/INBOX/;UID=1"));
  EXPECT_TRUE(is_own("imap://tel%3A+1555@CMS.example.net:143/INBOX/;UID=1"));
  EXPECT_FALSE(is_own("imap://tel%3A+1666@cms.example.net/INBOX/;UID=1"));
  EXPECT_FALSE(is_own("imap://nobody@cms.example.net/INBOX/;UID=1"));
  EXPECT_FALSE(is_own("imap://cms.example.net/INBOX/;UID=1"));
  EXPECT_FALSE(is_own("imap://tel%3A+1555@elsewhere/INBOX/;UID=1"));
}

}  // namespace
}  // namespace server::references
