#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/mime/inspect.h"
#include "protocol/mime/words.h"
#include "protocol/text/charset.h"

namespace protocol::mime {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Inspection Of(std::string_view octets, const InspectLimits& limits = {}) {
  MemorySource source(octets);
  auto found = Inspect(source, limits);
  EXPECT_TRUE(found);
  return found ? *std::move(found) : Inspection{};
}

std::string Times(int n, const std::string& text) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

/// From Date to Message-ID only what stands at From.
std::string AddressesOf(const std::string& from) {
  const std::string envelope = Of("To: " + from + "\r\n\r\n").envelope;
  const std::string before = "(NIL NIL NIL NIL NIL ";
  const std::string after = " NIL NIL NIL NIL)";
  EXPECT_THAT(envelope, StartsWith(before));
  EXPECT_THAT(envelope, EndsWith(after));
  return envelope.substr(before.size(), envelope.size() - before.size() - after.size());
}

struct AddressCase {
  const char* name;
  const char* field;
  const char* wire;
};
class EnvelopeAddress : public testing::TestWithParam<AddressCase> {};
TEST_P(EnvelopeAddress, IsWrittenAsMailboxAndHost) {
  EXPECT_EQ(AddressesOf(GetParam().field), GetParam().wire);
}
INSTANTIATE_TEST_SUITE_P(
    Forms, EnvelopeAddress,
    testing::Values(
        AddressCase{"addr_spec", "a@b.c", R"(((NIL NIL "a" "b.c")))"},
        AddressCase{"name_addr", "Bea B. <a@b>", R"((("Bea B." NIL "a" "b")))"},
        AddressCase{"quoted_name", R"("Doe, \"J\"" <a@b>)", R"((("Doe, \"J\"" NIL "a" "b")))"},
        AddressCase{"comment_as_name", "a@b (Bea)", R"((("Bea" NIL "a" "b")))"},
        AddressCase{"nested_comment", "a@b (Bea (B) \\) x)", R"((("Bea (B) ) x" NIL "a" "b")))"},
        AddressCase{
            "group", "T: a@b, c@d; , e@f",
            R"(((NIL NIL "T" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL)(NIL NIL "e" "f")))"},
        AddressCase{"empty_group", "undisclosed-recipients:;",
                    R"(((NIL NIL "undisclosed-recipients" NIL)(NIL NIL NIL NIL)))"},
        AddressCase{"unclosed_group", "T: a@b", R"(((NIL NIL "T" NIL)(NIL NIL "a" "b")(NIL NIL NIL NIL)))"},
        AddressCase{"route", "<@x,@y:a@b>", R"(((NIL "@x,@y" "a" "b")))"},
        AddressCase{"no_host", "bob", R"(((NIL NIL "bob" "")))"},
        AddressCase{"bare_number", "+15550100222", R"(((NIL NIL "+15550100222" "")))"},
        AddressCase{"domain_literal", "a@[192.0.2.1]", R"(((NIL NIL "a" "[192.0.2.1]")))"},
        AddressCase{"unclosed_angle", "Bea <a@b", R"((("Bea" NIL "a" "b")))"},
        AddressCase{"unclosed_quote", "\"Bea <a@b>", R"(((NIL NIL "Bea <a@b>" "")))"},
        AddressCase{"comma_in_encoded_word", "=?utf-8?q?a,b?= <a@b>", R"((("=?utf-8?q?a,b?=" NIL "a" "b")))"},
        AddressCase{"tel", "tel:+1555", R"(((NIL NIL "tel:+1555" "")))"},
        AddressCase{"tel_in_brackets", "<tel:+1555;phone-context=x>",
                    R"(((NIL NIL "tel:+1555;phone-context=x" "")))"},
        AddressCase{"named_tel", "Bea <tel:+1555>", R"((("Bea" NIL "tel:+1555" "")))"},
        AddressCase{"sip", "sip:bea@x.example", R"(((NIL NIL "sip:bea" "x.example")))"},
        AddressCase{"two_uris", "sip:bea@x , <SIP:c@d;lr>, tel:+1",
                    R"(((NIL NIL "sip:bea" "x")(NIL NIL "SIP:c" "d;lr")(NIL NIL "tel:+1" "")))"},
        AddressCase{"uris_in_group", "T: tel:+1, tel:+2;",
                    R"(((NIL NIL "T" NIL)(NIL NIL "tel:+1" "")(NIL NIL "tel:+2" "")(NIL NIL NIL NIL)))"},
        AddressCase{"sip_without_user", "sip:x.example", R"(((NIL NIL "sip:x.example" "")))"},
        AddressCase{"nothing", " , ,", "NIL"}),
    [](const auto& info) { return info.param.name; });

TEST(EnvelopeTest, PresentButEmptyIsNotNil) {
  EXPECT_EQ(Of("Subject:\r\nDate: \r\nFrom: \r\n\r\n").envelope,
            R"(("" "" NIL NIL NIL NIL NIL NIL NIL NIL))");
}
TEST(EnvelopeTest, FirstSubjectAndAllRecipientsCount) {
  EXPECT_EQ(Of("Subject: a\r\nSubject: b\r\nTo: a@b\r\nTo: c@d\r\n\r\n").envelope,
            R"((NIL "a" NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL))");
}
TEST(EnvelopeTest, SenderAndReplyToOfTheirOwnAreKept) {
  EXPECT_EQ(Of("Reply-To: r@r\r\nFrom: f@f\r\nSender: s@s\r\n\r\n").envelope,
            R"((NIL NIL ((NIL NIL "f" "f")) ((NIL NIL "s" "s")) ((NIL NIL "r" "r")) NIL NIL NIL NIL NIL))");
}
TEST(EnvelopeTest, EightBitIsALiteralAndNulIsGone) {
  EXPECT_THAT(Of(std::string("Subject: caf\xc3\xa9\0!\r\n\r\n", 19)).envelope,
              HasSubstr("{6}\r\ncaf\xc3\xa9! "));
}
TEST(EnvelopeTest, FloodOfRecipientsIsCut) {
  const auto found = Of(Times(60'000, "To:a\n") + "Subject: s\n\n");
  EXPECT_LT(found.envelope.size(), 200'000U);
}

TEST(InspectLimitsTest, DeeperThanAllowedIsALeaf) {
  std::string octets;
  for (int i = 0; i < 200; ++i) {
    if (i > 0) octets += "--b" + std::to_string(i - 1) + "\r\n";
    octets += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\r\n\r\n";
  }
  const auto found = Of(octets, {.max_depth = 3});
  ASSERT_EQ(found.parts.size(), 4U);
  EXPECT_EQ(found.parts[3].kind, PartKind::kLeaf);
  EXPECT_EQ(found.parts[3].body_end, octets.size());
  EXPECT_THAT(found.body, StartsWith(R"((((("application" "octet-stream" NIL NIL NIL "7bit" )"));
  EXPECT_EQ(Of(octets).parts.size(), 101U);
}
TEST(InspectLimitsTest, MessagesInMessagesAreCutToo) {
  const auto found = Of(Times(1000, "Content-Type: message/rfc822\r\n\r\n"), {.max_depth = 2});
  EXPECT_EQ(found.parts.size(), 3U);
  EXPECT_EQ(found.parts[2].kind, PartKind::kLeaf);
}
TEST(InspectLimitsTest, LastPartTakesTheRest) {
  const std::string octets =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + Times(10, "--b\r\n\r\nx\r\n") + "--b--\r\n";
  const auto found = Of(octets, {.max_parts = 4});
  ASSERT_EQ(found.parts.size(), 4U);
  EXPECT_EQ(found.parts[3].body_end, octets.size());
  EXPECT_EQ(octets.substr(found.parts[3].body_begin, 8), "x\r\n--b\r\n");
}
TEST(InspectLimitsTest, HundredThousandPartsFitARow) {
  const std::string octets = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
                             Times(100'000, "--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n") + "--b--\r\n";
  const auto found = Of(octets);
  EXPECT_GT(found.parts.size(), 3000U);
  EXPECT_EQ(found.parts.back().body_end, octets.size());
  EXPECT_LT(found.body.size() + found.body_structure.size() + EncodeParts(found.parts).size() +
                found.envelope.size(),
            1'000'000U);
}
TEST(InspectLimitsTest, PartsWithLongParametersFitARow) {
  const std::string octets =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
      Times(200, "--b\r\nContent-Type: text/plain; x=" + std::string(20'000, 'x') + "\r\n\r\nhello\r\n") +
      "--b--\r\n";
  const auto found = Of(octets);
  EXPECT_LT(found.body.size() + found.body_structure.size(), 900'000U);
}
TEST(InspectLimitsTest, SearchTextIsCutAtACharacterAndSaysSo) {
  const auto found = Of("\r\n" + Times(100, "\xc3\xa9"), {.max_search_text = 11});
  EXPECT_EQ(found.search_text, Times(5, "\xc3\xa9"));
  EXPECT_TRUE(found.search_truncated);
}
TEST(InspectLimitsTest, SearchHeaderKeepsWholeFields) {
  const auto found = Of("Subject: one\r\nX: two\r\n\r\n", {.max_search_header = 15});
  EXPECT_EQ(found.search_header, "subject: one\n");
  EXPECT_TRUE(found.search_truncated);
}

TEST(InspectSearchTest, WordsAndCharsetsAreDecodedAndFolded) {
  const auto found =
      Of("SUBJECT: =?iso-8859-1?q?STRA=DFE?=\r\n =?utf-8?b?w4k=?=\r\nContent-Type: text/plain; "
         "charset=koi8-r\r\n"
         "Content-Transfer-Encoding: base64\r\n\r\n8NLJ18XU\r\n");
  EXPECT_THAT(found.search_header, StartsWith("subject: strasse\xc3\xa9\n"));
  EXPECT_EQ(found.search_text, "\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82\n");
  EXPECT_FALSE(found.search_truncated);
}
TEST(InspectSearchTest, AnEncodedLineEndDoesNotForgeAField) {
  EXPECT_EQ(Of("A: =?utf-8?q?x=0D=0Ab:_c?=\r\n\r\n").search_header, "a: x  b: c\n");
}
// GMime reads no further than the first word's padding.
TEST(InspectSearchTest, EncodedWordsWithPaddingAreCompleteInThemselves) {
  EXPECT_EQ(DecodeWords("=?utf-8?B?YQ==?= =?utf-8?b?Yg==?= \t=?UTF-8?B?Yw==?="), "abc");
  EXPECT_EQ(DecodeWords("=?utf-8?B?YQ==?= b =?utf-8?B?Yw==?= =?utf-8?q?d?= e"), "a b cd e");
  // Senders that break a character between two words: the first has no padding.
  EXPECT_EQ(DecodeWords("=?utf-8?B?w4nD?= =?utf-8?B?qQ==?="), "\xc3\x89\xc3\xa9");
}
TEST(InspectSearchTest, WordsInAnUnknownCharsetAreStillUtf8) {
  const auto found = Of("Subject: =?x-none?q?a=E9?= =?utf-8?q?=FF?=\r\n\r\n");
  ASSERT_TRUE(found.subject);
  EXPECT_TRUE(text::IsValidUtf8(*found.subject)) << *found.subject;
}
TEST(InspectSearchTest, CpimIsItsInnerText) {
  const auto found =
      Of("Content-Type: message/cpim\r\n\r\nFrom: <sip:hidden@x>\r\nNS: imdn\r\n\r\n"
         "Content-Type: text/plain; charset=utf-8\r\n\r\nLUNCH?\r\n");
  EXPECT_EQ(found.search_text, "lunch?\n");
  EXPECT_EQ(found.parts.size(), 1U);
  EXPECT_EQ(found.parts[0].media, Media::kCpim);
}
TEST(InspectSearchTest, CpimWithPartsIsStillALeaf) {
  const auto found =
      Of("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/cpim\r\n\r\nTo: "
         "x\r\n\r\n"
         "Content-Type: multipart/related; boundary=c\r\n\r\n--c\r\n\r\none\r\n--c\r\nContent-Type: "
         "image/png\r\n\r\nbits\r\n"
         "--c--\r\n--b\r\n\r\ntwo\r\n--b--\r\n");
  EXPECT_EQ(found.search_text, "one\ntwo\n");
  ASSERT_EQ(found.parts.size(), 3U);
  EXPECT_THAT(found.body, StartsWith(R"((("message" "cpim" NIL NIL NIL "7bit" )"));
}
TEST(InspectSearchTest, EncodedCpimIsReadAsText) {
  EXPECT_EQ(
      Of("Content-Type: message/cpim\r\nContent-Transfer-Encoding: base64\r\n\r\nVE86IFgK\r\n").search_text,
      "to: x\n");
}
TEST(InspectSearchTest, AttachedHeadersAreText) {
  const auto found = Of("Content-Type: message/rfc822\r\n\r\nSubject: INNER\r\n\r\nbody\r\n");
  EXPECT_EQ(found.search_text, "subject: inner\nbody\n");
  EXPECT_THAT(found.search_header, Not(HasSubstr("inner")));
}
TEST(InspectSearchTest, TextWithoutItsBoundaryIsFound) {
  EXPECT_EQ(Of("Content-Type: multipart/mixed; boundary=b\r\n\r\nLost\r\n").search_text, "lost\n");
}

TEST(InspectValuesTest, FirstNonEmptyOccurrenceIsTaken) {
  const auto found =
      Of("Conversation-ID:\r\nconversation-id:  a b\r\n\tc \r\nConversation-ID: later\r\n"
         "InReplyTo-Contribution-ID: r\r\nMessage-Correlator: =?utf-8?b?w4dhIHZhID8=?=\r\n"
         "Message-Context: \"Pager-Message\"\r\nIMDN-Message-ID: MiXed\r\n\r\n");
  EXPECT_EQ(found.conversation_id, "a b c");
  EXPECT_EQ(found.in_reply_to_contribution_id, "r");
  EXPECT_EQ(found.message_correlator,
            "\xc3\x87"
            "a va ?");
  EXPECT_EQ(found.message_context, "pager-message");
  EXPECT_EQ(found.imdn_message_id, "MiXed");
  EXPECT_FALSE(found.contribution_id);
}
TEST(InspectValuesTest, OverlongIdIsNotGiven) {
  EXPECT_TRUE(Of("Conversation-ID: " + std::string(640, 'x') + "\r\n\r\n").conversation_id);
  EXPECT_FALSE(Of("Conversation-ID: " + std::string(641, 'x') + "\r\n\r\n").conversation_id);
}
TEST(InspectValuesTest, ReferencesKeepTheNearest) {
  const auto found = Of("References: <1@a> junk <2@a>\r\n <3@a\r\n <4@a>\r\n\r\n", {.max_references = 2});
  EXPECT_THAT(found.references, ElementsAre("<2@a>", "<4@a>"));
}

struct DateCase {
  const char* name;
  const char* text;
  std::optional<InternalDate> date;
};
class HeaderDate : public testing::TestWithParam<DateCase> {};
TEST_P(HeaderDate, IsRead) { EXPECT_EQ(ParseHeaderDate(GetParam().text), GetParam().date); }
INSTANTIATE_TEST_SUITE_P(
    Forms, HeaderDate,
    testing::Values(DateCase{"rfc5322", "Wed, 02 Mar 2016 10:15:01 +0100", InternalDate{1456910101, 60}},
                    DateCase{"no_weekday", "2 Mar 2016 10:15:01 +0100", InternalDate{1456910101, 60}},
                    DateCase{"no_seconds", "Wed, 2 Mar 2016 09:15 +0000", InternalDate{1456910100, 0}},
                    DateCase{"west", "Wed, 02 Mar 2016 03:45:01 -0530", InternalDate{1456910101, -330}},
                    DateCase{"zone_name", "Wed, 02 Mar 2016 04:15:01 EST", InternalDate{1456910101, -300}},
                    DateCase{"comment", "Wed, 02 Mar 2016 09:15:01 GMT (noon)", InternalDate{1456910101, 0}},
                    DateCase{"two_digit_year", "21 Nov 97 09:55:06 -0600", InternalDate{880127706, -360}},
                    DateCase{"leap_day", "29 Feb 2016 00:00:00 +0000", InternalDate{1456704000, 0}},
                    DateCase{"empty", "", std::nullopt},
                    DateCase{"words", "yesterday at noon", std::nullopt}),
    [](const auto& info) { return info.param.name; });

TEST(InspectParametersTest, SectionsAreJoined) {
  EXPECT_THAT(Of("Content-Type: a/b; n*1=\" two\"; n*0=one; m*1*=%41; m*0*=utf-8''%42; k=v\r\n\r\n").body,
              StartsWith(R"(("a" "b" ("n" "one two" "m*" "utf-8''%42%41" "k" "v") NIL NIL "7bit" 0))"));
}
TEST(InspectParametersTest, MissingQuotesAndSemicolonsAreForgiven) {
  EXPECT_THAT(Of("Content-Type: a/b (c); ; x = \"y\\\"\" z; w=v;q\r\n\r\n").body,
              StartsWith(R"(("a" "b" ("x" "y\"" "w" "v") NIL)"));
}

/// Fails, or gives one octet at a time.
class StubbornSource final : public Source {
 public:
  StubbornSource(std::string_view octets, std::uint64_t fail_at) : octets_(octets), fail_at_(fail_at) {}
  std::uint64_t size() const override { return octets_.size(); }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    if (offset >= fail_at_) return -1;
    return MemorySource(octets_).Read(offset, out.first(std::min<std::size_t>(1, out.size())));
  }

 private:
  std::string_view octets_;
  std::uint64_t fail_at_;
};

constexpr std::string_view kTwoParts =
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\nContent-Type: "
    "message/rfc822\r\n\r\n"
    "Subject: s\r\n\r\ntwo\r\n--b--\r\n";

TEST(InspectSourceTest, OctetByOctetGivesTheSame) {
  StubbornSource slow(kTwoParts, kTwoParts.size());
  const auto found = Inspect(slow);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->parts, Of(kTwoParts).parts);
  EXPECT_EQ(found->body_structure, Of(kTwoParts).body_structure);
  EXPECT_EQ(found->search_text, Of(kTwoParts).search_text);
}
TEST(InspectSourceTest, AFailureAnywhereIsAnError) {
  for (std::uint64_t at = 0; at < kTwoParts.size(); ++at) {
    StubbornSource source(kTwoParts, at);
    EXPECT_EQ(Inspect(source), tl::unexpected<SourceFailed>(SourceFailed{})) << at;
  }
}
TEST(InspectSourceTest, LinesLongerThanTheBufferAreWhole) {
  const std::string line(200'000, 'x');
  const std::string octets = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b" +
                             std::string(100'000, ' ') + "\r\n\r\n" + line + "\r\n--b-- " + line + "\r\n";
  const auto found = Of(octets);
  ASSERT_EQ(found.parts.size(), 2U);
  EXPECT_EQ(found.parts[1].body_end - found.parts[1].body_begin, line.size());
  EXPECT_EQ(found.parts[0].body_end, octets.size());
}
TEST(InspectSourceTest, ADelimiterIsFoundWhereverTheBufferEnds) {
  for (std::size_t fill = 65'520; fill < 65'545; ++fill) {
    const std::string head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n";
    const std::string octets = head + std::string(fill - head.size(), 'x') + "\r\n--b\r\n\r\ny\r\n--b--\r\n";
    const auto found = Of(octets);
    ASSERT_EQ(found.parts.size(), 3U) << fill;
    EXPECT_EQ(found.parts[1].body_end, fill);
  }
}
TEST(InspectSourceTest, ManyThreadsAgree) {
  const std::string octets =
      "Subject: =?iso-2022-jp?b?GyRCJCIbKEI=?=\r\nDate: 2 mar 2016 9h\r\n" + std::string(kTwoParts);
  const std::string expected = Of(octets).search_header;
  std::vector<std::string> got(4);
  std::vector<std::thread> threads;
  for (auto& mine : got) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) mine = Of(octets).search_header;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(got, testing::Each(expected));
}

}  // namespace
}  // namespace protocol::mime
