// The player notices whatever does not come as written.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/transcript_player.h"

namespace tests::transcript {
namespace {

using testing::HasSubstr;

/// What Play() says of `text`; "played" if all came as written.
std::string Said(std::string_view text) {
  const auto script = ParseScript(text);
  if (!script) return script.error();
  const auto server = NewLocalServer();
  return Play(*script, *server).value_or("played");
}

TEST(PlayerTest, WhatComesAsWrittenIsPlayed) {
  EXPECT_EQ(Said("A: login\nA> a1 NOOP\nA< a1 OK ...\n"), "played");
  EXPECT_EQ(Said("given INBOX with 1 message\nA: SELECT INBOX\nA: nothing\n"), "played");
}

TEST(PlayerTest, AnotherLineIsShownBesideTheExpectedOne) {
  const auto said = Said("A: login\nA> a1 NOOP\nA< a1 NO ...\n");
  EXPECT_THAT(said, HasSubstr("line 3: another line than expected from A"));
  EXPECT_THAT(said, HasSubstr("expected  a1 NO ..."));
  EXPECT_THAT(said, HasSubstr("received  a1 OK"));
}

TEST(PlayerTest, ALineThatNeverComesIsMissed) {
  EXPECT_THAT(Said("A: login\nA< * 1 EXISTS\n"), HasSubstr("nothing more to say"));
  EXPECT_THAT(Said("A: login\nA> a1 NOOP\nA<...\nA< a2 OK\n"), HasSubstr("nothing more to say"));
}

TEST(PlayerTest, ALineThatNobodyExpectedIsFound) {
  EXPECT_THAT(Said("A: login\nA> a1 NOOP\n"), HasSubstr("A was sent more: a1 OK"));
  EXPECT_THAT(Said("A: login\nA> a1 NOOP\nA: nothing\n"), HasSubstr("expected nothing, not: a1 OK"));
}

TEST(PlayerTest, TheEndOfAConnectionIsChecked) {
  EXPECT_THAT(Said("A: login\nA: closed\n"), HasSubstr("still open"));
  EXPECT_THAT(Said("A: login\nA> a1 LOGOUT\nA<...\nA< a1 OK ...\nA: nothing\n"), HasSubstr("is closed"));
}

TEST(PlayerTest, AGivenMustSucceed) {
  EXPECT_THAT(Said("given nonsense\n"), HasSubstr("cannot understand"));
  EXPECT_THAT(Said("given config frobs=1\n"), HasSubstr("no setting is named frobs"));
  EXPECT_THAT(Said("A: SELECT Nowhere\n"), HasSubstr("must succeed"));
  EXPECT_THAT(Said("A> a1 NOOP\n"), HasSubstr("not connected"));
}

TEST(PlayerTest, GroupsAndWordsAreChecked) {
  EXPECT_THAT(Said("A: login\nA> a1 NOOP\nA<* a2 OK ...\n"), HasSubstr("do not fit in any order"));
  EXPECT_THAT(Said("A: login\nA> a1 CAPABILITY\nA<~ * CAPABILITY FROBS\n"), HasSubstr("the word FROBS"));
}

}  // namespace
}  // namespace tests::transcript
