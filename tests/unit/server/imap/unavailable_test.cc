// What clients are told while the disk is full or does not answer.
#include "server/imap/command_table.h"
#include "server/references/desk.h"
#include "tests/support/failing_engine.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class UnavailableTest : public ImapTest {
 protected:
  UnavailableTest() {
    Fill(2);
    auto store = storage::MailStore::Open(engine_, {});
    EXPECT_TRUE(store);
    failing_store_ = *std::move(store);
    failing_services_.emplace(
        Services{*failing_store_, storage_, authenticator_, clock_, log_, options_, nullptr});
  }
  ~UnavailableTest() override { Drain(); }

  Client Selected() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    net::Stream stream(reactor_, net::UniqueFd(ends[0]), "test");
    net::ConnectionInfo info;
    info.id = ++connections_;
    info.loopback = true;
    asio::co_spawn(reactor_.context(), ServeConnection(std::move(stream), info, *failing_services_),
                   asio::detached);
    Client client(reactor_, ends[1]);
    client.Line();
    EXPECT_THAT(client("LOGIN user1@example.com secret"), StartsWith("a OK"));
    EXPECT_THAT(client("SELECT INBOX"), HasSubstr("a OK"));
    return client;
  }

  tests::FailingEngine engine_{store_.engine()};
  std::unique_ptr<storage::MailStore> failing_store_;
  std::optional<Services> failing_services_;
};

constexpr const char* kNoWrite =
    "a NO [UNAVAILABLE] The store cannot write now (disk full or I/O error); nothing was changed, reading "
    "still "
    "works\n";

TEST_F(UnavailableTest, AFullDiskRefusesWritesInSoManyWordsAndStillReads) {
  Client client = Selected();
  engine_.writes_fail = true;
  EXPECT_EQ(client("STORE 1 +FLAGS (\\Seen)"), kNoWrite);
  EXPECT_EQ(client("CREATE New"), kNoWrite);
  EXPECT_EQ(client("COPY 1 Sent"), kNoWrite);
  EXPECT_EQ(client("MOVE 1 Sent"), kNoWrite);
  EXPECT_EQ(client("RENAME Sent Gone"), kNoWrite);
  EXPECT_EQ(client("SUBSCRIBE New"), kNoWrite);
  EXPECT_EQ(client.Append("INBOX", "Subject: x\r\n\r\n"), kNoWrite);
  EXPECT_EQ(client("SEARCH BODY text"), "* SEARCH 1 2\na OK SEARCH completed\n");
  EXPECT_THAT(client("FETCH 1 BODY[TEXT]"), HasSubstr("a OK FETCH completed\n"));
  engine_.writes_fail = false;
  EXPECT_THAT(client("STORE 1 +FLAGS (\\Seen)"), HasSubstr("a OK STORE completed\n"));
}

// RFC 4467 §8: RESETKEY of everything is several commits, and the disk may fill up between two of them.
TEST_F(UnavailableTest, KeysThatAreGoneAreNotCalledUnchanged) {
  class Listener final : public storage::ChangeListener {
   public:
    explicit Listener(std::atomic<bool>& writes_fail) : writes_fail_(writes_fail) {}
    void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
      writes_fail_ = std::holds_alternative<storage::UrlKeysReset>(change->what);
    }

   private:
    std::atomic<bool>& writes_fail_;
  };
  for (int i = 0; i < 60; ++i) {
    const auto folder = failing_store_->CreateFolder(account_, fmt::format("f{}", i), {});
    ASSERT_TRUE(folder);
    ASSERT_TRUE(failing_store_->UrlKey(folder->ref, std::string(32, 'k')));
  }
  Client client = Selected();
  Client other = Selected();
  {
    Listener listener(engine_.writes_fail);
    const auto subscription = failing_store_->feed().Subscribe(account_, listener);
    EXPECT_EQ(
        client("RESETKEY"),
        "a NO [UNAVAILABLE] The store cannot write now: the keys of 55 mailboxes are removed, others may "
        "not be; ask again\n");
  }
  EXPECT_THAT(other("NOOP"), HasSubstr("* OK [URLMECH INTERNAL]"));
  engine_.writes_fail = false;
  EXPECT_EQ(client("RESETKEY"), "a OK All keys removed\n");
}

TEST_F(UnavailableTest, WhatCannotBeCountedIsWithheldAndSaidSo) {
  constexpr std::chrono::hours kLong{24 * 3650};  // of the clock here, which is not the store's
  const references::ReferenceSettings settings{
      .urls = options_.urls, .base_url = {}, .lifetime = kLong, .max_lifetime = kLong};
  references::ReferenceDesk desk(*failing_store_, settings, clock_);
  references::Wish wish;
  wish.folder = failing_store_->GetFolder(account_, "INBOX")->ref;
  wish.uid = {1};
  wish.kind = storage::ReferenceAudience::kUser;
  wish.audience = "user1@example.com";
  references::Wish once = wish;
  once.one_time = true;
  const auto issued = desk.Issue(*failing_store_->GetAccount(account_), account_, {wish, once});
  ASSERT_TRUE(issued) << issued.error().detail;
  const std::string often_url = "\"" + issued->at(0).imap_url + "\"";
  const std::string once_url = "\"" + issued->at(1).imap_url + "\"";
  Client client = Selected();
  engine_.writes_fail = true;
  EXPECT_THAT(client("URLFETCH " + often_url), HasSubstr(often_url + " {"));
  EXPECT_THAT(client("URLFETCH " + once_url),
              StartsWith("* URLFETCH " + once_url + " NIL\na NO [UNAVAILABLE]"));
  const std::string both = client("URLFETCH " + often_url + " " + once_url + " " + often_url);
  EXPECT_THAT(both, HasSubstr(once_url + " NIL " + often_url + " {"));
  EXPECT_THAT(both, HasSubstr("a NO [UNAVAILABLE] The store cannot write now: what is fetched once"));
  engine_.writes_fail = false;
  EXPECT_THAT(client("URLFETCH " + once_url), HasSubstr(once_url + " {"));
  EXPECT_EQ(client("URLFETCH " + once_url), "* URLFETCH " + once_url + " NIL\na OK URLFETCH completed\n");
}

TEST_F(UnavailableTest, ReadsThatFailDoNotSpeakOfWriting) {
  Client client = Selected();
  engine_.reads_fail = true;
  const std::string refusal =
      "a NO [UNAVAILABLE] The store cannot be read now (I/O error), try again later\n";
  EXPECT_EQ(client("STATUS INBOX (MESSAGES)"), refusal);
  EXPECT_EQ(client("FETCH 1 (FLAGS INTERNALDATE)"), refusal);
  EXPECT_EQ(client("SEARCH BODY text"), refusal);
  engine_.reads_fail = false;
  EXPECT_THAT(client("STATUS INBOX (MESSAGES)"), HasSubstr("a OK"));
}

TEST(CommandTableTest, KnowsWhichCommandsWrite) {
  std::string writers;
  for (const CommandRow& row : kCommands) {
    if (row.access == Access::kWrites) writers += std::string(row.name) + " ";
  }
  EXPECT_EQ(writers,
            "CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE SETMETADATA RESETKEY GENURLAUTH SETACL DELETEACL "
            "SETQUOTA CLOSE EXPUNGE STORE "
            "COPY MOVE ");
}

// RFC 5465 §3.1: what was in force stays so, also that NOTIFY was not used at all.
TEST_F(UnavailableTest, ANotifyThatFailsChangesNothing) {
  Client client = Selected();
  Client other = Selected();
  const std::string command = "NOTIFY SET STATUS (subtree Sent (MessageNew MessageExpunge MailboxName))";
  engine_.reads_fail = true;
  EXPECT_THAT(client(command), StartsWith("a NO [UNAVAILABLE] "));
  engine_.reads_fail = false;
  EXPECT_THAT(other("STORE 1 +FLAGS.SILENT (\\Seen)"), StartsWith("a OK"));
  EXPECT_EQ(client("NOOP"), "* 1 FETCH (FLAGS (\\Seen \\Recent))\na OK NOOP completed\n");
  EXPECT_EQ(client("NOTIFY SET (personal (SubscriptionChange))"), "a OK NOTIFY completed\n");
  engine_.reads_fail = true;
  EXPECT_THAT(client(command), StartsWith("a NO [UNAVAILABLE] "));
  engine_.reads_fail = false;
  EXPECT_THAT(other("SUBSCRIBE new"), StartsWith("a OK"));
  EXPECT_EQ(client.Line(), "* LIST (\\NonExistent \\HasNoChildren \\Subscribed) \"/\" new");
}

// RFC 5465 §5.8: news that cannot be looked up are not passed over in silence.
TEST_F(UnavailableTest, NewsThatCannotBeToldEndTheNotifications) {
  Client client = Selected();
  Client other = Selected();
  EXPECT_EQ(client("NOTIFY SET (personal (MailboxName))"), "a OK NOTIFY completed\n");
  client.Send("b NO");
  Settle();
  EXPECT_THAT(other("CREATE new"), StartsWith("a OK"));
  Settle();
  engine_.reads_fail = true;
  client.Send("OP\r\n");
  EXPECT_THAT(client.Answer("b"), StartsWith("* OK [NOTIFICATIONOVERFLOW] "));
  engine_.reads_fail = false;
  EXPECT_THAT(other("CREATE another"), StartsWith("a OK"));
  EXPECT_EQ(client("NOOP"), "a OK NOOP completed\n");
}

// RFC 5267 §4.3.1: whoever is told nothing more knows it.
TEST_F(UnavailableTest, UpdatesThatCannotBeFollowedEnd) {
  Client c = Selected();
  Client other = Selected();
  EXPECT_THAT(c("UID SEARCH RETURN (UPDATE COUNT) SEEN"), HasSubstr("COUNT 0"));
  EXPECT_THAT(other("STORE 1 +FLAGS.SILENT (\\Seen)"), StartsWith("a OK"));
  engine_.reads_fail = true;
  EXPECT_THAT(c("NOOP"),
              StartsWith("* NO [NOUPDATE \"a\"] The updates cannot go on: search again\n* 1 FETCH "));
  engine_.reads_fail = false;
  EXPECT_THAT(other("STORE 2 +FLAGS.SILENT (\\Seen)"), StartsWith("a OK"));
  EXPECT_THAT(c("NOOP"), testing::Not(HasSubstr("ESEARCH")));
  EXPECT_THAT(c("UID SEARCH RETURN (UPDATE COUNT) SEEN"),
              StartsWith("* ESEARCH (TAG \"a\") UID COUNT 2\na OK"));
}

}  // namespace
}  // namespace server::imap
