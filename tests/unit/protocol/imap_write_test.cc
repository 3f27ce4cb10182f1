#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "protocol/imap/capability.h"
#include "protocol/imap/limits.h"
#include "protocol/imap/object_id.h"
#include "protocol/imap/reply.h"
#include "protocol/imap/write/acl.h"
#include "protocol/imap/write/fetch.h"
#include "protocol/imap/write/flags.h"
#include "protocol/imap/write/mailbox.h"
#include "protocol/imap/write/metadata.h"
#include "protocol/imap/write/quota.h"
#include "protocol/imap/write/search.h"
#include "protocol/imap/write/server.h"
#include "protocol/imap/write/sort.h"
#include "protocol/imap/write/string.h"
#include "protocol/imap/write/urlauth.h"

namespace protocol {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

/// The bytes that a writer appends.
template <class F>
std::string Written(F&& f) {
  std::string out;
  f(out);
  return out;
}

struct StringCase {
  std::string_view octets;
  std::string_view astring;
  std::string_view string;
};

TEST(WriteStringTest, ChoosesAtomQuotedOrLiteral) {
  const std::vector<StringCase> all{
      {"abc", "abc", "\"abc\""},
      {"", "\"\"", "\"\""},
      {"nil", "\"nil\"", "\"nil\""},
      {"a b", "\"a b\"", "\"a b\""},
      {"a]b", "\"a]b\"", "\"a]b\""},
      {"a\"b\\", "\"a\\\"b\\\\\"", "\"a\\\"b\\\\\""},
      {"a\r\nb", "{4}\r\na\r\nb", "{4}\r\na\r\nb"},
      {"\xc3\xa9", "{2}\r\n\xc3\xa9", "{2}\r\n\xc3\xa9"},
      {std::string_view("a\0b", 3), "{3}\r\na?b", "{3}\r\na?b"},
  };
  for (const auto& c : all) {
    EXPECT_EQ(Written([&](auto& out) { write::AString(out, c.octets); }), c.astring);
    EXPECT_EQ(Written([&](auto& out) { write::String(out, c.octets); }), c.string);
    EXPECT_EQ(Written([&](auto& out) { write::NString(out, c.octets); }), c.string);
  }
  EXPECT_EQ(Written([](auto& out) { write::NString(out, std::nullopt); }), "NIL");
}

TEST(WriteUrlauthTest, UrlsAreStrings) {
  const std::vector<std::string> urls{"imap://joe@x/a/;UID=1", "b"};
  EXPECT_EQ(Written([&](auto& out) { write::GenUrlAuthLine(out, urls); }),
            "* GENURLAUTH \"imap://joe@x/a/;UID=1\" \"b\"\r\n");
}

TEST(WriteUrlauthTest, UrlFetchHasDataOrMetadataOfEachUrl) {
  EXPECT_EQ(
      Written([](auto& out) {
        write::UrlFetchResponse response(out);
        response.Url("a");
        response.Nil();
        response.Url("b");
        response.Literal(1);
        out += "x";
        response.Url("c");
        response.Structure("(1)");
        response.OpenBody(2);
        out += "yz";
        response.Close();
        response.Url("d");
        response.OpenBinary(1, /*nul=*/true);
        out += '\0';
        response.Close();
        response.Url("e");
        response.OpenBinary(0, /*nul=*/false);
        response.Close();
        response.Url("f");
        response.BinaryNil();
        response.End();
      }),
      "* URLFETCH \"a\" NIL \"b\" {1}\r\nx \"c\" (BODYPARTSTRUCTURE (1)) (BODY {2}\r\nyz) \"d\" (BINARY "
      "~{1}\r\n\0) \"e\" (BINARY {0}\r\n) \"f\" (BINARY NIL)\r\n"s);
}

TEST(WriteStringTest, LongStringsAreLiterals) {
  const std::string longest(1000, 'x');
  EXPECT_EQ(Written([&](auto& out) { write::String(out, longest); }), "\"" + longest + "\"");
  EXPECT_EQ(Written([&](auto& out) { write::String(out, longest + "x"); }), "{1001}\r\n" + longest + "x");
}

TEST(WriteStringTest, MailboxNamesAreModifiedUtf7) {
  EXPECT_EQ(Written([](auto& out) { write::Mailbox(out, "INBOX/Entw\xc3\xbcrfe"); }), "INBOX/Entw&APw-rfe");
  EXPECT_EQ(Written([](auto& out) { write::Mailbox(out, "R & D"); }), "\"R &- D\"");
  EXPECT_EQ(Written([](auto& out) { write::Mailbox(out, "R&D"); }), "R&-D");
  EXPECT_EQ(Written([](auto& out) { write::Mailbox(out, "nil"); }), "\"nil\"");
}

TEST(WriteFlagsTest, SystemFlagsThenKeywordsThenRecent) {
  const std::vector<std::string> table{"one", "$two", "three"};
  const auto list = [&](std::uint32_t system, std::uint64_t keywords, bool recent) {
    return Written([&](auto& out) { write::FlagList(out, system, keywords, table, recent); });
  };
  EXPECT_EQ(list(0, 0, false), "()");
  EXPECT_EQ(list(0, 0, true), "(\\Recent)");
  EXPECT_EQ(list(31, 0, false), "(\\Answered \\Flagged \\Deleted \\Seen \\Draft)");
  EXPECT_EQ(list(8, 0b101, true), "(\\Seen one three \\Recent)");
  EXPECT_EQ(list(0, 0b010, false), "($two)");
  EXPECT_EQ(list(0, 0b1000, false), "()") << "a bit without a name";
  EXPECT_EQ(Written([](auto& out) { write::FlagsLine(out, FlagSet{SystemFlag::kSeen}); }),
            "* FLAGS (\\Seen)\r\n");
}

TEST(WriteMailboxTest, ListAndLsubLines) {
  const std::array<std::string_view, 2> attributes{"\\HasNoChildren", "\\Sent"};
  EXPECT_EQ(Written([&](auto& out) { write::ListLine(out, attributes, "Sent Items"); }),
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"\r\n");
  const std::array<std::string_view, 1> subscribed{"SUBSCRIBED"};
  EXPECT_EQ(Written([&](auto& out) { write::ListLine(out, {}, "Foo", subscribed); }),
            "* LIST () \"/\" Foo (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n");
  const std::array<std::string_view, 2> two{"SUBSCRIBED", "X-Y"};
  EXPECT_EQ(Written([&](auto& out) { write::ListLine(out, attributes, "a b", two); }),
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"a b\" (\"CHILDINFO\" (\"SUBSCRIBED\" \"X-Y\"))\r\n");
  // RFC 5465 §5.4.
  EXPECT_EQ(Written([&](auto& out) { write::ListRenamedLine(out, {}, "New \xc3\xa9", "OldMailbox"); }),
            "* LIST () \"/\" \"New &AOk-\" (\"OLDNAME\" (OldMailbox))\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::LsubLine(out, {}, "x"); }), "* LSUB () \"/\" x\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::ListRootLine(out, ""); }), "* LIST (\\Noselect) \"/\" \"\"\r\n");
}

TEST(WriteMailboxTest, CountsAndExpunge) {
  EXPECT_EQ(Written([](auto& out) { write::ExistsLine(out, 0); }), "* 0 EXISTS\r\n");
  EXPECT_EQ(Written([](auto& out) { write::RecentLine(out, 4294967295U); }), "* 4294967295 RECENT\r\n");
  EXPECT_EQ(Written([](auto& out) { write::ExpungeLine(out, SeqNum{3}); }), "* 3 EXPUNGE\r\n");
  UidSet uids(Uid{4}, Uid{7});
  uids.Add(Uid{9});
  EXPECT_EQ(Written([&](auto& out) { write::VanishedLines(out, uids, false); }), "* VANISHED 4:7,9\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::VanishedLines(out, uids, true); }),
            "* VANISHED (EARLIER) 4:7,9\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::VanishedLines(out, {}, true); }), "");
}

TEST(WriteMailboxTest, StatusItemsKeepTheirOrder) {
  EXPECT_EQ(Written([](auto& out) {
              write::StatusLine line(out, "a b");
              line.Add(StatusItem::kUnseen, 1);
              line.Add(StatusItem::kMessages, 2);
              line.AddMailboxId(FolderId{9});
              line.Add(StatusItem::kSize, 5'000'000'000);
              line.End();
            }),
            "* STATUS \"a b\" (UNSEEN 1 MESSAGES 2 MAILBOXID (F9) SIZE 5000000000)\r\n");
}

TEST(WriteSearchTest, SearchLines) {
  const std::array<std::uint32_t, 3> numbers{2, 84, 882};
  EXPECT_EQ(Written([&](auto& out) { write::SearchLine(out, numbers); }), "* SEARCH 2 84 882\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::SearchLine(out, {}); }), "* SEARCH\r\n");
}

TEST(WriteMailboxTest, VanishedLinesAreNotEndless) {
  UidSet uids;
  for (std::uint32_t uid = 1; uid < 2 * 513; uid += 2) uids.Add(Uid{uid});
  const std::string text = Written([&](auto& out) { write::VanishedLines(out, uids, false); });
  EXPECT_TRUE(text.starts_with("* VANISHED 1,3,"));
  EXPECT_TRUE(text.ends_with(",1023\r\n* VANISHED 1025\r\n"));
}

TEST(WriteSearchTest, ModSeqOfAResult) {
  const std::vector<std::uint32_t> numbers{2, 84};
  EXPECT_EQ(Written([&](auto& out) { write::SearchLine(out, numbers, ModSeq{12}); }),
            "* SEARCH 2 84 (MODSEQ 12)\r\n");
  EXPECT_EQ(Written([](auto& out) {
              write::EsearchLine(out, {.tag = "a", .min = 2, .count = 2, .modseq = ModSeq{917162500}});
            }),
            "* ESEARCH (TAG \"a\") MIN 2 COUNT 2 MODSEQ 917162500\r\n");
}

TEST(WriteSearchTest, EsearchLines) {
  const std::vector<NumberRange> ranges{{1, 3}, {7, 7}};
  const write::EsearchResult whole{
      .tag = "a1", .numbers = NumberKind::kUid, .min = 1, .max = 7, .all = ranges, .count = 4};
  EXPECT_EQ(Written([&](auto& out) { write::EsearchLine(out, whole); }),
            "* ESEARCH (TAG \"a1\") UID MIN 1 MAX 7 ALL 1:3,7 COUNT 4\r\n");
  const write::EsearchResult empty{.tag = "a1", .all = std::span<const NumberRange>(), .count = 0};
  EXPECT_EQ(Written([&](auto& out) { write::EsearchLine(out, empty); }),
            "* ESEARCH (TAG \"a1\") COUNT 0\r\n");
}

TEST(WriteSearchTest, PartialResultsNameWhatWasAskedFor) {
  const std::vector<NumberRange> ranges{{9, 9}, {2, 3}};
  const write::EsearchResult some{
      .tag = "a1", .partial = write::EsearchResult::Partial{{100, 1, true}, ranges}, .count = 3};
  EXPECT_EQ(Written([&](auto& out) { write::EsearchLine(out, some); }),
            "* ESEARCH (TAG \"a1\") PARTIAL (-100:-1 9,2:3) COUNT 3\r\n");
  const write::EsearchResult none{
      .tag = "a1", .numbers = NumberKind::kUid, .partial = write::EsearchResult::Partial{{1, 2}, {}}};
  EXPECT_EQ(Written([&](auto& out) { write::EsearchLine(out, none); }),
            "* ESEARCH (TAG \"a1\") UID PARTIAL (1:2 NIL)\r\n");
}

TEST(WriteSearchTest, WhatComesToAResultAndLeavesIt) {
  const std::vector<write::ContextChange> changes{{5, {{9, 9}, {2, 3}}}, {1, {{7, 7}}}};
  EXPECT_EQ(Written([&](auto& out) { write::AddToLine(out, "B01", NumberKind::kUid, changes); }),
            "* ESEARCH (TAG \"B01\") UID ADDTO (5 9,2:3 1 7)\r\n");
  const std::vector<write::ContextChange> one{{0, {{32768, 32769}}}};
  EXPECT_EQ(Written([&](auto& out) { write::RemoveFromLine(out, "a", NumberKind::kSequence, one); }),
            "* ESEARCH (TAG \"a\") REMOVEFROM (0 32768:32769)\r\n");
}

TEST(WriteSortTest, SortLines) {
  const std::array<std::uint32_t, 3> numbers{84, 2, 882};
  EXPECT_EQ(Written([&](auto& out) { write::SortLine(out, numbers); }), "* SORT 84 2 882\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::SortLine(out, {}); }), "* SORT\r\n");
}

std::string Threads(const std::vector<write::ThreadMember>& members) {
  return Written([&](auto& out) { write::ThreadLine(out, members); });
}

TEST(WriteSortTest, ThreadLines) {
  constexpr auto kNone = write::ThreadMember::kNoParent;
  EXPECT_EQ(Threads({}), "* THREAD\r\n");
  EXPECT_EQ(Threads({{1, kNone}, {2, kNone}, {3, 1}}), "* THREAD (1)(2 3)\r\n");
  // The examples of RFC 5256 §4.
  EXPECT_EQ(Threads({{2, kNone}, {3, kNone}, {6, 1}, {4, 2}, {23, 3}, {44, 2}, {7, 5}, {96, 6}}),
            "* THREAD (2)(3 6 (4 23)(44 7 96))\r\n");
  EXPECT_EQ(Threads({{0, kNone}, {3, 0}, {5, 0}}), "* THREAD ((3)(5))\r\n");
  EXPECT_EQ(Threads({{0, kNone}, {1, 0}, {2, 1}, {3, 1}, {4, 0}, {5, kNone}}),
            "* THREAD ((1 (2)(3))(4))(5)\r\n");
}

TEST(WriteSortTest, ThreadListsAreNestedOnlySoDeep) {
  constexpr std::uint32_t kDeep = 100'000;
  std::vector<write::ThreadMember> chain{{1, write::ThreadMember::kNoParent}};
  std::vector<write::ThreadMember> comb = chain;  // each has a child without children, and one that goes on
  for (std::uint32_t i = 1; i < kDeep; ++i) {
    chain.push_back({i + 1, i - 1});
    comb.push_back({i + 1, (i - 1) / 2 * 2});
  }
  const auto depth_of = [](const std::string& line) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    for (const char c : line) {
      depth += c == '(' ? 1 : 0;
      depth -= c == ')' ? 1 : 0;
      deepest = std::max(deepest, depth);
    }
    EXPECT_EQ(depth, 0U);
    return deepest;
  };
  EXPECT_EQ(depth_of(Threads(chain)), 1U) << "a chain is one list";
  const std::string line = Threads(comb);
  EXPECT_EQ(depth_of(line), limits::kThreadNesting);
  EXPECT_NE(line.find("(99998)"), std::string::npos) << "nobody is lost";
}

TEST(WriteMetadataTest, EntriesWithValues) {
  EXPECT_EQ(Written([](auto& out) {
              write::MetadataLine line(out, "");
              line.Add("/shared/comment", "My \"comment\"");
              line.End();
            }),
            "* METADATA \"\" (/shared/comment \"My \\\"comment\\\"\")\r\n");
  EXPECT_EQ(Written([](auto& out) {
              write::MetadataLine line(out, "Entw\xc3\xbcrfe");
              line.Add("/private/comment", std::nullopt);
              line.Add("/shared/a b", "");
              line.Add("/shared/lines", "one\r\ntwo");
              line.Add("/shared/nul", "a\0b"sv);
              line.End();
            }),
            "* METADATA Entw&APw-rfe (/private/comment NIL \"/shared/a b\" \"\" /shared/lines "
            "{8}\r\none\r\ntwo /shared/nul ~{3}\r\na\0b)\r\n"s);
}

// RFC 4314 §3.6 to §3.8; `c` and `d` stand where one of theirs does (§2.1.1).
TEST(WriteAclTest, Responses) {
  const auto rights = [](std::string_view letters) { return *Rights::Parse(letters); };
  EXPECT_EQ(Written([&](auto& out) {
              write::AclLine line(out, "INBOX/Drafts");
              line.Add("tel:+15550100111", Rights::All());
              line.Add("-sip:bea@example.com", rights("e"));
              line.Add("anyone", rights("rl"));
              line.End();
            }),
            "* ACL INBOX/Drafts tel:+15550100111 lrswipkxteancd -sip:bea@example.com ed anyone lr\r\n");
  EXPECT_EQ(
      Written([&](auto& out) { write::ListRightsLine(out, "a b", "+1 555", rights("la"), rights("rkt")); }),
      "* LISTRIGHTS \"a b\" \"+1 555\" la r k t c d\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::ListRightsLine(out, "x", "anyone", {}, {}); }),
            "* LISTRIGHTS x anyone \"\"\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::MyRightsLine(out, "x", rights("slk")); }),
            "* MYRIGHTS x lskc\r\n");
}

TEST(QuotaWriteTest, Responses) {
  EXPECT_EQ(Written([](auto& out) {
              write::QuotaLine line(out, "");
              line.Add(QuotaResource::kStorage, 10, 512);
              line.End();
            }),
            "* QUOTA \"\" (STORAGE 10 512)\r\n");  // the example of RFC 9208 §4.2.1
  EXPECT_EQ(
      Written([](auto& out) {
        write::QuotaLine line(out, "tel:+15550100111");
        line.Add(QuotaResource::kMessage, 0, 0);
        line.Add(QuotaResource::kMailbox, 5, 20000);
        line.Add(QuotaResource::kAnnotationStorage, 1, 9'223'372'036'854'775'807);
        line.End();
      }),
      "* QUOTA tel:+15550100111 (MESSAGE 0 0 MAILBOX 5 20000 ANNOTATION-STORAGE 1 9223372036854775807)\r\n");
  EXPECT_EQ(Written([](auto& out) { write::QuotaRootLine(out, "caf\xc3\xa9", "a b"); }),
            "* QUOTAROOT caf&AOk- \"a b\"\r\n");
}

TEST(WriteMetadataTest, EntriesThatChanged) {
  const std::vector<std::string> one{"/shared/comment"};
  const std::vector<std::string> two{"/shared/comment", "/private/a b"};
  EXPECT_EQ(Written([&](auto& out) { write::MetadataChangedLine(out, "", one); }),
            "* METADATA \"\" /shared/comment\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::MetadataChangedLine(out, "INBOX", two); }),
            "* METADATA INBOX /shared/comment \"/private/a b\"\r\n");
}

TEST(WriteServerTest, CapabilityEnabledNamespaceAndId) {
  EXPECT_EQ(Written([](auto& out) { write::CapabilityLine(out, "IMAP4rev1 ID"); }),
            "* CAPABILITY IMAP4rev1 ID\r\n");
  const std::vector<std::string> names{"X"};
  EXPECT_EQ(Written([&](auto& out) { write::EnabledLine(out, names); }), "* ENABLED X\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::EnabledLine(out, {}); }), "* ENABLED\r\n");
  const std::array<write::NamespacePrefix, 1> root{{{""}}};
  EXPECT_EQ(Written([&](auto& out) { write::NamespaceLine(out, root, {}, {}); }),
            "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
  const std::array<std::pair<std::string_view, std::string_view>, 2> id{{{"name", "cmsd"}, {"version", "1"}}};
  EXPECT_EQ(Written([&](auto& out) { write::IdLine(out, id); }),
            "* ID (\"name\" \"cmsd\" \"version\" \"1\")\r\n");
  EXPECT_EQ(Written([&](auto& out) { write::IdLine(out, {}); }), "* ID NIL\r\n");
}

TEST(WriteFetchTest, ItemsInTheOrderOfTheCalls) {
  EXPECT_EQ(
      Written([](auto& out) {
        write::FetchResponse response(out, SeqNum{12});
        response.Uid(Uid{99});
        response.Flags(8, 0, {}, true);
        response.InternalDate({0, -90});
        response.Rfc822Size(4096);
        response.EmailId(ObjectId{5});
        response.ThreadId(std::nullopt);
        response.SaveDate(std::nullopt);
        response.SaveDate(InternalDate{0, 0});
        response.Structure(FetchItem::Kind::kEnvelope, "(NIL)");
        response.End();
      }),
      "* 12 FETCH (UID 99 FLAGS (\\Seen \\Recent) INTERNALDATE \"31-Dec-1969 22:30:00 -0130\" RFC822.SIZE "
      "4096 "
      "EMAILID (M5) THREADID NIL SAVEDATE NIL SAVEDATE \" 1-Jan-1970 00:00:00 +0000\" ENVELOPE (NIL))\r\n");
}

TEST(WriteFetchTest, UidFetchIsNumberedByTheUid) {
  EXPECT_EQ(Written([](auto& out) {
              write::FetchResponse response(out, Uid{25997});
              response.Rfc822Size(3);
              response.End();
            }),
            "* 25997 UIDFETCH (RFC822.SIZE 3)\r\n");
}

TEST(WriteFetchTest, APreviewIsAStringOrNil) {
  EXPECT_EQ(Written([](auto& out) {
              write::FetchResponse response(out, SeqNum{1});
              response.Preview("Lunch at \"noon\"?");
              response.Preview("caf\xc3\xa9");
              response.Preview("");
              response.Preview(std::nullopt);
              response.End();
            }),
            "* 1 FETCH (PREVIEW \"Lunch at \\\"noon\\\"?\" PREVIEW {5}\r\ncaf\xc3\xa9 PREVIEW \"\" PREVIEW "
            "NIL)\r\n");
}

TEST(WriteFetchTest, SectionsAreNamedAsTheyWereAskedFor) {
  const auto name = [](const FetchItem& item) {
    return Written([&](auto& out) { write::FetchItemName(out, item); });
  };
  using Kind = FetchItem::Kind;
  EXPECT_EQ(name({.kind = Kind::kSection, .peek = true}), "BODY[]");
  EXPECT_EQ(name({.kind = Kind::kSection, .section = {.part = {1, 2}}, .partial = Partial{7, 9}}),
            "BODY[1.2]<7>");
  EXPECT_EQ(name({.kind = Kind::kSection, .section = {.part = {3}, .kind = Section::Kind::kMime}}),
            "BODY[3.MIME]");
  EXPECT_EQ(name({.kind = Kind::kSection,
                  .section = {.kind = Section::Kind::kHeaderFieldsNot, .fields = {"To", "a b"}}}),
            "BODY[HEADER.FIELDS.NOT (To \"a b\")]");
  EXPECT_EQ(name({.kind = Kind::kBinary, .peek = true, .section = {.part = {4}}}), "BINARY[4]");
  EXPECT_EQ(name({.kind = Kind::kBinarySize}), "BINARY.SIZE[]");
  EXPECT_EQ(name({.kind = Kind::kRfc822Text}), "RFC822.TEXT");
}

TEST(WriteFetchTest, BodiesAreLiteralsOrNil) {
  const FetchItem body{.kind = FetchItem::Kind::kSection};
  const FetchItem binary{.kind = FetchItem::Kind::kBinary, .section = {.part = {1}}};
  const FetchItem size{.kind = FetchItem::Kind::kBinarySize, .section = {.part = {1}}};
  EXPECT_EQ(Written([&](auto& out) {
              write::FetchResponse response(out, SeqNum{1});
              response.Literal(body, "ab");
              response.Literal8Header(binary, 1);
              out += '\0';
              response.BinarySize(size, 1);
              response.Nil(binary);
              response.LiteralHeader(body, 0);
              response.End();
            }),
            "* 1 FETCH (BODY[] {2}\r\nab BINARY[1] ~{1}\r\n\0 BINARY.SIZE[1] 1 BINARY[1] NIL "
            "BODY[] {0}\r\n)\r\n"s);
}

struct ReplyCase {
  Reply reply;
  std::string_view line;
};

TEST(WriteReplyTest, EveryKindOfCode) {
  UidSet uids(Uid{3}, Uid{5});
  uids.Add(Uid{9});
  const std::vector<ReplyCase> all{
      {Ok("done"), "t OK done\r\n"},
      {Bad(""), "t BAD Done\r\n"},
      {No("a\r\nb\xc3"), "t NO a??b?\r\n"},
      {Bye("x"), "t BYE x\r\n"},
      {No(ResponseCode::kNonExistent, "x"), "t NO [NONEXISTENT] x\r\n"},
      {Ok(ResponseCode::BadCharset{{"UTF-8", "a b"}}, "x"), "t OK [BADCHARSET (UTF-8 \"a b\")] x\r\n"},
      {Ok(ResponseCode::BadCharset{}, "x"), "t OK [BADCHARSET] x\r\n"},
      {Ok(ResponseCode::Capability{"A B"}, "x"), "t OK [CAPABILITY A B] x\r\n"},
      {No(ResponseCode::NoUpdate{"B02"}, "x"), "t NO [NOUPDATE \"B02\"] x\r\n"},
      {Ok(ResponseCode::InProgress{"a", 175, 1000}, "x"), "t OK [INPROGRESS (\"a\" 175 1000)] x\r\n"},
      {Ok(ResponseCode::InProgress{"a]b", 0, 0}, "x"), "t OK [INPROGRESS (NIL 0 NIL)] x\r\n"},
      {Ok(ResponseCode::PermanentFlags{{SystemFlag::kSeen}}, "x"),
       "t OK [PERMANENTFLAGS (\\Seen \\*)] x\r\n"},
      {Ok(ResponseCode::PermanentFlags{{}, true}, "x"), "t OK [PERMANENTFLAGS (\\*)] x\r\n"},
      {Ok(ResponseCode::PermanentFlags{{}, false}, "x"), "t OK [PERMANENTFLAGS ()] x\r\n"},
      {Ok(ResponseCode::UidNext{Uid{7}}, "x"), "t OK [UIDNEXT 7] x\r\n"},
      {Ok(ResponseCode::UidValidity{UidValidity{8}}, "x"), "t OK [UIDVALIDITY 8] x\r\n"},
      {Ok(ResponseCode::Unseen{SeqNum{2}}, "x"), "t OK [UNSEEN 2] x\r\n"},
      {Ok(ResponseCode::AppendUid{UidValidity{8}, uids}, "x"), "t OK [APPENDUID 8 3:5,9] x\r\n"},
      {Ok(ResponseCode::CopyUid{UidValidity{8}, uids, UidSet(Uid{1}, Uid{4})}, "x"),
       "t OK [COPYUID 8 3:5,9 1:4] x\r\n"},
      {Ok(ResponseCode::MailboxId{FolderId{6}}, "x"), "t OK [MAILBOXID (F6)] x\r\n"},
      {Ok(ResponseCode::MetadataLongEntries{2199}, "x"), "t OK [METADATA LONGENTRIES 2199] x\r\n"},
      {No(ResponseCode::MetadataMaxSize{1024}, "x"), "t NO [METADATA MAXSIZE 1024] x\r\n"},
      {Ok(ResponseCode::HighestModSeq{ModSeq{715194045007}}, "x"), "t OK [HIGHESTMODSEQ 715194045007] x\r\n"},
      {Ok(ResponseCode::Modified{{{7, 7}, {9, 12}}}, "x"), "t OK [MODIFIED 7,9:12] x\r\n"},
      {No(ResponseCode::kMetadataTooMany, "x"), "t NO [METADATA TOOMANY] x\r\n"},
      {No(ResponseCode::kMetadataNoPrivate, "x"), "t NO [METADATA NOPRIVATE] x\r\n"},
      {Ok(ResponseCode::kUrlMech, "x"), "t OK [URLMECH INTERNAL] x\r\n"},
      {No(ResponseCode::BadUrl{"/a/;UID=1]\xc3"}, "x"), "t NO [BADURL /a/;UID=1??] x\r\n"},
      {No(ResponseCode::BadUrl{""}, "x"), "t NO [BADURL ?] x\r\n"},
      {Ok(ResponseCode::kNotificationOverflow, "x"), "t OK [NOTIFICATIONOVERFLOW] x\r\n"},
      {No(ResponseCode::BadEvent{}, "x"),
       "t NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "
       "MailboxMetadataChange ServerMetadataChange)] x\r\n"},
  };
  for (const auto& c : all) {
    EXPECT_EQ(Written([&](auto& out) { WriteTagged(out, "t", c.reply); }), c.line);
  }
  EXPECT_EQ(Written([](auto& out) { WriteUntagged(out, Reply{Reply::Status::kPreauth, {}, "x"}); }),
            "* PREAUTH x\r\n");
  EXPECT_EQ(Written([](auto& out) { WriteContinuation(out, ""); }), "+ \r\n");
}

TEST(WriteReplyTest, EveryPlainCodeHasItsOwnName) {
  std::vector<std::string_view> names;
  for (int code = ResponseCode::kAlert; code <= ResponseCode::kUrlMech; ++code) {
    names.push_back(Name(static_cast<ResponseCode::Plain>(code)));
    EXPECT_FALSE(names.back().empty()) << code;
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(CapabilityTest, AMechanismIsOfferedWhereItIsAWord) {
  EXPECT_TRUE(Offers({.tls = true}, "scram-sha-256"));
  EXPECT_FALSE(Offers({.tls = true}, "SCRAM-SHA-256-PLUS"));
  EXPECT_TRUE(Offers({.tls = true, .channel_binding = true}, "SCRAM-SHA-256-PLUS"));
  EXPECT_FALSE(Offers({.tls = true}, "SCRAM-SHA-1"));
  EXPECT_FALSE(Offers({.tls = true}, "EXTERNAL"));
  EXPECT_FALSE(Offers({.tls = true, .authenticated = true, .external = true}, "EXTERNAL"));
  EXPECT_FALSE(Offers({}, "PLAIN"));
  EXPECT_FALSE(Offers({.tls = true}, ""));
}

TEST(CapabilityTest, DependsOnTlsAndLogin) {
  EXPECT_EQ(CapabilityWords({.starttls_available = true}),
            "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE STARTTLS LOGINDISABLED");
  EXPECT_EQ(CapabilityWords({.tls = true}),
            "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN");
  EXPECT_EQ(CapabilityWords({.starttls_available = true, .plaintext_login = true}),
            "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE STARTTLS AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN");
  EXPECT_EQ(CapabilityWords({.starttls_available = true, .scram_without_tls = true}),
            "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE STARTTLS LOGINDISABLED AUTH=SCRAM-SHA-256");
  EXPECT_EQ(CapabilityWords({.tls = true, .scram_sha1 = true, .channel_binding = true, .external = true}),
            "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=EXTERNAL AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256 "
            "AUTH=SCRAM-SHA-1-PLUS AUTH=SCRAM-SHA-1 AUTH=PLAIN AUTH=LOGIN");
  EXPECT_EQ(
      CapabilityWords({.tls = true, .authenticated = true, .append_limit = 104857600}),
      "IMAP4rev1 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT CHILDREN LIST-EXTENDED "
      "LIST-STATUS LIST-METADATA MOVE SPECIAL-USE "
      "CREATE-SPECIAL-USE MULTIAPPEND REPLACE BINARY ESEARCH SEARCHRES PARTIAL WITHIN CONDSTORE "
      "QRESYNC UIDONLY SORT "
      "SORT=DISPLAY "
      "ESORT CONTEXT=SEARCH CONTEXT=SORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES "
      "THREAD=X-CPM-CONTRIBUTION CATENATE INPROGRESS COMPRESS=DEFLATE METADATA "
      "NOTIFY ACL RIGHTS=texkn LIST-MYRIGHTS QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX "
      "QUOTA=RES-ANNOTATION-STORAGE URLAUTH URLAUTH=BINARY URL-PARTIAL STATUS=SIZE OBJECTID "
      "SAVEDATE UNAUTHENTICATE PREVIEW "
      "APPENDLIMIT=104857600");
}

TEST(ObjectIdTest, EmailIdsComeBack) {
  EXPECT_EQ(ParseEmailId("M42"), ObjectId{42});
  EXPECT_EQ(ParseEmailId("M18446744073709551615"), ObjectId{~0ULL});
  for (const std::string_view bad :
       {"", "M", "42", "m42", "F42", "M42x", "M042", "M-1", "M18446744073709551616"}) {
    EXPECT_FALSE(ParseEmailId(bad)) << bad;
  }
}

}  // namespace
}  // namespace protocol
