// Conversations at a terminal: who, when, how far a message came; hostile text in every field.

#include "tools/cms-admin/conversation_text.h"

#include <cstdlib>
#include <ctime>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/unit/tools/conversation_fixture.h"
#include "tools/cms-admin/text_width.h"

namespace admin_test {
namespace {

using admin::ConversationTable;
using admin::ConversationText;
using testing::HasSubstr;
using testing::Not;

class ConversationTextTest : public testing::Test {
 protected:
  ConversationTextTest() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  static std::string Text(const Answer& answer, std::size_t columns = 80) {
    return ConversationText(answer.Read(), {.columns = columns});
  }
};

TEST_F(ConversationTextTest, AMessageWithItsReceipts) {
  Answer answer;
  auto& sent = answer.Add(0, "hello");
  sent["direction"] = "sent";
  sent["from"] = "tel:+1";
  sent["imdn_message_id"] = "m";
  answer.AddNotice(60, "m", "delivered", "tel:+2");
  answer.AddNotice(3600, "m", "displayed", "tel:+2");
  const auto text = Text(answer);
  EXPECT_THAT(text, HasSubstr("1970-01-01 00:00  me\n    hello\n    read 01:00\n"));
  EXPECT_THAT(text, Not(HasSubstr("not here"))) << "notices show as receipts";
}

TEST_F(ConversationTextTest, InAGroupReceiptsHaveNames) {
  Answer answer("group");
  auto& sent = answer.Add(0, "hello");
  sent["direction"] = "sent";
  sent["imdn_message_id"] = "m";
  answer.AddNotice(60, "m", "displayed", "tel:+2");
  answer.AddNotice(90, "m", "delivered", "tel:+3");
  answer.AddNotice(95, "m", "failed", "tel:+4");
  auto& state = answer.Add(100);
  state["kind"] = "group-state";
  state["group"] = boost::json::object{
      {"type", "Closed"},
      {"participants", boost::json::array({boost::json::object{{"address", "tel:+2"}, {"name", "Bea"}},
                                           boost::json::object{{"address", "tel:+3"}}})}};
  const auto text = Text(answer);
  EXPECT_THAT(text, HasSubstr("read by Bea 00:01; delivered to tel:+3 00:01; failed for tel:+4 00:01"));
  EXPECT_THAT(text, HasSubstr("in it: Bea, tel:+3"));
}

TEST_F(ConversationTextTest, ANoticeWhoseMessageIsGoneIsShown) {
  Answer answer;
  answer.AddNotice(60, "gone", "displayed", "tel:+2");
  EXPECT_THAT(Text(answer), HasSubstr("tel:+2: read, of a message that is not here (gone)"));
}

TEST_F(ConversationTextTest, RepliesAreIndented) {
  Answer answer;
  answer.Add(0, "first")["contribution_id"] = "a";
  answer.Add(120, "other")["contribution_id"] = "b";
  auto& reply = answer.Add(180, "answer");
  reply["contribution_id"] = "c";
  reply["in_reply_to_contribution_id"] = "a";
  const auto text = Text(answer);
  EXPECT_THAT(text, HasSubstr("  ↳ 1970-01-01 00:03  tel:+2\n      answer\n"));
  EXPECT_LT(text.find("answer"), text.find("other"));
}

TEST_F(ConversationTextTest, FilesAndFlagsAndFaults) {
  Answer answer;
  auto& object = answer.Add(0);
  object["flags"] = boost::json::array({"\\Flagged"});
  object["malformed"] = "the XML ends early";
  object["files"] = boost::json::array(
      {boost::json::object{{"name", "a.jpg"}, {"type", "image/jpeg"}, {"size", 3278}, {"stored", true}}});
  const auto text = Text(answer);
  EXPECT_THAT(text, HasSubstr("unread, flagged"));
  EXPECT_THAT(text, HasSubstr("[a.jpg] image/jpeg, 3.2 KiB"));
  EXPECT_THAT(text, HasSubstr("malformed: the XML ends early"));
}

TEST_F(ConversationTextTest, HostileTextCannotReachTheTerminal) {
  constexpr std::string_view kEvil =
      "\x1b]0;owned\x07\u202e\xc2\x9b"
      "31m\r\n2016-03-02 10:15  Bea";
  Answer answer("group");
  answer.head()["subject"] = kEvil;
  answer.head()["folder"] = kEvil;
  auto& object = answer.Add(0, kEvil);
  for (const char* key : {"from", "from_name", "subject", "malformed", "folder"}) object[key] = kEvil;
  object["files"] = boost::json::array(
      {boost::json::object{{"name", kEvil}, {"type", kEvil}, {"description", kEvil}, {"url", kEvil}}});
  object["imdn_message_id"] = kEvil;
  answer.AddNotice(1, "other", "displayed", kEvil)["imdn"].as_object()["message_id"] = kEvil;
  answer.AddNotice(2, kEvil, "displayed", kEvil)["direction"] = "sent";
  auto& session = answer.Add(3);
  session["kind"] = "session-info";
  session["subject"] = kEvil;
  session["session"] = boost::json::object{{"type", kEvil}, {"participants", boost::json::array({kEvil})}};
  auto& group = answer.Add(4);
  group["kind"] = "group-state";
  group["group"] = boost::json::object{
      {"type", kEvil},
      {"participants", boost::json::array({boost::json::object{{"address", kEvil}, {"name", kEvil}}})}};
  std::vector<admin::ConversationHead> heads{answer.Read().head};
  for (const auto& text : {Text(answer), Text(answer, 200), ConversationTable(heads, {})}) {
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, Not(HasSubstr("\x07")));
    EXPECT_THAT(text, Not(HasSubstr("\r")));
    EXPECT_THAT(text, Not(HasSubstr("\u202e")));
    EXPECT_THAT(text, Not(HasSubstr("\xc2\x9b")));
  }
  // Only a message's text has lines of its own, and those are indented.
  EXPECT_THAT(Text(answer), Not(HasSubstr("\n2016-03-02 10:15")));
}

TEST_F(ConversationTextTest, LinesFitTheTerminal) {
  Answer answer;
  auto& object = answer.Add(0, std::string(500, 'x') + " 日本語 " + std::string(100, 'y'));
  object["from_name"] = std::string(300, 'n');
  object["files"] =
      boost::json::array({boost::json::object{{"name", std::string(255, 'f')}, {"type", "a/b"}}});
  for (const std::size_t columns : {40U, 80U, 100U}) {
    std::istringstream lines(Text(answer, columns));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(admin::Width(line), columns) << line;
  }
}

TEST_F(ConversationTextTest, ColourIsOnlyWhereItIsWanted) {
  Answer answer;
  answer.Add(0, "x");
  EXPECT_THAT(ConversationText(answer.Read(), {.columns = 80, .colour = true}), HasSubstr("\x1b["));
  EXPECT_THAT(Text(answer), Not(HasSubstr("\x1b[")));
}

TEST_F(ConversationTextTest, TheTableHasTheLatestFirst) {
  admin::ConversationHead old{.folder = "Default/tel:+2", .peer = "tel:+2", .objects = 3, .last_time = 0};
  admin::ConversationHead recent{.folder = "Default/abc",
                                 .group = true,
                                 .subject = "週末の旅行",
                                 .objects = 12,
                                 .unread = 2,
                                 .last_time = 86400};
  EXPECT_EQ(ConversationTable({old, recent}, {}),
            "PEER OR SUBJECT  KIND        OBJECTS  UNREAD  LAST ACTIVITY\n"
            "週末の旅行       group            12       2  1970-01-02 00:00\n"
            "  Default/abc\n"
            "tel:+2           one-to-one        3       0  1970-01-01 00:00\n");
}

TEST_F(ConversationTextTest, TheTableTellsConversationsWithOnePeerApart) {
  admin::ConversationHead kept{.folder = "Kept/tel:+2", .peer = "tel:+2", .last_time = 60};
  admin::ConversationHead anew{.folder = "Default/tel:+2", .peer = "tel:+2", .last_time = 0};
  EXPECT_EQ(ConversationTable({kept, anew}, {}),
            "PEER OR SUBJECT  KIND        OBJECTS  UNREAD  LAST ACTIVITY\n"
            "tel:+2           one-to-one        0       0  1970-01-01 00:01\n"
            "  Kept/tel:+2\n"
            "tel:+2           one-to-one        0       0  1970-01-01 00:00\n"
            "  Default/tel:+2\n");
}

TEST_F(ConversationTextTest, AFolderOfMailIsNoGroup) {
  Answer answer("group");
  answer.Add(0, "hello")["from_name"] = "Zoë";
  EXPECT_THAT(Text(answer), HasSubstr("\ngroup with Zoë"));
  answer.head()["folder_kind"] = "inbox";
  EXPECT_THAT(Text(answer), HasSubstr("\nwith Zoë"));
}

TEST_F(ConversationTextTest, ExplainedAddsWhatWasFoundOut) {
  Answer answer;
  auto& sent = answer.Add(0, "hello");
  sent["direction"] = "sent";
  sent["imdn_message_id"] = "m";
  answer.AddNotice(60, "m", "displayed", "tel:+2");
  const auto explained = admin::Explained(answer.json(), answer.Read());
  const auto& object = explained.at("objects").as_array()[0].as_object();
  EXPECT_EQ(object.at("state").as_string(), "read");
  EXPECT_EQ(object.at("receipts").as_array().size(), 1U);
  EXPECT_EQ(explained.at("threads").as_array().size(), 2U);
}

TEST_F(ConversationTextTest, WhatIsMissingOrWrongIsAbsent) {
  EXPECT_TRUE(admin::ReadConversation({}).objects.empty());
  const auto odd = admin::ReadConversation(
      {{"account", 1},
       {"conversation", "x"},
       {"objects", boost::json::array({1, boost::json::object{{"uid", -1}, {"time", "x"}, {"files", 3}}})}});
  EXPECT_EQ(odd.objects.size(), 1U);
}

}  // namespace
}  // namespace admin_test
