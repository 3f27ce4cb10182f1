#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/imap/limits.h"
#include "protocol/imap/parse/append.h"
#include "protocol/imap/parse/parser.h"
#include "tests/unit/protocol/imap_fixtures.h"

namespace protocol {
namespace {

using testing::AcceptedCommands;
using testing::RejectedCommands;

TEST(ParseCommandTest, AcceptsWhatClientsSend) {
  for (const auto& fixture : AcceptedCommands()) {
    SCOPED_TRACE(fixture.name);
    const auto parsed = ParseCommand(fixture.wire);
    if (!parsed) {
      ADD_FAILURE() << Describe(parsed.error().error);
      continue;
    }
    EXPECT_EQ(parsed->tag, fixture.wire.substr(0, fixture.wire.find(' ')));
    EXPECT_TRUE(parsed->command == fixture.command);
  }
}

TEST(ParseCommandTest, RefusesWithTheFirstWrongOctetAndWhatWasExpected) {
  for (const auto& fixture : RejectedCommands()) {
    SCOPED_TRACE(fixture.name);
    const auto parsed = ParseCommand(fixture.wire);
    if (parsed) {
      ADD_FAILURE() << "accepted";
      continue;
    }
    EXPECT_EQ(parsed.error().error.offset, fixture.offset);
    EXPECT_EQ(parsed.error().error.expected, fixture.expected);
    EXPECT_FALSE(parsed.error().error.incomplete);
  }
}

TEST(ParseCommandTest, EveryCommandHasAFixture) {
  std::vector<bool> seen(std::variant_size_v<Command>);
  for (const auto& fixture : AcceptedCommands()) seen[fixture.command.index()] = true;
  EXPECT_THAT(seen, ::testing::Each(true));
}

TEST(ParseCommandTest, EveryProperPrefixIsRefusedOrIncomplete) {
  for (const auto& fixture : AcceptedCommands()) {
    for (std::size_t n = 0; n < fixture.wire.size(); ++n) {
      EXPECT_FALSE(ParseCommand(fixture.wire.substr(0, n)).has_value()) << fixture.name << " cut at " << n;
    }
  }
}

TEST(ParseCommandTest, KeepsTheTagOfABadCommand) {
  EXPECT_EQ(ParseCommand("x7 FROB\r\n").error().tag, "x7");
  EXPECT_EQ(ParseCommand("+x FROB\r\n").error().tag, "");
}

TEST(ParseCommandTest, DescribesErrorsByColumn) {
  EXPECT_EQ(Describe(ParseCommand("a NOOP x\r\n").error().error), "expected CRLF at column 7");
}

TEST(ParseCommandTest, AsksForALiteralThatIsNotThere) {
  for (const std::string_view wire : {"a LOGIN {3}\r\n", "a LOGIN {0+}\r\n", "a LOGIN x {5}\r\nab"}) {
    const auto parsed = ParseCommand(wire);
    ASSERT_FALSE(parsed) << wire;
    EXPECT_TRUE(parsed.error().error.incomplete) << wire;
  }
}

std::string Repeat(std::string_view what, std::size_t n, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) out += separator;
    out += what;
  }
  return out;
}

struct Limit {
  std::string_view name;
  std::size_t most;
  std::function<std::string(std::size_t)> make;
};

TEST(ParseCommandTest, EveryListHasALimit) {
  const std::vector<Limit> all{
      {"sequence ranges", limits::kSequenceRanges,
       [](std::size_t n) { return "a UID EXPUNGE " + Repeat("1", n, ",") + "\r\n"; }},
      {"flags in a list", limits::kFlags,
       [](std::size_t n) { return "a STORE 1 FLAGS (" + Repeat("x", n, " ") + ")\r\n"; }},
      {"flags", limits::kFlags,
       [](std::size_t n) { return "a STORE 1 FLAGS " + Repeat("x", n, " ") + "\r\n"; }},
      {"fetch items", limits::kFetchItems,
       [](std::size_t n) { return "a FETCH 1 (" + Repeat("UID", n, " ") + ")\r\n"; }},
      {"header fields", limits::kHeaderFields,
       [](std::size_t n) { return "a FETCH 1 BODY[HEADER.FIELDS (" + Repeat("x", n, " ") + ")]\r\n"; }},
      {"part numbers", limits::kSectionParts,
       [](std::size_t n) { return "a FETCH 1 BODY[" + Repeat("1", n, ".") + "]\r\n"; }},
      {"search keys", limits::kSearchKeys,
       [](std::size_t n) { return "a SEARCH " + Repeat("ALL", n, " ") + "\r\n"; }},
      {"search depth", limits::kSearchDepth,
       [](std::size_t n) { return "a SEARCH " + Repeat("NOT", n, " ") + " ALL\r\n"; }},
      {"parentheses", limits::kSearchDepth,
       [](std::size_t n) { return "a SEARCH " + Repeat("(", n, "") + "ALL" + Repeat(")", n, "") + "\r\n"; }},
      {"sort criteria", limits::kSortCriteria,
       [](std::size_t n) { return "a SORT (" + Repeat("REVERSE DATE", n, " ") + ") UTF-8 ALL\r\n"; }},
      {"status items", limits::kStatusItems,
       [](std::size_t n) { return "a STATUS x (" + Repeat("SIZE", n, " ") + ")\r\n"; }},
      {"quota resources", limits::kQuotaResources,
       [](std::size_t n) { return "a SETQUOTA x (" + Repeat("X-A 1", n, " ") + ")\r\n"; }},
      {"list patterns", limits::kListPatterns,
       [](std::size_t n) { return "a LIST \"\" (" + Repeat("%", n, " ") + ")\r\n"; }},
      {"list selection options", limits::kListOptions,
       [](std::size_t n) { return "a LIST (" + Repeat("REMOTE", n, " ") + ") \"\" *\r\n"; }},
      {"list return options", limits::kListOptions,
       [](std::size_t n) { return "a LIST \"\" * RETURN (" + Repeat("CHILDREN", n, " ") + ")\r\n"; }},
      {"status items of list", limits::kStatusItems,
       [](std::size_t n) { return "a LIST \"\" * RETURN (STATUS (" + Repeat("SIZE", n, " ") + "))\r\n"; }},
      {"enabled names", limits::kCapabilityNames,
       [](std::size_t n) { return "a ENABLE " + Repeat("X", n, " ") + "\r\n"; }},
      {"id fields", limits::kIdPairs,
       [](std::size_t n) { return "a ID (" + Repeat("\"a\" NIL", n, " ") + ")\r\n"; }},
      {"entries to get", limits::kMetadataEntries,
       [](std::size_t n) { return "a GETMETADATA x (" + Repeat("/shared/a", n, " ") + ")\r\n"; }},
      {"entries to get without parentheses", limits::kMetadataEntries,
       [](std::size_t n) { return "a GETMETADATA x " + Repeat("/shared/a", n, " ") + "\r\n"; }},
      {"entries to set", limits::kMetadataEntries,
       [](std::size_t n) { return "a SETMETADATA x (" + Repeat("/shared/a NIL", n, " ") + ")\r\n"; }},
      {"entry name", limits::kMetadataName,
       [](std::size_t n) { return "a GETMETADATA x /shared/" + std::string(n - 8, 'a') + "\r\n"; }},
      {"entry value", limits::kMetadataValue,
       [](std::size_t n) {
         return "a SETMETADATA x (/shared/a {" + std::to_string(n) + "}\r\n" + std::string(n, 'v') + ")\r\n";
       }},
      {"event groups", limits::kNotifyGroups,
       [](std::size_t n) { return "a NOTIFY SET " + Repeat("(personal NONE)", n, " ") + "\r\n"; }},
      {"events", limits::kNotifyEvents,
       [](std::size_t n) { return "a NOTIFY SET (personal (" + Repeat("MailboxName", n, " ") + "))\r\n"; }},
      {"items of new messages", limits::kFetchItems,
       [](std::size_t n) {
         return "a NOTIFY SET (selected (MessageNew (" + Repeat("UID", n, " ") + ") MessageExpunge))\r\n";
       }},
      {"special uses", limits::kSpecialUses,
       [](std::size_t n) { return "a CREATE x (USE (" + Repeat("\\Sent", n, " ") + "))\r\n"; }},
      {"tag", limits::kTag, [](std::size_t n) { return std::string(n, 'a') + " NOOP\r\n"; }},
      {"user name", limits::kUserName,
       [](std::size_t n) { return "a LOGIN " + std::string(n, 'a') + " x\r\n"; }},
      {"quoted user name", limits::kUserName,
       [](std::size_t n) { return "a LOGIN \"" + std::string(n, 'a') + "\" x\r\n"; }},
      {"mailbox", limits::kMailboxArgument,
       [](std::size_t n) { return "a SELECT " + std::string(n, 'a') + "\r\n"; }},
      {"keyword", limits::kFlagName - 1,
       [](std::size_t n) { return "a STORE 1 FLAGS " + std::string(n, 'a') + "\r\n"; }},
      {"search text", limits::kSearchText,
       [](std::size_t n) { return "a SEARCH TEXT " + std::string(n, 'a') + "\r\n"; }},
  };
  for (const auto& limit : all) {
    EXPECT_TRUE(ParseCommand(limit.make(limit.most)).has_value()) << limit.name;
    EXPECT_FALSE(ParseCommand(limit.make(limit.most + 1)).has_value()) << limit.name;
  }
}

/// RFC 5465 §3.1: too complex is NO, so it is a command.
TEST(ParseCommandTest, NotifyKeepsSoManyMailboxes) {
  using Refusal = command::Notify::Refusal;
  const auto parse = [](const std::string& names) {
    const auto parsed =
        ParseCommand("a NOTIFY SET (subtree x NONE) (mailboxes (" + names + ") (MailboxName))\r\n");
    return parsed ? std::get<command::Notify>(parsed->command) : command::Notify{};
  };
  const auto most = parse(Repeat("x", limits::kNotifyMailboxes - 1, " "));
  EXPECT_EQ(most.refusal, Refusal::kNone);
  EXPECT_EQ(most.groups.at(1).mailboxes.size(), limits::kNotifyMailboxes - 1);
  const command::Notify refused{.refusal = Refusal::kTooManyMailboxes, .set = true};
  EXPECT_EQ(parse(Repeat("x", limits::kNotifyMailboxes, " ")), refused);
  EXPECT_EQ(parse(Repeat("x", 10'000, " ")), refused);
  const std::string long_name(limits::kNotifyOctets / 16, 'x');
  EXPECT_EQ(parse(Repeat(long_name, 15, " ")).refusal, Refusal::kNone);
  EXPECT_EQ(parse(Repeat(long_name, 16, " ")), refused);
}

TEST(ParseCommandTest, TooBigALiteralSaysSo) {
  const auto parsed = ParseCommand("a LOGIN {1025+}\r\n");
  ASSERT_FALSE(parsed);
  EXPECT_TRUE(parsed.error().error.too_big);
}

TEST(ParseCommandTest, TooBigAnEntryValueIsTold) {
  // RFC 5464 §4.3: [METADATA MAXSIZE], but for nothing else in the command.
  const auto value = ParseCommand("a SETMETADATA x (/shared/a ~{65537+}\r\n");
  ASSERT_FALSE(value);
  EXPECT_TRUE(value.error().error.too_big);
  EXPECT_TRUE(value.error().error.metadata_value);
  const auto name = ParseCommand("a SETMETADATA x (/shared/a NIL {65537+}\r\n");
  ASSERT_FALSE(name);
  EXPECT_TRUE(name.error().error.too_big);
  EXPECT_FALSE(name.error().error.metadata_value);
}

TEST(ParseAppendTest, GivesMailboxFlagsDateAndSize) {
  const auto head = parse::ParseHead("a APPEND inbox (\\Seen x) \" 1-Jan-1970 01:00:00 +0100\" ~{12+}\r\n");
  ASSERT_TRUE(head.has_value());
  const auto& append = std::get<parse::AppendHead>(*head);
  EXPECT_EQ(append.begin, (command::AppendBegin{"a", "INBOX"}));
  FlagSet flags{SystemFlag::kSeen};
  flags.Insert("x");
  ASSERT_EQ(append.fragment.steps.size(), 1U);
  EXPECT_EQ(
      std::get<command::AppendMessage>(append.fragment.steps[0]),
      (command::AppendMessage{
          .flags = flags, .date = InternalDate{0, 60}, .size = 12, .binary = true, .synchronizing = false}));
  EXPECT_TRUE(append.fragment.literal);
}

TEST(ParseAppendTest, CatenateListsUrlsAndTexts) {
  const auto head =
      parse::ParseHead("a APPEND x (\\Seen) CATENATE (URL \"/a/;UID=1\" URL /a/;UID=2 TEXT {5}\r\n");
  ASSERT_TRUE(head.has_value());
  const auto& fragment = std::get<parse::AppendHead>(*head).fragment;
  const command::AppendMessage begin{
      .flags = {SystemFlag::kSeen}, .date = {}, .catenate = true, .synchronizing = false};
  EXPECT_THAT(fragment.steps, ::testing::ElementsAre(parse::AppendStep(begin),
                                                     parse::AppendStep(command::CatenateUrl{"/a/;UID=1"}),
                                                     parse::AppendStep(command::CatenateUrl{"/a/;UID=2"}),
                                                     parse::AppendStep(command::CatenateText{.size = 5})));
  EXPECT_TRUE(fragment.literal);
  EXPECT_TRUE(fragment.in_catenate);
  const auto rest =
      parse::ParseAfterMessage(" URL {3}\r\n/a/) CATENATE (URL b) {7+}\r\n", /*in_catenate=*/true);
  ASSERT_TRUE(rest.has_value());
  EXPECT_EQ(rest->steps.size(), 4U);
  EXPECT_FALSE(rest->in_catenate);
  const auto end = parse::ParseAfterMessage(")\r\n", /*in_catenate=*/true);
  ASSERT_TRUE(end.has_value());
  EXPECT_TRUE(end->steps.empty());
  EXPECT_FALSE(end->literal);
}

TEST(ParseAppendTest, CatenateThatIsNone) {
  for (const char* line :
       {"a APPEND x CATENATE\r\n", "a APPEND x CATENATE ()\r\n", "a APPEND x CATENATE (URL)\r\n",
        "a APPEND x CATENATE (TEXT \"a\")\r\n", "a APPEND x CATENATE (URL a URL b\r\n",
        "a APPEND x CATENATE (URL aURL b)\r\n", "a APPEND x CATENATE (URL a )\r\n",
        "a APPEND x CATENATE (URL a) x\r\n", "a APPEND x CATENATE URL a\r\n"}) {
    const auto head = parse::ParseHead(line);
    ASSERT_FALSE(head) << line;
    EXPECT_FALSE(head.error().error.incomplete) << line;
  }
  EXPECT_FALSE(parse::ParseAfterMessage("x)\r\n", /*in_catenate=*/true));
  EXPECT_FALSE(parse::ParseAfterMessage("\r\n", /*in_catenate=*/true));
  const auto waits = parse::ParseAfterMessage(" URL {3}\r\n", /*in_catenate=*/true);
  ASSERT_FALSE(waits);
  EXPECT_TRUE(waits.error().incomplete);
}

TEST(ParseAppendTest, ReplaceNamesOneMessage) {
  const auto head = parse::ParseHead("a uid replace 7 x {5+}\r\n");
  ASSERT_TRUE(head.has_value());
  const auto& begin = std::get<parse::AppendHead>(*head).begin;
  ASSERT_TRUE(begin.replaces);
  EXPECT_EQ(begin.replaces->numbers, NumberKind::kUid);
  EXPECT_EQ(begin.replaces->message.ToString(), "7");
  EXPECT_TRUE(parse::ParseHead("a REPLACE * x {5+}\r\n"));
  for (const char* line : {"a REPLACE 1,2 x {5}\r\n", "a REPLACE 1:2 x {5}\r\n", "a REPLACE $ x {5}\r\n",
                           "a REPLACE x {5}\r\n", "a UID APPEND x {5}\r\n", "a REPLACE 1 {5}\r\n"}) {
    EXPECT_FALSE(parse::ParseHead(line)) << line;
  }
}

TEST(ParseAppendTest, FlagsAndDateMayBeLeftOut) {
  const auto head = parse::ParseHead("a APPEND x {5000000000}\r\n");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(std::get<parse::AppendHead>(*head).fragment.steps.at(0),
            parse::AppendStep(command::AppendMessage{.size = 5'000'000'000}));
}

}  // namespace
}  // namespace protocol
