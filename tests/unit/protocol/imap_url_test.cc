// IMAP URLs of messages: RFC 5092 §11, RFC 4467 §9.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/imap/limits.h"
#include "protocol/imap/url.h"
#include "protocol/model/timestamp.h"

namespace protocol {
namespace {

using Kind = UrlAccess::Kind;
using namespace std::string_literals;

const std::string kToken = std::string(66, 'a');

struct Good {
  std::string text;
  ImapUrl url;
};

std::vector<Good> GoodUrls() {
  ImapUrl plain{.user = "joe", .host = "example.com", .mailbox = "INBOX", .uid = {20}};
  std::vector<Good> all{{"imap://joe@example.com/INBOX/;UID=20", plain}};
  ImapUrl part = plain;
  part.section = Section{.part = {1, 2}};
  all.push_back({"imap://joe@example.com/INBOX/;UID=20/;SECTION=1.2", part});
  ImapUrl full = part;
  full.user = "tel:+15550100111";
  full.host = "cms.example.net:1143";
  full.mailbox = "Default/tel:+15550100222";
  full.uid_validity = UidValidity{1456900000};
  full.partial = UrlPartial{5, 10};
  full.expire = 1457481600;
  full.access = {Kind::kSubmit, "tel:+15550100111"};
  full.verifier = {"INTERNAL", kToken};
  all.push_back(
      {"imap://tel%3A+15550100111@cms.example.net:1143/Default/tel:+15550100222;UIDVALIDITY=1456900000/"
       ";UID=20/;SECTION=1.2/;PARTIAL=5.10;EXPIRE=2016-03-09T00:00:00Z;URLAUTH=submit+tel%3A+15550100111:"
       "INTERNAL:" +
           kToken,
       full});
  ImapUrl rump = plain;
  rump.access = {Kind::kAnonymous, {}};
  all.push_back({"imap://joe@example.com/INBOX/;UID=20;URLAUTH=anonymous", rump});
  rump.access = {Kind::kAuthUser, {}};
  rump.partial = UrlPartial{7, std::nullopt};
  all.push_back({"imap://joe@example.com/INBOX/;UID=20/;PARTIAL=7;URLAUTH=authuser", rump});
  ImapUrl relative{.user = {}, .host = {}, .mailbox = "R\xc3\xa9sum\xc3\xa9s/a b", .uid = {1}};
  relative.section = Section{.part = {}, .kind = Section::Kind::kHeaderFields, .fields = {"To", "Cc"}};
  all.push_back({"/R%C3%A9sum%C3%A9s/a%20b/;UID=1/;SECTION=HEADER.FIELDS%20(To%20Cc)", relative});
  return all;
}

TEST(ImapUrl, SaysWhatItSaysAndIsWrittenAsItWas) {
  for (const auto& [text, url] : GoodUrls()) {
    const auto parsed = ParseImapUrl(text);
    ASSERT_TRUE(parsed) << text << ": expected " << parsed.error();
    EXPECT_EQ(*parsed, url) << text;
    EXPECT_EQ(WriteImapUrl(url), text);
  }
}

TEST(ImapUrl, WordsAreReadInAnyCase) {
  const auto url =
      ParseImapUrl("IMAP://joe@EXAMPLE.com/inbox;uidvalidity=3/;uid=20/;section=1.mime;urlauth=Submit+x");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->mailbox, "INBOX");
  EXPECT_EQ(url->section->kind, Section::Kind::kMime);
  EXPECT_EQ(url->access->kind, Kind::kSubmit);
}

TEST(ImapUrl, TheRumpIsCutOffAndNothingElse) {
  const std::string rump = "imap://joe@Example.COM/%49NBOX/;uid=020;urlauth=user+x";
  const std::string full = rump + ":internal:" + kToken;
  const auto url = ParseImapUrl(full);
  ASSERT_TRUE(url);
  EXPECT_EQ(RumpOf(full, *url), rump);
  EXPECT_EQ(RumpOf(rump, *ParseImapUrl(rump)), rump);
}

TEST(ImapUrl, IsStrict) {
  const std::vector<std::string> bad{
      "",
      "/",
      "imap:",
      "imap://",
      "http://joe@example.com/INBOX/;UID=20",
      "INBOX/;UID=20",
      ";UID=20",
      // No message: a server, a list, a mailbox, a search (RFC 4467 §3).
      "imap://joe@example.com",
      "imap://joe@example.com/",
      "imap://joe@example.com/INBOX",
      "imap://joe@example.com/INBOX;UIDVALIDITY=3",
      "imap://joe@example.com/INBOX?SUBJECT%20x",
      "imap://joe@example.com/INBOX;URLAUTH=anonymous",
      // Places and numbers.
      "imap://joe@example.com//;UID=20",
      "imap://joe@example.com//INBOX/;UID=20",
      "//joe@example.com/INBOX/;UID=20",
      "imap://joe@example.com/INBOX/;UID=0",
      "imap://joe@example.com/INBOX/;UID=",
      "imap://joe@example.com/INBOX;UID=20",
      "imap://joe@example.com/INBOX/;UID=4294967296",
      "imap://joe@example.com/INBOX/;UID=-1",
      "imap://joe@example.com/INBOX;UIDVALIDITY=0/;UID=20",
      "imap://joe@example.com/INBOX/;UID=20/",
      "imap://joe@example.com/INBOX/;UID=20/;UID=21",
      "imap://joe@example.com/INBOX/;UID=20;SECTION=1",
      "imap://joe@example.com/INBOX/;UID=20/;SECTION=",
      "imap://joe@example.com/INBOX/;UID=20/;SECTION=0",
      "imap://joe@example.com/INBOX/;UID=20/;SECTION=1.x",
      "imap://joe@example.com/INBOX/;UID=20/;SECTION=1]",
      "imap://joe@example.com/INBOX/;UID=20/;SECTION=1%5D",
      "imap://joe@example.com/INBOX/;UID=20/;PARTIAL=1.0",
      "imap://joe@example.com/INBOX/;UID=20/;PARTIAL=4294967296.1",
      "imap://joe@example.com/INBOX/;UID=20/;PARTIAL=1.",
      "imap://joe@example.com/INBOX/;UID=20/;PARTIAL=1.1/;SECTION=1",
      // Escapes, and what must not be there as it is.
      "imap://joe@example.com/IN%4/;UID=20",
      "imap://joe@example.com/IN%4G/;UID=20",
      "imap://joe@example.com/IN%00/;UID=2",
      "imap://joe@example.com/IN%0D%0A/;UID=20",
      "imap://joe@example.com/%FF/;UID=20",
      "imap://joe@example.com/a b/;UID=20",
      "imap://joe@example.com/\xc3\xa4/;UID=20",
      "imap://jo:e@example.com/a/;UID=20",
      "imap://@example.com/INBOX/;UID=20",
      "imap://joe@/INBOX/;UID=20",
      "imap://joe@a@b/INBOX/;UID=20",
      "imap://joe@example.com:0/INBOX/;UID=20",
      "imap://joe@example.com:65536/INBOX/;UID=20",
      "imap://joe@example.com/INBOX/;UID=20#x",
      "imap://joe@example.com/INBOX/;UID=20\r\n",
      // Authorization.
      "imap://joe@example.com/INBOX/;UID=20;EXPIRE=2016-03-09T00:00:00Z",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=stream",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=submit+",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuserx",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=user",
      "imap://joe@example.com/INBOX/;UID=20;EXPIRE=2016-02-30T00:00:00Z;URLAUTH=authuser",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuser;EXPIRE=2016-03-09T00:00:00Z",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuser:INTERNAL",
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuser:INTERNAL:" + std::string(31, 'a'),
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuser:INTERNAL:" + std::string(40, 'g'),
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuser::" + kToken,
      "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuser:INTERNAL:" + kToken + ":x",
  };
  for (const auto& text : bad) EXPECT_FALSE(ParseImapUrl(text)) << text;
}

TEST(ImapUrl, HasALimit) {
  const std::string start = "imap://joe@example.com/INBOX/;UID=20;URLAUTH=authuser:INTERNAL:";
  EXPECT_TRUE(ParseImapUrl(start + std::string(limits::kUrl - start.size(), 'a')));
  const auto over = ParseImapUrl(start + std::string(limits::kUrl - start.size() + 1, 'a'));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error(), "a shorter URL");
}

TEST(ImapUrl, EveryChangedOctetIsRefusedOrLeavesAnotherTextBehind) {
  for (const auto& [text, url] : GoodUrls()) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string changed = text;
        changed[i] = static_cast<char>(octet);
        const auto parsed = ParseImapUrl(changed);
        if (!parsed || changed == text) continue;
        // What it says can be said and read again, and a change of the rump shows in the rump.
        EXPECT_EQ(ParseImapUrl(WriteImapUrl(*parsed)), parsed) << changed;
        const auto before = RumpOf(text, url);
        const bool in_rump = RumpOf(changed, *parsed) != before;
        EXPECT_TRUE(in_rump || (parsed->verifier && *parsed->verifier != *url.verifier)) << changed;
      }
    }
  }
}

TEST(Timestamp, IsReadStrictly) {
  EXPECT_EQ(ParseTimestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ParseTimestamp("2016-03-09t01:00:00.25+01:00"), 1457481600);
  EXPECT_EQ(ParseTimestamp("2016-03-08T23:30:00-00:30"), 1457481600);
  EXPECT_EQ(ParseTimestamp("2016-12-31T23:59:60Z"), 1483228799);
  for (const auto* bad : {"", "2016-03-09", "2016-03-09T00:00:00", "2016-03-09T00:00Z",
                          "2016-13-09T00:00:00Z", "2016-03-09T24:00:00Z", "2016-02-30T00:00:00Z",
                          "2016-03-09T00:00:00+24:00", "2016-03-09T00:00:00+0100", "2016-03-09T00:00:00.Z",
                          "2016-03-09T00:00:00ZZ", "+016-03-09T00:00:00Z", "2016-03-09 00:00:00Z",
                          "2016-03-09T00:00:61Z", "0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"})
    EXPECT_FALSE(ParseTimestamp(bad)) << bad;
  for (const std::int64_t time : {std::int64_t{0}, std::int64_t{1457481600}, std::int64_t{253402300799}})
    EXPECT_EQ(ParseTimestamp(FormatTimestamp(time)), time);
}

}  // namespace
}  // namespace protocol
