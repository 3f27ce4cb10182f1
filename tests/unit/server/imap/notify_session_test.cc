// NOTIFY (RFC 5465) with clients that ask for too much, or do not read.
#include "protocol/imap/limits.h"
#include "tests/support/store_access.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using tests::Must;

class NotifySessionTest : public ImapTest {
 protected:
  /// As long as a name can be.
  static std::string LongName(int i) {
    return std::to_string(10'000 + i) + "/" + std::string(240, 'x') + "/" + std::string(240, 'y') + "/" +
           std::string(240, 'z') + "/" + std::string(240, 'w');
  }
  void SubscribeMany(int first, int last) {
    for (int i = first; i < last; ++i) Must(store_->Subscribe(account_, LongName(i)));
  }
};

TEST_F(NotifySessionTest, TenThousandNamesAreRefused) {
  Client client = LoggedIn();
  Must(store_->CreateFolder(account_, "box", protocol::SpecialUse::kNone));
  EXPECT_EQ(client("NOTIFY SET (mailboxes box (MailboxName))"), "a OK NOTIFY completed\n");
  std::string names;
  for (int i = 0; i < 10'000; ++i) names += (i == 0 ? "" : " ") + std::to_string(i);
  ASSERT_LT(names.size(), protocol::limits::kLineAfterLogin - 100) << "the line itself would be refused";
  EXPECT_EQ(client("NOTIFY SET (mailboxes (" + names + ") (MailboxName))"),
            "a NO [NOTIFICATIONOVERFLOW] A NOTIFY names at most 1000 mailboxes of 32768 octets, SUBTREE and "
            "PERSONAL "
            "watch more; nothing was changed\n");
  Must(store_->DeleteFolder(account_, "box"));
  Settle();
  EXPECT_THAT(client.Pushed(), ElementsAre("* LIST (\\NonExistent \\HasNoChildren) \"/\" box"));
}

/// RFC 5465 §5.8: told, and then as after NOTIFY NONE; NOTIFY SET STATUS begins anew.
TEST_F(NotifySessionTest, WhatWaitsIsBounded) {
  Fill(2);
  Client client = Selected();
  EXPECT_EQ(client("NOTIFY SET (selected (MessageNew MessageExpunge)) (personal (SubscriptionChange))"),
            "a OK NOTIFY completed\n");
  client.Send("b NO");
  Settle();
  SubscribeMany(0, 300);
  Settle();
  EXPECT_THAT(client.Pushed(), ElementsAre());
  client.Send("OP\r\n");
  EXPECT_THAT(client.Answer("b"),
              "* OK [NOTIFICATIONOVERFLOW] Too much has happened; nothing is told until NOTIFY SET STATUS, "
              "which tells all\nb OK NOOP completed\n");
  Fill(1);
  SubscribeMany(300, 301);
  Settle();
  EXPECT_EQ(client("NOOP"), "a OK NOOP completed\n");
  EXPECT_EQ(client("NOTIFY SET STATUS (selected (MessageNew MessageExpunge)) (mailboxes Sent (MessageNew "
                   "MessageExpunge SubscriptionChange))"),
            "* 3 EXISTS\n* 3 RECENT\n* STATUS Sent (MESSAGES 0 UIDNEXT 1 "
            "UIDVALIDITY " +
                std::to_string(Must(store_->GetFolder(account_, "Sent")).uid_validity.value) +
                ")\na OK NOTIFY completed\n");
  Must(store_->Unsubscribe(account_, "Sent"));
  Settle();
  EXPECT_THAT(client.Pushed(), ElementsAre(EndsWith(" Sent")));
}

/// Nobody waits for a client that does not read; it is cut off like any other (ImapOptions::write_stall).
TEST_F(NotifySessionTest, WhoDoesNotReadIsCutOff) {
  Client deaf = LoggedIn();
  EXPECT_EQ(deaf("NOTIFY SET (personal (SubscriptionChange))"), "a OK NOTIFY completed\n");
  Client other = LoggedIn();
  EXPECT_EQ(other("NOTIFY SET (personal (SubscriptionChange))"), "a OK NOTIFY completed\n");
  for (int i = 0; i < 1000; ++i) {
    SubscribeMany(i, i + 1);
    Settle();
    EXPECT_EQ(other.Pushed().size(), 1U);
  }
  EXPECT_EQ(reactor_.stream_count(), 2U);
  clock_.Advance(options_.write_stall + std::chrono::seconds(1));
  reactor_.Sweep();
  Settle();
  EXPECT_EQ(reactor_.stream_count(), 1U);
  SubscribeMany(1000, 1001);
  Settle();
  EXPECT_EQ(other.Pushed().size(), 1U);
}

TEST_F(NotifySessionTest, AClosedAccountEndsASessionThatIsNotified) {
  Client client = LoggedIn();
  EXPECT_EQ(client("NOTIFY SET (personal (MailboxName))"), "a OK NOTIFY completed\n");
  Must(store_->SetStatus(account_, storage::AccountStatus::kDisabled));
  Settle();
  EXPECT_THAT(client.Line(), StartsWith("* BYE "));
}

/// A snapshot of many mailboxes is sent in portions, and what happens meanwhile is told once.
TEST_F(NotifySessionTest, ManyMailboxesAreTold) {
  constexpr int kMailboxes = 1500;
  const std::string name(80, 'm');
  for (int i = 0; i < kMailboxes; ++i)
    Must(store_->CreateFolder(account_, name + std::to_string(i), protocol::SpecialUse::kNone));
  Client client = LoggedIn();
  client.Send("a NOTIFY SET STATUS (personal (MessageNew MessageExpunge FlagChange))\r\n");
  Fill(1, name + "7");
  const std::string answer = client.Answer();
  EXPECT_EQ(std::ranges::count(answer, '\n'), kMailboxes + 3 + 1);
  Settle();
  const auto pushed = client.Pushed();
  const bool in_answer = answer.find(name + "7 (MESSAGES 1 ") != std::string::npos;
  EXPECT_EQ(pushed.size(), in_answer ? 0U : 1U) << testing::PrintToString(pushed);
}

}  // namespace
}  // namespace server::imap
