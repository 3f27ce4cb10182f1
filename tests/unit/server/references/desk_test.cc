// References on record: issued, proved by their tokens, put into messages and out of them again.
#include "server/references/desk.h"

#include <set>
#include <tuple>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "protocol/imap/limits.h"
#include "protocol/imap/url.h"
#include "server/references/external_body.h"
#include "server/references/message_exchange.h"
#include "server/references/url_token.h"
#include "storage/kv/memory_engine.h"
#include "tests/support/counting_engine.h"
#include "tests/support/failing_engine.h"
#include "tests/unit/server/references/desk_fixture.h"

namespace server::references {
namespace {

using storage::Role;
using tests::Must;

using DeskTest = OneMessageFixture;

TEST(ReferenceTokens, AreOfOneSpellingAndOneKind) {
  const std::string url = RecordedUrlToken("k", 7, "imap://u@h/INBOX/;UID=1;URLAUTH=anonymous");
  EXPECT_EQ(url.substr(0, 18), "020000000000000007");
  EXPECT_EQ(RecordedIn(url), 7U);
  EXPECT_FALSE(RecordedIn("01" + url.substr(2)));
  EXPECT_FALSE(IsRecordedUrlToken(url, "k", 8, "imap://u@h/INBOX/;UID=1;URLAUTH=anonymous"));
  const std::string web = WriteWebToken("k", {{3}, 7});
  EXPECT_EQ(web.substr(0, 34), "0300000000000000030000000000000007");
  const auto names = ReadWebToken(web);
  ASSERT_TRUE(names);
  EXPECT_EQ(names->account.value, 3U);
  EXPECT_EQ(names->id, 7U);
  EXPECT_TRUE(IsWebToken(web, "k", *names));
  EXPECT_FALSE(IsWebToken(web, "l", *names));
  EXPECT_FALSE(IsWebToken(web, "k", {{3}, 8}));
  EXPECT_FALSE(IsWebToken(web + "0", "k", *names));
  EXPECT_FALSE(IsWebToken(protocol::ascii::Upper(web), "k", *names));
  EXPECT_FALSE(ReadWebToken(web.substr(1)));
  EXPECT_EQ(KeyCheck("k"), KeyCheck("k"));
  EXPECT_NE(KeyCheck("k"), KeyCheck("l"));
  EXPECT_EQ(KeyCheck("k").size(), 8U);
}

TEST_F(DeskTest, BothUrlsAreOfOneRecord) {
  auto wish = WishFor("2");
  wish.hash = true;
  const auto issued = Issue(wish);
  EXPECT_EQ(issued.size, 6U);
  EXPECT_EQ(issued.head.type, "image/png; name=x.png");
  EXPECT_EQ(issued.head.name, "x.png");
  EXPECT_EQ(issued.sha256, "17e88db187afd62c16e5debf3e6527cd006bc012bc90b51a810cd80c2d511f43");
  const auto found = Must(desk.FindByToken(TokenOf(issued)));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->record.id, issued.record.id);
  const auto named = Must(desk.Look(issued.imap_url, {owner, Role::kPf}));
  ASSERT_TRUE(named);
  EXPECT_EQ(named->recorded, issued.record.id);
  EXPECT_EQ(Must(desk.NoteFetches({*named})), std::nullopt);
  Must(store->RevokeReference(owner, issued.record.id));
  EXPECT_FALSE(Must(desk.Look(issued.imap_url, {owner, Role::kPf})));
  EXPECT_FALSE(Must(desk.Look(issued.url, {owner, Role::kPf})));
  EXPECT_EQ(Must(desk.StandingOf(Must(desk.FindByToken(TokenOf(issued)))->record)), Standing::kRevoked);
}

TEST_F(DeskTest, WhatIsForgottenBeforeItsTimeIsNotGood) {
  const auto issued = Issue(WishFor("2"));
  Must(store->RevokeReference(owner, issued.record.id));
  store.clock.Advance(std::chrono::seconds(storage::kReferenceMemory));
  store->ReapDue();
  ASSERT_FALSE(Must(store->FindReference(owner, issued.record.id)));
  EXPECT_FALSE(Must(desk.Look(issued.imap_url, {owner, Role::kPf})));
  EXPECT_FALSE(Must(desk.Look(issued.url, {owner, Role::kPf})));
}

TEST_F(DeskTest, AFolderThatIsRenamedTakesItsReferencesAlong) {
  const auto made = Must(store->CreateFolder(owner, "a", {}));
  Must(tests::Append(*store, owner, "a", {OneMessageFixture::kMessage}));
  auto wish = WishFor("2");
  wish.folder = made.ref;
  const auto issued = Issue(wish);
  Must(store->RenameFolder(owner, "a", "b"));
  EXPECT_TRUE(Must(desk.Look(issued.imap_url, {owner, Role::kPf})));
  EXPECT_TRUE(Must(desk.FindByToken(TokenOf(issued))));
  Must(store->ResetUrlKey(owner, "b", NewUrlKey()));
  EXPECT_FALSE(Must(desk.Look(issued.imap_url, {owner, Role::kPf})));
  EXPECT_FALSE(Must(desk.FindByToken(TokenOf(issued))));
  EXPECT_EQ(Must(desk.StandingOf(issued.record)), Standing::kReset);
}

TEST_F(DeskTest, NoOctetOfATokenMayChange) {
  const auto issued = Issue(WishFor("2"));
  const std::string token = TokenOf(issued);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(Must(desk.FindByToken(changed))) << i;
    EXPECT_FALSE(Must(desk.FindByToken(token.substr(0, i)))) << i;
  }
  const auto at = issued.imap_url.rfind(':') + 1;
  for (std::size_t i = at; i < issued.imap_url.size(); ++i) {
    std::string changed = issued.imap_url;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(Must(desk.Look(changed, {owner, Role::kPf}))) << i;
  }
}

TEST_F(DeskTest, ItsTimeHasBounds) {
  auto wish = WishFor("2");
  const auto now = desk.Now();
  EXPECT_EQ(Issue(wish).record.expires, now + settings.lifetime.count());
  wish.expires = now;
  EXPECT_EQ(tests::ErrorOf(desk.Issue(Must(store->GetAccount(owner)), owner, {wish})),
            storage::Errc::kInvalidArgument);
  wish.expires = now + settings.max_lifetime.count() + 1;
  EXPECT_EQ(tests::ErrorOf(desk.Issue(Must(store->GetAccount(owner)), owner, {wish})),
            storage::Errc::kInvalidArgument);
  wish.expires = now + 60;
  const auto issued = Issue(wish);
  clock.Advance(std::chrono::seconds(60));
  EXPECT_TRUE(Must(desk.Look(issued.url, {owner, Role::kPf})));
  clock.Advance(std::chrono::seconds(1));
  EXPECT_FALSE(Must(desk.Look(issued.url, {owner, Role::kPf})));
  EXPECT_FALSE(Must(desk.Look(issued.imap_url, {owner, Role::kPf})));
}

TEST_F(DeskTest, NoReferenceIsIssuedThatNoUrlCanSay) {
  const auto error_of = [&](protocol::Section section) {
    auto wish = WishFor("");
    wish.section = std::move(section);
    return tests::ErrorOf(desk.Issue(Must(store->GetAccount(owner)), owner, {wish}));
  };
  using Kind = protocol::Section::Kind;
  EXPECT_EQ(error_of({{}, Kind::kHeaderFields, {"Sub\x01ject"}}), storage::Errc::kInvalidArgument);
  EXPECT_EQ(error_of({{}, Kind::kHeaderFields, std::vector<std::string>(900, "Subject")}),
            storage::Errc::kInvalidArgument);
  EXPECT_TRUE(Must(store->ListReferences(owner, 0, 10)).empty()) << "nothing is recorded";
  EXPECT_FALSE(Issue(WishFor("HEADER.FIELDS (Subject)")).imap_url.empty());
}

TEST_F(DeskTest, AttachmentsAreLeavesThatAreNotShown) {
  const auto parts = Must(desk.Attachments(folder, {1}));
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(protocol::WriteSection(parts[0].section), "2");
  EXPECT_EQ(protocol::WriteSection(parts[1].section), "3");
}

TEST_F(DeskTest, AHundredAttachmentsOfAMessageAndNoMore) {
  const auto parts = [](std::size_t texts, std::size_t images) {
    std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
    for (std::size_t i = 0; i < texts + images; ++i)
      message += fmt::format("--b\r\nContent-Type: {}\r\n\r\nx\r\n", i < texts ? "text/plain" : "image/png");
    return message + "--b--\r\n";
  };
  Must(tests::Append(*store, owner, "INBOX", {parts(2000, 100), parts(0, 101), parts(0, 9000)}));
  const auto found = Must(desk.Attachments(folder, {2}));
  ASSERT_EQ(found.size(), 100U);
  EXPECT_EQ(protocol::WriteSection(found.front().section), "2001");
  EXPECT_EQ(protocol::WriteSection(found.back().section), "2100");
  EXPECT_EQ(tests::ErrorOf(desk.Attachments(folder, {3})), storage::Errc::kLimit);
  EXPECT_EQ(tests::ErrorOf(desk.Attachments(folder, {4})), storage::Errc::kLimit);
}

TEST(DeskCostTest, AMessageIsOpenedOnceForItsAttachments) {
  tests::CountingEngine engine;
  const auto store = Must(storage::MailStore::Open(engine, tests::PlainMail()));
  const auto owner = tests::CreateAccount(*store);
  std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 1000; ++i) message += "--b\r\n\r\nx\r\n";
  Must(tests::Append(*store, owner, "INBOX", {message + "--b--\r\n"}));
  const auto folder = Must(store->GetFolder(owner, "INBOX")).ref;
  const FakeClock clock;
  const ReferenceSettings settings;
  ReferenceDesk desk(*store, settings, clock);
  const int before = engine.Of(storage::kv::Table::kMessages).rows;
  EXPECT_TRUE(Must(desk.Attachments(folder, {1})).empty());
  EXPECT_LE(engine.Of(storage::kv::Table::kMessages).rows - before, 2);
}

TEST(DeskCostTest, AllObjectIdsOfACallAreOnePass) {
  tests::CountingEngine engine;
  const auto store = Must(storage::MailStore::Open(engine, tests::PlainMail()));
  const auto owner = tests::CreateAccount(*store);
  const auto inbox = tests::Fill(*store, owner, "INBOX", 200);
  const auto other = Must(store->CreateFolder(owner, "a", {})).ref;
  tests::Fill(*store, owner, "a", 10);
  std::vector<ObjectName> names;
  std::vector<Place> places;
  for (const auto& [in, path, count] : {std::tuple{inbox, "INBOX", 90U}, std::tuple{other, "a", 10U}}) {
    Must(Must(store->Read(in)).Rows(tests::UidRange(1, count), [&](storage::Uid uid, const auto& row) {
      ObjectName name;
      name.object = row.object;
      if (uid.value % 2 == 0) name.folder = path;
      names.push_back(name);
      places.emplace_back(in, uid);
      return true;
    }));
  }
  const FakeClock clock;
  const ReferenceSettings settings;
  ReferenceDesk desk(*store, settings, clock);
  const int before = engine.Of(storage::kv::Table::kMessages).rows;
  EXPECT_EQ(Must(desk.FindObjects(owner, names)), places);
  EXPECT_LE(engine.Of(storage::kv::Table::kMessages).rows - before, 210);
  // One that is in another folder, and one that is nowhere.
  names[3].folder = "a";
  EXPECT_EQ(desk.FindObjects(owner, names).error().detail, "references[3]: there is no such message");
  names[3].folder.reset();
  names[7].object->value = 999'999;
  EXPECT_EQ(tests::ErrorOf(desk.FindObjects(owner, names)), storage::Errc::kNoSuchMessage);
}

TEST_F(DeskTest, ACallHashesOnlySoMuch) {
  settings.hash_limit = 11;
  auto wish = WishFor("2");  // of 6 octets
  const auto account = Must(store->GetAccount(owner));
  const auto call = [&](const std::vector<Wish>& wishes) {
    return ReferenceDesk(*store, settings, clock).Issue(account, owner, wishes);
  };
  EXPECT_TRUE(call({wish, wish, wish}));
  wish.hash = true;
  EXPECT_TRUE(call({wish}));
  const auto refused = call({wish, wish});
  EXPECT_EQ(tests::ErrorOf(refused), storage::Errc::kTooBig);
  EXPECT_TRUE(refused.error().detail.starts_with("references[1]: one call hashes at most 11 octets:"));
  settings.hash_limit = 12;
  EXPECT_TRUE(call({wish, wish}));
}

TEST_F(DeskTest, ACallDecodesOnlySoMuchAndAPartOnce) {
  const auto account = Must(store->GetAccount(owner));
  const auto wish = WishFor("2");  // of 8 octets in base64
  settings.decode_limit = 8;
  EXPECT_TRUE(desk.Issue(account, owner, {wish, wish, wish}));
  Must(tests::Append(*store, owner, "INBOX", {OneMessageFixture::kMessage}));
  auto other = wish;
  other.uid = {2};
  const auto refused = desk.Issue(account, owner, {wish, other});
  EXPECT_EQ(tests::ErrorOf(refused), storage::Errc::kTooBig);
  EXPECT_TRUE(refused.error().detail.starts_with("references[1]: one call decodes at most 8 octets:"));
  // To skip what is before the first is to decode it.
  auto late = wish;
  late.partial = protocol::UrlPartial{5, 1};
  EXPECT_EQ(tests::ErrorOf(desk.Issue(account, owner, {wish, late})), storage::Errc::kTooBig);
  settings.decode_limit = 13;
  EXPECT_EQ(Must(desk.Issue(account, owner, {wish, late}))[1].size, 1U);
}

TEST_F(DeskTest, AnExternalBodyHasAContentId) {
  std::set<std::string> ids;
  for (const std::string section : {"", "1", "2", "HEADER", "3.HEADER.FIELDS (SUBJECT X-Y)"}) {
    ASSERT_TRUE(protocol::ReadSection(section)) << section;
    const auto body = Issue(WishFor(section)).external_body;
    const auto phantom = body.substr(body.find("\r\n\r\n") + 2);
    const auto at = phantom.find("\r\nContent-ID: <M1");
    ASSERT_NE(at, std::string::npos) << body;
    const auto id = phantom.substr(at + 14, phantom.find("\r\n", at + 2) - at - 14);
    EXPECT_TRUE(id.ends_with("@cms.example.net>")) << id;
    EXPECT_EQ(id.find_first_of(" ()\"\\"), std::string::npos) << id;
    EXPECT_TRUE(ids.insert(id).second) << "of another part: " << id;
    EXPECT_NE(Issue(WishFor(section)).external_body.find(id), std::string::npos) << "the same again";
  }
  EXPECT_TRUE(ids.contains("<M1.2@cms.example.net>"));
  auto some = WishFor("2");
  some.partial = protocol::UrlPartial{1, 3};
  EXPECT_NE(Issue(some).external_body.find("Content-ID: <M1.2.1-3@cms.example.net>"), std::string::npos);
}

TEST_F(DeskTest, ASnippetSaysUntilWhenAndWhat) {
  auto wish = WishFor("2");
  wish.expires = 1'700'000'100;
  wish.hash = true;
  const auto body = Issue(wish).external_body;
  EXPECT_NE(body.find(" expiration=\"Tue, 14 Nov 2023 22:15:00 GMT\"; size=6;"), std::string::npos) << body;
  // sha1sum of the six octets 00 to 05.
  EXPECT_NE(body.find(" hash=\"868460d98d09d8bbb93d7b6cdd15cc7fbec676b9\";"), std::string::npos) << body;
}

TEST_F(DeskTest, ASnippetReadsBackAsItsUrl) {
  const auto issued = Issue(WishFor("2"));
  const auto header = issued.external_body.substr(0, issued.external_body.find("\r\n\r\n") + 2);
  std::string type = header.substr(header.find(':') + 1);
  EXPECT_EQ(ExternalUrl(type), issued.imap_url);
  EXPECT_FALSE(ExternalUrl("message/external-body; access-type=\"ANON-FTP\"; URL=\"x\""));
  EXPECT_FALSE(ExternalUrl("message/external-body; access-type=URL"));
  EXPECT_FALSE(ExternalUrl("text/plain"));
  // RFC 2017: white space in a URL is none of its own.
  EXPECT_EQ(ExternalUrl("message/external-body; access-type=URL; URL=\"imap://x/\r\n y\""), "imap://x/y");
  const std::string long_url = "imap://h/" + std::string(2000, 'x');
  const auto folded = WriteExternalBody({.type = "a/b", .media_type = "a/b"}, long_url, 0, 1, "");
  for (std::size_t at = 0; at < folded.size();) {
    const auto end = folded.find("\r\n", at);
    EXPECT_LE(end - at, 998U);
    at = end + 2;
  }
}

TEST_F(DeskTest, OneTimeIsOneFetchOfAMessage) {
  auto wish = WishFor("2");
  wish.one_time = true;
  const Bearer bearer{owner, Role::kPf};
  const auto once = Issue(wish);
  const std::vector<Named> both{*Must(desk.Look(once.url, bearer)), *Must(desk.Look(once.imap_url, bearer))};
  EXPECT_EQ(Must(desk.NoteFetches(both)), std::nullopt);
  EXPECT_EQ(Must(store->FindReference(owner, once.record.id))->fetches, 1U);
  EXPECT_EQ(Must(desk.NoteFetches(both)), 0U);
  EXPECT_EQ(Must(desk.NoteFetches({})), std::nullopt);
}

/// Of two accounts' references the one that is good no more is named, and the other's is not counted.
TEST_F(DeskTest, OfSeveralAccountsAllOrNone) {
  const auto other = tests::CreateAccount(*store, "tel:+1666");
  Must(tests::Append(*store, other, "INBOX", {OneMessageFixture::kMessage}));
  auto wish = WishFor("2");
  wish.one_time = true;
  const auto mine = Issue(wish);
  wish.folder = Must(store->GetFolder(other, "INBOX")).ref;
  const auto theirs = Must(desk.Issue(Must(store->GetAccount(other)), other, {wish})).at(0);
  const std::vector<Named> both{*Must(desk.Look(mine.url, {owner, Role::kPf})),
                                *Must(desk.Look(theirs.url, {other, Role::kPf}))};
  Must(store->RevokeReference(other, theirs.record.id));
  EXPECT_EQ(Must(desk.NoteFetches(both)), 1U);
  EXPECT_EQ(Must(store->FindReference(owner, mine.record.id))->fetches, 0U);
  Must(store->DeleteAccount(other));
  EXPECT_EQ(Must(desk.NoteFetches(both)), 1U) << "nor of an account that is gone";
  EXPECT_EQ(Must(desk.NoteFetches({both[0]})), std::nullopt);
}

/// RFC 4467 §3: the user of "submit+" is who submits, whoever the owner is.
TEST_F(DeskTest, AReferenceForAnothersSubmissionIsThatOthers) {
  const auto fred = tests::CreateAccount(*store, "tel:+1666");
  UrlAuthority authority(*store, settings.urls, clock);
  const auto authorised = Must(authority.Authorise(
      "imap://tel%3A+1555@cms.example.net/INBOX/;UID=1/;SECTION=2;URLAUTH=submit+tel%3A+1666", {owner}));
  const auto redeems = [&](const Bearer& bearer) {
    return Must(desk.Look(authorised.url, bearer)).has_value();
  };
  EXPECT_TRUE(redeems({fred, Role::kPf}));
  EXPECT_FALSE(redeems({owner, Role::kPf}));
  EXPECT_FALSE(redeems({fred, Role::kUser}));
  const auto submission = tests::CreateAccount(*store, "sip:submission@example.net");
  EXPECT_TRUE(redeems({submission, Role::kSubmit})) << "which has looked at the user itself";
  EXPECT_TRUE(redeems({submission, Role::kSubmit, fred}));
  EXPECT_FALSE(redeems({submission, Role::kSubmit, owner}));
  EXPECT_FALSE(redeems({submission, Role::kSubmit, storage::AccountId{}}));
}

TEST_F(DeskTest, WhatIsFarWithinAnEncodedPartIsARangeOfIt) {
  auto wish = WishFor("2");
  wish.partial = protocol::UrlPartial{static_cast<std::uint32_t>(kMaxSkipped) + 1, 1};
  const auto refused = desk.Issue(Must(store->GetAccount(owner)), owner, {wish});
  EXPECT_EQ(tests::ErrorOf(refused), storage::Errc::kNotAllowed);
  EXPECT_TRUE(refused.error().detail.starts_with("references[0]: \"offset\" is beyond"))
      << refused.error().detail;
}

/// A desk over a store whose disk fails on command, with one message.
class FailingDeskTest : public testing::Test {
 protected:
  FailingDeskTest() { Must(tests::Append(*store, owner, "INBOX", {OneMessageFixture::kMessage})); }
  ~FailingDeskTest() override { engine.reads_fail = engine.bodies_fail = engine.writes_fail = false; }
  Named Issue(bool one_time, std::string* url = nullptr) {
    Wish wish;
    wish.folder = Must(store->GetFolder(owner, "INBOX")).ref;
    wish.uid = {1};
    wish.section = *protocol::ReadSection("2");
    wish.one_time = one_time;
    const auto issued = Must(desk.Issue(Must(store->GetAccount(owner)), owner, {wish})).at(0);
    if (url != nullptr) *url = issued.external_body;
    return *Must(desk.Look(issued.imap_url, {owner, Role::kPf}));
  }

  storage::StoreOptions Options() const {
    auto options = tests::PlainMail();
    options.now = [this] { return clock.WallNow(); };
    return options;
  }

  std::unique_ptr<storage::kv::Engine> memory = storage::kv::NewMemoryEngine();
  tests::FailingEngine engine{*memory};
  FakeClock clock;
  std::unique_ptr<storage::MailStore> store = Must(storage::MailStore::Open(engine, Options()));
  storage::AccountId owner = tests::CreateAccount(*store, "tel:+1555");
  ReferenceSettings settings{.urls = {.host = "cms.example.net"}};
  ReferenceDesk desk{*store, settings, clock};
};

TEST_F(FailingDeskTest, WhatTakesNoWritesIsReadOn) {
  const auto often = Issue(false);
  const auto revoked = Issue(false);
  const auto once = Issue(true);
  Must(store->RevokeReference(owner, *revoked.recorded));
  engine.writes_fail = true;
  EXPECT_EQ(Must(desk.NoteFetches({often})), std::nullopt);
  EXPECT_NE(Must(desk.NoteFetches({revoked})), std::nullopt);
  EXPECT_EQ(tests::ErrorOf(desk.NoteFetches({often, once})), storage::Errc::kUnavailable);
  clock.Advance(settings.lifetime + std::chrono::seconds(1));
  EXPECT_NE(Must(desk.NoteFetches({often})), std::nullopt) << "it has expired";
  engine.reads_fail = true;
  EXPECT_EQ(tests::ErrorOf(desk.NoteFetches({often})), storage::Errc::kUnavailable);
  engine.writes_fail = engine.reads_fail = false;
  EXPECT_EQ(Must(store->FindReference(owner, *often.recorded))->fetches, 0U);
}

TEST_F(FailingDeskTest, WhatCannotBeReadIsNotCalledMissing) {
  std::string snippet;
  Issue(false, &snippet);
  const std::string message =
      "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" + snippet + "\r\n--c--\r\n";
  engine.bodies_fail = true;
  EXPECT_EQ(tests::ErrorOf(Resolve(*store, desk, message, false, {owner, Role::kPf}, {}, 1 << 20)),
            storage::Errc::kUnavailable);
}

TEST(IsOpenTest, AFailureIsNoAbsence) {
  using Begun = PartReader::Begun;
  EXPECT_TRUE(Must(IsOpen(Begun::kOpen)));
  EXPECT_FALSE(Must(IsOpen(Begun::kNoSuchPart)));
  EXPECT_FALSE(Must(IsOpen(Begun::kUnknownEncoding)));
  EXPECT_EQ(tests::ErrorOf(IsOpen(Begun::kUnreadable)), storage::Errc::kUnavailable);
}

}  // namespace
}  // namespace server::references
