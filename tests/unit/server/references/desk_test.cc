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

const std::string kMessage =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n"
    "--b\r\nContent-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAwQF\r\n"
    "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nwithin\r\n--b--\r\n";

class DeskTest : public DeskFixture {
 protected:
  DeskTest() { Must(tests::Append(*store, owner, "INBOX", {kMessage})); }
  Wish WishFor(const std::string& section) {
    Wish wish;
    wish.folder = folder;
    wish.uid = {1};
    wish.section = *protocol::ReadSection(section);
    return wish;
  }
  Issued Issue(const Wish& wish) {
    return Must(desk.Issue(Must(store->GetAccount(owner)), owner, {wish})).at(0);
  }
  std::string TokenOf(const Issued& issued) { return issued.url.substr(issued.url.rfind('/') + 1); }
};

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
  Must(tests::Append(*store, owner, "a", {kMessage}));
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
  Must(tests::Append(*store, owner, "INBOX", {kMessage}));
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

TEST_F(DeskTest, DataTakeThePlaceOfReferences) {
  const auto image = Issue(WishFor("2"));
  EXPECT_EQ(ResolvedOf("From: a\r\nMIME-Version: 1.0\r\n" + image.external_body),
            "From: a\r\nMIME-Version: 1.0\r\nContent-Type: image/png; name=x.png\r\n"
            "Content-Transfer-Encoding: base64\r\nContent-ID: <M1.2@cms.example.net>\r\n\r\nAAECAwQF");
  const auto text = Issue(WishFor("1"));
  EXPECT_EQ(ResolvedOf("From: <a>\r\n\r\n" + text.external_body, /*cpim=*/true),
            "From: <a>\r\n\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n"
            "Content-ID: <M1.1@cms.example.net>\r\n\r\nHello.");
  const auto message = Issue(WishFor("3"));
  EXPECT_EQ(ResolvedOf("Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n" + message.external_body +
                       "\r\n--c--\r\n"),
            "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: message/rfc822\r\n"
            "Content-Transfer-Encoding: 7bit\r\nContent-ID: <M1.3@cms.example.net>\r\n\r\n"
            "Subject: in\r\n\r\nwithin\r\n--c--\r\n");
  const auto whole = Issue(WishFor(""));
  EXPECT_EQ(ResolvedOf("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + whole.external_body +
                       "\r\n--b--\r\n"),
            "not resolved: its octets hold a boundary of the message");
}

TEST_F(DeskTest, OthersReferencesStayAndWhatIsWithinIsLeftAlone) {
  const auto image = Issue(WishFor("2"));
  for (const std::string& message :
       {std::string(
            "Content-Type: message/external-body; access-type=URL; URL=\"https://example.org/\"\r\n\r\n\r\n"),
        "Content-Type: message/rfc822\r\n\r\n" + image.external_body, std::string(), std::string("x"),
        std::string("Content-Type: message/cpim\r\n\r\nFrom: x"), std::string("Content-Type: message/cpim")})
    EXPECT_EQ(ResolvedOf(message), message);
}

TEST_F(DeskTest, WhatIsOfThisServerAndBrokenIsTold) {
  const auto image = Issue(WishFor("2"));
  std::string bit = image.url;
  bit.back() = static_cast<char>(bit.back() ^ 1);
  std::string host = image.url;
  host.replace(host.find("cms."), 4, "CMS.");
  const std::string imap_host = "imap://tel%3A+1555@CMS.Example.net:143/INBOX";
  const std::string web = "https://cms.example.net:8443";
  for (const std::string& broken :
       {std::string("imap://cms.example.net/INBOX"), imap_host, imap_host + ";UIDVALIDITY=1/;UID=1",
        imap_host + "?SUBJECT%20x", "IMAP" + image.imap_url.substr(4, 60), image.imap_url + "%",
        image.imap_url.substr(0, image.imap_url.size() - 1), image.url.substr(0, image.url.size() - 1),
        image.imap_url + std::string(9000, 'a'), bit, "HTTPS" + image.url.substr(5), host, image.url + "/",
        web, web + "/v1/references", web + "/v1/%72eferences/x",
        std::string("https://x@cms.example.net:8443/")}) {
    const std::string message =
        "Content-Type: message/external-body; access-type=URL;\r\n URL=\"" + broken + "\"\r\n\r\n\r\n";
    const auto resolved = Must(Resolve(*store, desk, message, false, {owner, Role::kPf}, {}, 1 << 20));
    ASSERT_EQ(resolved.not_resolved.size(), 1U) << broken;
    EXPECT_EQ(resolved.not_resolved[0].why, "there is nothing to be had by it") << broken;
  }
  for (const std::string& other :
       {std::string("imap://cms.example.org/INBOX"), std::string("https://cms.example.net/v1/references/x"),
        std::string("http://cms.example.net:8443/"), std::string("https:cms.example.net:8443"),
        std::string()})
    EXPECT_FALSE(desk.IsOurs(other)) << other;
  settings.base_url = "https://cms.example.net/store";
  EXPECT_TRUE(desk.IsOurs("https://CMS.example.net:443/store/x"));
  EXPECT_FALSE(desk.IsOurs("https://cms.example.net/photos/x"));
  settings.base_url.clear();
  EXPECT_FALSE(desk.IsOurs("https://cms.example.net/"));
}

TEST_F(DeskTest, WhatIsToldOfAUrlIsPrintableAndNotLong) {
  const std::string url = "imap://cms.example.net/\xff\xc3(\x01\x7f";
  const auto told = [&](const std::string& what) {
    const auto resolved =
        Must(Resolve(*store, desk,
                     "Content-Type: message/external-body; access-type=URL; URL=\"" + what + "\"\r\n\r\n\r\n",
                     false, {owner, Role::kPf}, {}, 1 << 20));
    return resolved.not_resolved.at(0).url;
  };
  EXPECT_EQ(told(url), "imap://cms.example.net/%FF%C3(%01%7F");
  EXPECT_EQ(told(url + std::string(20'000, 'x')).size(), protocol::limits::kUrl + 8);
}

TEST_F(DeskTest, NoLengthThatWasIsLeft) {
  const auto image = Issue(WishFor("2"));
  const auto with_length = [&](const std::string& length) {
    return "Content-Length: " + length + "\r\n" + image.external_body;
  };
  const std::string data =
      "Content-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n"
      "Content-ID: <M1.2@cms.example.net>\r\n\r\nAAECAwQF";
  // Of a part, and of the multipart around it, of which the text beside keeps its own.
  const std::string outer = "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n";
  const std::string inner = "Content-Type: multipart/mixed; boundary=d\r\n";
  const std::string text = "\r\n--d\r\nContent-Length: 2\r\n\r\nHi";
  EXPECT_EQ(ResolvedOf(outer + inner + "Content-Length: 9\r\n" + text + "\r\n--d\r\n" + with_length("7") +
                       "\r\n--d--\r\n--c--\r\n"),
            outer + inner + text + "\r\n--d\r\n" + data + "\r\n--d--\r\n--c--\r\n");
  // Where lines end with LF alone, the header ends with the first empty one all the same.
  const std::string lines = "--c\nContent-Type: text/plain\n\nHello\r\n\r\nWorld\n--c\n";
  const std::string type = "Content-Type: multipart/mixed; boundary=c\n";
  EXPECT_EQ(ResolvedOf(type + "Content-Length: 500\n\n" + lines + image.external_body + "\n--c--\n"),
            type + fmt::format("Content-Length: {}\r\n\r\n", lines.size() + data.size() + 7) + lines + data +
                "\n--c--\n");
  // The message's own is that of what it holds now: 8 octets; 142 of an entity within CPIM.
  EXPECT_NE(ResolvedOf(with_length("7")).find("Content-Length: 8\r\n\r\nAAECAwQF"), std::string::npos);
  const std::string cpim = "Content-Type: message/cpim\r\n";
  const std::string within = "\r\nFrom: <a>\r\n\r\n";
  EXPECT_EQ(ResolvedOf(cpim + "Content-Length: 7\r\n" + within + image.external_body),
            cpim + fmt::format("Content-Length: {}\r\n", within.size() - 2 + data.size()) + within + data);
}

/// The line end before a boundary belongs to that, and a part without a body has none but its header's.
TEST_F(DeskTest, ABoundaryStaysALineOfItsOwn) {
  const auto snippet = Issue(WishFor("2")).external_body;
  const auto header = snippet.substr(0, snippet.find("\r\n\r\n") + 2);
  const std::string outer = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n";
  for (const auto& part : {header, header + "\r\n"}) {
    const auto text = ResolvedOf(outer + part + "--o\r\n\r\nbeside\r\n--o--\r\n");
    EXPECT_TRUE(text.ends_with("AAECAwQF\r\n--o\r\n\r\nbeside\r\n--o--\r\n")) << text;
  }
}

TEST_F(DeskTest, WhoeverSendsAHeaderSaysHowLongItIs) {
  const auto snippet = Issue(WishFor("2")).external_body;
  const auto resolve = [&](const std::string& message) {
    return Resolve(*store, desk, message, false, {owner, Role::kPf}, {}, 1 << 20);
  };
  std::string fields;
  while (fields.size() < 120'000) fields += "content-:\r\na:\r\n";
  EXPECT_TRUE(resolve(fields + snippet)) << "in no time";
  EXPECT_EQ(tests::ErrorOf(resolve(fields + fields + fields + snippet)), storage::Errc::kTooBig);
  EXPECT_EQ(tests::ErrorOf(resolve("Content-Type: multipart/mixed; boundary=o\r\n" + fields + fields +
                                   fields + "\r\n--o\r\n" + snippet + "\r\n--o--\r\n")),
            storage::Errc::kTooBig);
  // A phantom's that begins in its midst continues nothing.
  const auto at = snippet.find("\r\n\r\n") + 4;
  const auto folded = ResolvedOf(snippet.substr(0, at) + " Content-Odd: x\r\n" + snippet.substr(at));
  EXPECT_NE(folded.find("Content-Transfer-Encoding: base64\r\nContent-ID:"), std::string::npos) << folded;
}

/// RFC 2045 §6.4: what holds a part of 8 bits says so itself.
TEST_F(DeskTest, WhatIsAroundDataHasNoLowerEncoding) {
  const std::string within = "Subject: \xc3\xa4\r\n\r\nHello.";
  Must(tests::Append(
      *store, owner, "INBOX",
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n"
       "Content-Transfer-Encoding: 8bit\r\n\r\n" +
       within + "\r\n--b--\r\n"}));
  auto wish = WishFor("1");
  wish.uid = {2};
  const auto snippet = Issue(wish).external_body;
  const auto resolved = [&](const std::string& outer, const std::string& inner) {
    const auto text = ResolvedOf("Content-Type: multipart/mixed; boundary=o\r\n" + outer +
                                 "\r\n--o\r\nContent-Type: multipart/mixed; boundary=i\r\n" + inner +
                                 "\r\n--i\r\n" + snippet + "\r\n--i--\r\n--o\r\n\r\nbeside\r\n--o--\r\n");
    const auto end = text.find("--i\r\nContent-");
    EXPECT_NE(text.find("Content-Transfer-Encoding: 8bit\r\n", end), std::string::npos) << text;
    return text.substr(0, end);
  };
  const std::string eight = "Content-Transfer-Encoding: 8bit\r\n";
  const std::string expected = "Content-Type: multipart/mixed; boundary=o\r\n" + eight +
                               "\r\n--o\r\nContent-Type: multipart/mixed; boundary=i\r\n" + eight + "\r\n";
  EXPECT_EQ(resolved("", ""), expected);
  EXPECT_EQ(resolved("Content-Transfer-Encoding: 7bit\r\n", eight), expected);
  const std::string binary = "Content-Transfer-Encoding: binary\r\n";
  EXPECT_NE(resolved(binary, "").find(binary), std::string::npos) << "a higher one stays";
  EXPECT_EQ(resolved("Content-Transfer-Encoding: x-odd\r\n", ""), expected)
      << "one that is for no multipart does not";
  // Of a CPIM as of a multipart.
  const auto cpim = ResolvedOf("Content-Type: message/cpim\r\n\r\nFrom: <a>\r\n\r\n" + snippet);
  EXPECT_TRUE(cpim.starts_with("Content-Type: message/cpim\r\n" + eight + "\r\nFrom: <a>\r\n\r\n")) << cpim;
}

/// A reference to a message that is within this message: whoever knows the key can foretell it.
TEST_F(DeskTest, AMessageThatRefersToItselfIsNoCircle) {
  const auto made = Must(store->CreateFolder(owner, "a", {}));
  const std::string key = Must(store->UrlKey(made.ref, std::string(32, 'k')));
  const std::string rump = "imap://tel%3A+1555@cms.example.net/a/;UID=1;URLAUTH=submit+tel%3A+1555";
  const std::string url = rump + ":INTERNAL:" + UrlToken(key, rump);
  const std::string snippet = "Content-Type: message/external-body; access-type=URL;\r\n URL=\"" + url +
                              "\"\r\n\r\nContent-Type: x/y\r\n\r\n";
  const std::string message =
      "Content-Type: multipart/mixed; boundary=s\r\n\r\n--s\r\n" + snippet + "\r\n--s--\r\n";
  Must(tests::Append(*store, owner, "a", {message}));
  ASSERT_TRUE(Must(desk.Look(url, {owner, Role::kPf}))) << "it does refer to itself";
  const std::string outer = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n";
  EXPECT_EQ(ResolvedOf(outer + snippet + "\r\n--o--\r\n"),
            outer + "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + message +
                "\r\n--o--\r\n");
  EXPECT_EQ(ResolvedOf(message), "not resolved: its octets hold a boundary of the message");
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
  Must(tests::Append(*store, other, "INBOX", {kMessage}));
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

/// What is looked for in a part that is not to be encoded has a limit, though nothing of it comes in.
TEST_F(DeskTest, SearchingForBoundariesHasALimit) {
  Must(tests::Append(
      *store, owner, "INBOX",
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
       "Subject: in\r\n\r\n" +
       std::string(10'000, 'x') + "\r\n--o\r\n--b--\r\n"}));
  auto wish = WishFor("1");
  wish.uid = {2};
  const auto snippet = Issue(wish).external_body;
  const auto with = [&](int references) {
    std::string message = "Content-Type: multipart/mixed; boundary=\"o \"\r\n\r\n";
    for (int i = 0; i < references; ++i) message += "--o\r\n" + snippet + "\r\n";
    return Resolve(*store, desk, message + "--o--\r\n", false, {owner, Role::kPf}, {}, 20'000);
  };
  EXPECT_EQ(Must(with(7)).not_resolved.size(), 7U);
  EXPECT_EQ(tests::ErrorOf(with(9)), storage::Errc::kTooBig);
}

TEST_F(DeskTest, APlanHoldsOctetsAndNotTheirMessages) {
  std::string message = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 2'000; ++i) message += "--b\r\nContent-Type: image/png\r\n\r\nabcd\r\n";
  Must(tests::Append(*store, owner, "INBOX", {message + "--b--\r\n"}));
  auto wish = WishFor("7");
  wish.uid = {2};
  const auto issued = Issue(wish);
  std::string referring = "Content-Type: multipart/mixed; boundary=o\r\n\r\n";
  for (int i = 0; i < 50; ++i) referring += "--o\r\n" + issued.external_body + "\r\n";
  auto resolved =
      Must(Resolve(*store, desk, referring + "--o--\r\n", false, {owner, Role::kPf}, {}, 1 << 20));
  ASSERT_EQ(resolved.used.size(), 50U);
  EXPECT_LT(resolved.message.held(), 150'000U);
  EXPECT_GT(resolved.message.held(), 50 * sizeof(PartReader));
  // What it is spared.
  EXPECT_GT(Must(PartReader::Open(*store, {folder, {2}, *protocol::ReadSection("7"), {}, {}}))->held(),
            100'000U);
  const auto text = All(std::move(resolved.message));
  EXPECT_NE(text.find("YWJjZA=="), std::string::npos);
}

TEST_F(DeskTest, ALargeResultIsRefused) {
  const auto image = Issue(WishFor("2"));
  EXPECT_EQ(tests::ErrorOf(Resolve(*store, desk, image.external_body, false, {owner, Role::kPf}, {}, 3)),
            storage::Errc::kTooBig);
}

/// A desk over a store whose disk fails on command, with one message.
class FailingDeskTest : public testing::Test {
 protected:
  FailingDeskTest() { Must(tests::Append(*store, owner, "INBOX", {kMessage})); }
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

TEST(Base64SizeTest, IsThatOfTheLines) {
  for (std::size_t size = 0; size < 400; ++size) {
    std::string out;
    protocol::text::Base64Lines lines;
    lines.Add(out, std::string(size, 'x'));
    lines.End(out);
    EXPECT_EQ(Base64Size(size), out.size()) << size;
  }
}

}  // namespace
}  // namespace server::references
