#include "tools/cms-admin/mbox.h"

#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace admin_test {
namespace {

using admin::LocalMessage;
using protocol::SystemFlag;

std::vector<LocalMessage> Read(const std::string& mbox) {
  std::istringstream in(mbox);
  std::vector<LocalMessage> messages;
  admin::ReadMbox(in, [&](const LocalMessage& message) {
    messages.push_back(message);
    return true;
  });
  return messages;
}

std::string Write(const std::vector<LocalMessage>& messages) {
  std::ostringstream out;
  for (const auto& message : messages) admin::WriteMbox(out, message);
  return out.str();
}

TEST(ReadMbox, PartsMessagesAtFromLinesAndMakesCrlf) {
  const auto messages = Read(
      "From a@example.com Mon Feb  7 06:43:04 1994\n"
      "Subject: one\n\none\n\n"
      "From b@example.com Tue Feb  8 06:43:04 1994\n"
      "Subject: two\n\ntwo\n");
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_EQ(messages[0].octets, "Subject: one\r\n\r\none\r\n");
  EXPECT_EQ(messages[1].octets, "Subject: two\r\n\r\ntwo\r\n");
  ASSERT_TRUE(messages[0].date);
  EXPECT_EQ(messages[0].date->unix_seconds, 760'603'384);
}

TEST(ReadMbox, AFromLineCountsAfterAnEmptyLineOnly) {
  const auto messages = Read("From a Mon Feb  7 06:43:04 1994\n\nDear all,\nFrom here on it is text.\n");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].octets, "\r\nDear all,\r\nFrom here on it is text.\r\n");
}

TEST(ReadMbox, OneQuoteIsTakenOff) {
  const auto messages =
      Read("From a Mon Feb  7 06:43:04 1994\n\n>From one\n>>From two\n> From none\n>Fromage\n");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].octets, "\r\nFrom one\r\n>From two\r\n> From none\r\n>Fromage\r\n");
}

TEST(ReadMbox, CrlfAndAMissingLastLineEndAreTaken) {
  const auto messages = Read("From a Mon Feb  7 06:43:04 1994\r\nSubject: x\r\n\r\nno end");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].octets, "Subject: x\r\n\r\nno end");
}

TEST(ReadMbox, AnUnreadableDateIsNone) {
  const auto messages = Read("From someone whenever\n\nx\n");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_FALSE(messages[0].date);
}

TEST(ReadMbox, WhatIsBeforeTheFirstFromLineIsNoMessage) {
  EXPECT_TRUE(Read("").empty());
  EXPECT_TRUE(Read("no mbox at all\n\nnone\n").empty());
}

TEST(ReadMbox, ALineLikeOursThatIsNoneBelongsToTheMessage) {
  const auto messages = Read("From a Mon Feb  7 06:43:04 1994\nX-Cmsd-Octets: many\n\nx\n");
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].octets, "X-Cmsd-Octets: many\r\n\r\nx\r\n");
}

TEST(ReadMbox, EndsWhenTheVisitorHasEnough) {
  std::istringstream in("From a x\n\n1\n\nFrom a x\n\n2\n\nFrom a x\n\n3\n");
  int seen = 0;
  admin::ReadMbox(in, [&](const LocalMessage&) { return ++seen < 2; });
  EXPECT_EQ(seen, 2);
}

TEST(WriteMbox, QuotesEveryLineOfQuotesAndFrom) {
  const auto text =
      Write({{.octets = "Subject: x\r\n\r\nFrom me\r\n>From you\r\nFromage\r\n", .flags = {}, .date = {}}});
  EXPECT_EQ(text,
            "From cmsd Thu Jan 01 00:00:00 1970\n"
            "X-Cmsd-Octets: 43\n"
            "X-Cmsd-Flags: \n"
            "Subject: x\r\n\r\n>From me\r\n>>From you\r\nFromage\r\n\n\n");
}

TEST(WriteMbox, ReadMboxGivesBackOctetsFlagsAndDate) {
  const std::vector<std::string> octets = {
      "Subject: plain\r\n\r\nx\r\n",
      "",
      "no line end",
      "\n\n\n",
      "From the first line on\r\n\r\nFrom\r\nFrom \r\n>>>From x",
      "X-Cmsd-Octets: 3\nX-Cmsd-Date: y\nX-Cmsd-Flags: \\Seen\n\nbody\n\n",
      std::string("nul \0 and \xff", 11),
      "\n\nFrom a@example.com Mon Feb  7 06:43:04 1994\n\nforged\n\n",
  };
  std::vector<LocalMessage> messages;
  for (const auto& one : octets) {
    LocalMessage message{.octets = one, .flags = {SystemFlag::kSeen, SystemFlag::kDraft}, .date = {}};
    message.flags.Insert("$Forwarded");
    message.flags.Insert("\\read-report-sent");
    if (one.size() % 2 == 0) message.date = protocol::InternalDate{1'402'760'520, 120};
    messages.push_back(message);
  }
  const auto back = Read(Write(messages));
  ASSERT_EQ(back.size(), messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(back[i].octets, messages[i].octets) << i;
    EXPECT_EQ(back[i].flags, messages[i].flags) << i;
    if (messages[i].date) {
      EXPECT_EQ(back[i].date, messages[i].date) << i;
    }
  }
}

TEST(WithCrlf, ChangesBareLineFeedsOnly) { EXPECT_EQ(admin::WithCrlf("a\nb\r\n\nc\r"), "a\r\nb\r\n\r\nc\r"); }

}  // namespace
}  // namespace admin_test
