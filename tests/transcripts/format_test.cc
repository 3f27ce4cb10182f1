// The transcripts' own format: a test that cannot fail is worse than none.

#include <gtest/gtest.h>

#include "tests/support/transcript_given.h"
#include "tests/support/transcript_pattern.h"
#include "tests/support/transcript_player.h"
#include "tests/support/transcript_script.h"

namespace tests::transcript {
namespace {

using Kind = Step::Kind;

bool Fits(std::string_view pattern, std::string_view line) {
  Bindings bindings;
  return Matches(pattern, line, bindings);
}

TEST(PatternTest, TextIsItself) {
  EXPECT_TRUE(Fits("* 3 EXISTS", "* 3 EXISTS"));
  EXPECT_FALSE(Fits("* 3 EXISTS", "* 3 EXISTS "));
  EXPECT_FALSE(Fits("* 3 EXISTS", "* 3 exists"));
  EXPECT_FALSE(Fits("* 3 EXISTS", "* 33 EXISTS"));
  EXPECT_FALSE(Fits("", "x"));
  EXPECT_TRUE(Fits("", ""));
}

TEST(PatternTest, DotsAreAnyRun) {
  EXPECT_TRUE(Fits("a OK ...", "a OK done"));
  EXPECT_TRUE(Fits("a OK...", "a OK"));
  EXPECT_TRUE(Fits("* 1 FETCH (...FLAGS ()...)", "* 1 FETCH (UID 4 FLAGS () SIZE 1)"));
  EXPECT_FALSE(Fits("a OK ...", "a NO done"));
  EXPECT_FALSE(Fits("...x", "xy"));
}

TEST(PatternTest, NamesBindOneToken) {
  Bindings bindings;
  EXPECT_TRUE(Matches("* OK [UIDVALIDITY $v] ...", "* OK [UIDVALIDITY 17] ok", bindings));
  EXPECT_EQ(bindings["v"], "17");
  EXPECT_TRUE(Matches("[APPENDUID $v $u]", "[APPENDUID 17 4]", bindings));
  EXPECT_FALSE(Matches("[APPENDUID $v $u]", "[APPENDUID 18 4]", bindings));
  EXPECT_FALSE(Matches("UID $new", "UID 1 2", bindings));
  EXPECT_FALSE(bindings.contains("new"));
}

TEST(PatternTest, QuotedNamesBindSpaces) {
  Bindings bindings;
  EXPECT_TRUE(Matches("DATE \"$d\" x", "DATE \"17-Jul-1996 02:44:25 -0700\" x", bindings));
  EXPECT_EQ(bindings["d"], "17-Jul-1996 02:44:25 -0700");
}

TEST(PatternTest, CapitalDollarIsNoName) {
  EXPECT_TRUE(Fits("FLAGS ($Forwarded)", "FLAGS ($Forwarded)"));
  EXPECT_FALSE(Fits("FLAGS ($Forwarded)", "FLAGS ($Junk)"));
}

TEST(PatternTest, EscapesAreOctets) {
  EXPECT_EQ(Unescape("a\\x00b\\Seen\\xff"), std::string("a\0b\\Seen\xff", 9));
  EXPECT_TRUE(Fits("a\\x09b", "a\tb"));
  EXPECT_EQ(Escape("a\tb"), "a\\x09b");
}

TEST(PatternTest, GroupsFitInAnyOrderAndBindOnce) {
  Bindings bindings;
  EXPECT_TRUE(MatchesInAnyOrder({"* $n x", "* 2 y"}, {"* 2 y", "* 1 x"}, bindings));
  EXPECT_EQ(bindings["n"], "1");
  EXPECT_FALSE(MatchesInAnyOrder({"a", "a"}, {"a", "b"}, bindings));
  EXPECT_FALSE(MatchesInAnyOrder({"a"}, {"a", "b"}, bindings));
}

TEST(PatternTest, WordsMayBeForbidden) {
  EXPECT_EQ(MissingWord("* CAPABILITY IDLE !STARTTLS", "* CAPABILITY A IDLE", {}), std::nullopt);
  EXPECT_EQ(MissingWord("* CAPABILITY IDLE", "* CAPABILITY A", {}), "IDLE");
  EXPECT_EQ(MissingWord("!STARTTLS", "* CAPABILITY STARTTLS", {}), "!STARTTLS");
  EXPECT_EQ(MissingWord("FLAGS (\\Seen \\Seen)", "FLAGS (\\Seen)", {}), "\\Seen");
}

TEST(ScriptTest, EveryKindOfLineIsRead) {
  const auto script = ParseScript(
      "# RFC 3501\n"
      "only here: reasons\n"
      "message hello\n"
      "| Subject: x\n"
      "|\n"
      "| y\n"
      "given INBOX with message hello\n"
      "A, B: SELECT INBOX\n"
      "A> a1 NOOP\n"
      "A>> half\n"
      "A< a1 OK ...\n"
      "A<* one\n"
      "A<* two\n"
      "\n"
      "A<* three\n"
      "A<...\n"
      "A<~ words\n"
      "C: connect remote\n"
      "C: nothing\n"
      "C: closed\n"
      "advance 31 min\n");
  ASSERT_TRUE(script) << script.error();
  EXPECT_EQ(script->comment, "RFC 3501\n");
  EXPECT_EQ(script->only_here, "reasons");
  EXPECT_EQ(script->messages.at("hello"), "Subject: x\r\n\r\ny\r\n");
  std::vector<Kind> kinds;
  for (const auto& step : script->steps) kinds.push_back(step.kind);
  const std::vector<Kind> expected{Kind::kGiven,    Kind::kRun,    Kind::kRun,      Kind::kSend,
                                   Kind::kSendPart, Kind::kExpect, Kind::kAnyOrder, Kind::kAnyOrder,
                                   Kind::kSkip,     Kind::kWords,  Kind::kConnect,  Kind::kNothing,
                                   Kind::kClosed,   Kind::kAdvance};
  EXPECT_EQ(kinds, expected);
  EXPECT_EQ(script->steps[6].texts, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(script->steps.back().time, std::chrono::minutes(31));
  EXPECT_EQ(script->steps[2].session, "B");
}

TEST(ScriptTest, NonsenseIsRefusedWithItsLine) {
  EXPECT_EQ(ParseScript("# x\nA SELECT\n").error(),
            "line 2: expected '>', '<' or ': ' after the session's name");
  EXPECT_TRUE(ParseScript("a> b\n").error().starts_with("line 1: expected given"));
  EXPECT_TRUE(ParseScript("| text\n").error().starts_with("line 1: '|'"));
  EXPECT_TRUE(ParseScript("advance soon\n").error().starts_with("line 1: expected a time"));
  EXPECT_TRUE(ParseScript("A: dance\n").error().starts_with("line 1: expected connect"));
}

TEST(ScriptTest, MessagesAreInserted) {
  const std::map<std::string, std::string> messages{{"m", "abc"}};
  EXPECT_EQ(InsertMessages("x {m} {m+} {3} {} @{m} @{n} {n", messages), "x {3} {3+} {3} {} abc @{n} {n");
}

TEST(GivenTest, MessagesHaveTheirFlags) {
  const auto commands =
      GivenCommands(R"(INBOX with 3 new messages, 2 is \Deleted, 1 and 3 are \Seen \Flagged)", {});
  ASSERT_TRUE(commands);
  ASSERT_EQ(commands->size(), 3U);
  EXPECT_TRUE((*commands)[0].starts_with(R"(APPEND "INBOX" (\Seen \Flagged) {)")) << (*commands)[0];
  EXPECT_TRUE((*commands)[1].starts_with(R"(APPEND "INBOX" (\Deleted) {)"));
  EXPECT_TRUE((*commands)[2].starts_with(R"(APPEND "INBOX" (\Seen \Flagged) {)"));
  EXPECT_TRUE((*commands)[2].ends_with(OrdinaryMessage(3)));
}

TEST(GivenTest, OnlyNewMessagesStayRecent) {
  EXPECT_EQ(GivenCommands("INBOX with 1 new message", {})->size(), 1U);
  const auto commands = GivenCommands("INBOX with 1 message", {});
  ASSERT_EQ(commands->size(), 3U);
  EXPECT_EQ((*commands)[1], "SELECT \"INBOX\"");
  EXPECT_EQ((*commands)[2], "UNSELECT");
}

TEST(GivenTest, FoldersAreMadeAndFilled) {
  EXPECT_EQ(*GivenCommands(R"(folder A b/c use \Sent)", {}),
            (std::vector<std::string>{R"(CREATE "A b/c" (USE (\Sent)))"}));
  EXPECT_EQ(*GivenCommands(R"(folder X with new message m flags (\Seen) date "d")", {{"m", "abc"}}),
            (std::vector<std::string>{"CREATE \"X\"", "APPEND \"X\" (\\Seen) \"d\" {3+}\r\nabc"}));
  EXPECT_EQ(*GivenCommands("subscription a/b", {}), (std::vector<std::string>{"SUBSCRIBE \"a/b\""}));
  EXPECT_EQ(GivenCommands("INBOX with nonsense", {}), std::nullopt);
  EXPECT_EQ(GivenCommands("config x=y", {}), std::nullopt);
}

}  // namespace
}  // namespace tests::transcript
