// Messages whose references are resolved: what stands in their place, what is left alone, and what it costs.
#include "server/references/message_exchange.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "protocol/imap/limits.h"
#include "server/references/url_token.h"
#include "tests/unit/server/references/desk_fixture.h"

namespace server::references {
namespace {

using storage::Role;
using tests::Must;
using MessageExchangeTest = OneMessageFixture;

TEST_F(MessageExchangeTest, DataTakeThePlaceOfReferences) {
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

TEST_F(MessageExchangeTest, OthersReferencesStayAndWhatIsWithinIsLeftAlone) {
  const auto image = Issue(WishFor("2"));
  for (const std::string& message :
       {std::string(
            "Content-Type: message/external-body; access-type=URL; URL=\"https://example.org/\"\r\n\r\n\r\n"),
        "Content-Type: message/rfc822\r\n\r\n" + image.external_body, std::string(), std::string("x"),
        std::string("Content-Type: message/cpim\r\n\r\nFrom: x"), std::string("Content-Type: message/cpim")})
    EXPECT_EQ(ResolvedOf(message), message);
}

TEST_F(MessageExchangeTest, WhatIsOfThisServerAndBrokenIsTold) {
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

TEST_F(MessageExchangeTest, WhatIsToldOfAUrlIsPrintableAndNotLong) {
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

TEST_F(MessageExchangeTest, NoLengthThatWasIsLeft) {
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
TEST_F(MessageExchangeTest, ABoundaryStaysALineOfItsOwn) {
  const auto snippet = Issue(WishFor("2")).external_body;
  const auto header = snippet.substr(0, snippet.find("\r\n\r\n") + 2);
  const std::string outer = "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n";
  for (const auto& part : {header, header + "\r\n"}) {
    const auto text = ResolvedOf(outer + part + "--o\r\n\r\nbeside\r\n--o--\r\n");
    EXPECT_TRUE(text.ends_with("AAECAwQF\r\n--o\r\n\r\nbeside\r\n--o--\r\n")) << text;
  }
}

TEST_F(MessageExchangeTest, WhoeverSendsAHeaderSaysHowLongItIs) {
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
TEST_F(MessageExchangeTest, WhatIsAroundDataHasNoLowerEncoding) {
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
TEST_F(MessageExchangeTest, AMessageThatRefersToItselfIsNoCircle) {
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

/// What is looked for in a part that is not to be encoded has a limit, though nothing of it comes in.
TEST_F(MessageExchangeTest, SearchingForBoundariesHasALimit) {
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

TEST_F(MessageExchangeTest, APlanHoldsOctetsAndNotTheirMessages) {
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

TEST_F(MessageExchangeTest, ALargeResultIsRefused) {
  const auto image = Issue(WishFor("2"));
  EXPECT_EQ(tests::ErrorOf(Resolve(*store, desk, image.external_body, false, {owner, Role::kPf}, {}, 3)),
            storage::Errc::kTooBig);
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
