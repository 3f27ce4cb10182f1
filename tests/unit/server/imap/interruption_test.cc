// What ends a session from elsewhere while it waits or works.
#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "protocol/imap/limits.h"
#include "tests/unit/server/imap/imap_fixture.h"

namespace server::imap {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Every look at it takes a second, so that each slice of work is as short as can be.
class TickingClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point Now() const override {
    return std::chrono::steady_clock::time_point(std::chrono::seconds(100'000 + looks_++));
  }
  std::chrono::system_clock::time_point WallNow() const override {
    return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
  }
  int looks() const { return looks_; }

 private:
  mutable std::atomic<int> looks_{0};
};

/// Two hundred messages, of which each takes a slice to search, and a session that has selected them.
class InterruptedSearchTest : public ImapTest {
 protected:
  InterruptedSearchTest() { Fill(kMessages); }
  ~InterruptedSearchTest() override { Drain(); }

  std::unique_ptr<Client> Searching() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    net::Stream stream(reactor_, net::UniqueFd(ends[0]), "test");
    net::ConnectionInfo info;
    info.id = ++connections_;
    info.loopback = true;
    asio::co_spawn(reactor_.context(), ServeConnection(std::move(stream), info, ticking_services_),
                   asio::detached);
    auto client = std::make_unique<Client>(reactor_, ends[1]);
    client->Line();
    EXPECT_THAT((*client)("LOGIN user1@example.com secret"), StartsWith("a OK"));
    EXPECT_THAT((*client)("SELECT INBOX"), HasSubstr("a OK"));
    client->Send("a SEARCH BODY nothing\r\n");
    const int before = ticking_.looks();
    while (ticking_.looks() < before + 10) reactor_.context().run_one_for(std::chrono::seconds(20));
    return client;
  }

  /// What it answers beside how far it is.
  static std::string Without(std::string answer) {
    for (auto at = answer.find("* OK [INPROGRESS "); at != std::string::npos;
         at = answer.find("* OK [INPROGRESS "))
      answer.erase(at, answer.find('\n', at) + 1 - at);
    return answer;
  }

  static constexpr int kMessages = 200;
  TickingClock ticking_;
  Services ticking_services_{*store_, storage_, authenticator_, ticking_, log_, options_, nullptr};
};

TEST_F(InterruptedSearchTest, GoesOnToItsEndIfNobodyDisturbsIt) {
  const auto client = Searching();
  const int before = ticking_.looks();
  EXPECT_EQ(Without(client->Answer()), "* SEARCH\na OK SEARCH completed\n");
  EXPECT_GT(ticking_.looks(), before + kMessages) << "it was searched in slices";
}

TEST_F(InterruptedSearchTest, EndsWhenTheClientHasLeft) {
  Searching().reset();
  const int before = ticking_.looks();
  while (reactor_.stream_count() > 0) {
    ASSERT_GT(reactor_.context().run_one_for(std::chrono::seconds(20)), 0U);
  }
  EXPECT_LT(ticking_.looks(), before + kMessages);
}

TEST_F(InterruptedSearchTest, EndsWithByeWhenTheServerStops) {
  const auto client = Searching();
  reactor_.Shutdown();
  EXPECT_EQ(client->Line(), "* BYE [UNAVAILABLE] Server is shutting down");
  EXPECT_EQ(client->Line(), "(closed)");
}

/// Pipelined commands whose answers are far longer than they are, to a client that reads nothing.
TEST_F(ImapTest, PipelinedCommandsWaitWhileTheirAnswersAreNotRead) {
  constexpr int kSearches = 100;
  Fill(2000);
  Client client = Selected();
  std::string commands;
  for (int i = 0; i < kSearches; ++i) commands += "s" + std::to_string(i) + " SEARCH ALL\r\n";
  client.Send(commands + "c CREATE done\r\n");
  for (;;) {  // until nothing is ready and nothing runs on the pool
    const bool busy = storage_.busy() > 0;
    reactor_.context().restart();
    if (reactor_.context().poll() > 0) continue;
    if (!busy) break;
    reactor_.context().run_one_for(std::chrono::milliseconds(10));
  }
  EXPECT_FALSE(store_->GetFolder(account_, "done")) << "all answers, 900 KB, are kept in memory";
  for (int i = 0; i < kSearches; ++i)
    EXPECT_THAT(client.Answer("s" + std::to_string(i)), HasSubstr(" OK SEARCH completed"));
  EXPECT_THAT(client.Answer("c"), StartsWith("c OK"));
  EXPECT_TRUE(store_->GetFolder(account_, "done"));
}

TEST_F(InterruptedSearchTest, HasNoMoreTextKeysThanTheLimit) {
  Client client = Selected();
  std::string keys;
  for (std::size_t i = 0; i < protocol::limits::kSearchTextKeys; ++i) keys += " SUBJECT number";
  EXPECT_THAT(client("SEARCH 1:2" + keys), StartsWith("* SEARCH 1 2\na OK"));
  EXPECT_THAT(client("SEARCH 1:2 OR BODY x SEEN" + keys), StartsWith("a NO [LIMIT] Too many text keys"));
  EXPECT_THAT(client("NOOP"), StartsWith("a OK"));
}

TEST_F(InterruptedSearchTest, SortAndThreadInManySlicesAnswerAsInOne) {
  Client quick = Selected();
  const auto slow = Searching();
  slow->Answer();
  for (const std::string command : {"SORT (REVERSE ARRIVAL) UTF-8 BODY text", "SORT (SUBJECT) UTF-8 ALL",
                                    "THREAD REFERENCES UTF-8 BODY text", "THREAD ORDEREDSUBJECT UTF-8 ALL"}) {
    const std::string answer = quick(command);
    EXPECT_THAT(answer, HasSubstr("200"));
    EXPECT_EQ(Without((*slow)(command)), answer);
  }
}

// RFC 9585 §4: a tag, how much is done, of how much; never less than before.
TEST_F(InterruptedSearchTest, TellsNowAndThenHowFarItIs) {
  const auto client = Searching();
  client->Answer();
  for (const std::string command :
       {"SEARCH BODY nothing", "SORT (SUBJECT) UTF-8 BODY text", "UID THREAD REFERENCES UTF-8 BODY text"}) {
    const int before = ticking_.looks();
    const std::string answer = (*client)(command);
    const int seconds = ticking_.looks() - before;
    const bool sorts = !command.starts_with("SEARCH");
    int lines = 0;
    std::uint32_t last = 0;
    for (std::size_t at = 0; (at = answer.find("* OK [INPROGRESS (\"a\" ", at)) != std::string::npos; ++at) {
      std::uint32_t done = 0;
      std::uint32_t goal = 0;
      ASSERT_EQ(
          std::sscanf(answer.c_str() + at, "* OK [INPROGRESS (\"a\" %u %u)] Still at work\n", &done, &goal),
          2)
          << answer.substr(at, 80);
      EXPECT_GE(done, last);
      EXPECT_LT(done, goal);
      EXPECT_EQ(goal, static_cast<std::uint32_t>(sorts ? 2 * kMessages : kMessages));
      last = done;
      ++lines;
    }
    EXPECT_GT(lines, 2) << command;
    EXPECT_LE(lines, seconds / 10) << "at most every ten seconds";
    EXPECT_GT(last, static_cast<std::uint32_t>(kMessages / 2));
  }
}

TEST_F(InterruptedSearchTest, TellsAQuickClientNothing) {
  Client client = Selected();
  EXPECT_EQ(client("SEARCH BODY nothing"), "* SEARCH\na OK SEARCH completed\n");
}

TEST_F(InterruptedSearchTest, TellsOfATagThatWouldEndTheCodeWithoutIt) {
  const auto client = Searching();
  client->Answer();
  client->Send("a]b SEARCH BODY nothing\r\n");
  EXPECT_THAT(client->Line(), StartsWith("* OK [INPROGRESS (NIL "));
  EXPECT_THAT(client->Answer("a]b"), HasSubstr("a]b OK"));
}

TEST_F(InterruptedSearchTest, AFetchInManySlicesAnswersAsInOne) {
  const std::string message =
      "Subject: b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      "aGVsbG8gd29ybGQ=\r\n";
  Client quick = Selected();
  EXPECT_THAT(quick.Append("INBOX", message), HasSubstr("a OK"));
  const auto slow = Searching();
  slow->Answer();
  const std::string fetch =
      "FETCH 199:201 (BINARY.SIZE[1] BINARY.PEEK[1]<0.5> FLAGS BINARY.PEEK[1]<6.5> BODY.PEEK[TEXT]<0.4>)";
  const int before = ticking_.looks();
  const std::string answer = (*slow)(fetch);
  EXPECT_GT(ticking_.looks(), before + 10) << "the clock is looked at after each item";
  EXPECT_THAT(answer, HasSubstr("BINARY.SIZE[1] 11 BINARY[1]<0> {5}\nhello"));
  EXPECT_THAT(answer, HasSubstr("BINARY[1]<6> {5}\nworld BODY[TEXT]<0> {4}\naGVs)\na OK"));
  quick("NOOP");
  EXPECT_THAT(quick(fetch), HasSubstr("BINARY[1]<6> {5}\nworld BODY[TEXT]<0> {4}\naGVs)\na OK"));
}

/// The account is disabled or deleted while sessions are logged in to it.
class ClosedAccountTest : public ImapTest {
 protected:
  void Disable() {
    const auto done = store_->SetStatus(account_, storage::AccountStatus::kDisabled);
    ASSERT_TRUE(done) << done.error().detail;
  }
  static constexpr const char* kBye = "* BYE [CONTACTADMIN] This account was disabled or deleted";
};

TEST_F(ClosedAccountTest, SessionsThatWaitHearByeAtOnce) {
  Client without_folder = LoggedIn();
  Client with_folder = Selected();
  Client idle = LoggedIn();
  idle.Send("i IDLE\r\n");
  EXPECT_EQ(idle.Line(), "+ idling");
  Client appending = LoggedIn();
  appending.Send("a APPEND INBOX {1000}\r\n");
  EXPECT_THAT(appending.Line(), StartsWith("+ "));
  Disable();
  for (Client* client : {&without_folder, &with_folder, &idle, &appending}) {
    EXPECT_EQ(client->Line(), kBye);
    EXPECT_EQ(client->Line(), "(closed)");
  }
}

TEST_F(ClosedAccountTest, ADeletedAccountsSessionsHearItToo) {
  Client client = Selected();
  ASSERT_TRUE(store_->DeleteAccount(account_));
  EXPECT_EQ(client.Line(), kBye);
  EXPECT_EQ(client.Line(), "(closed)");
}

TEST_F(ClosedAccountTest, NoCommandRunsAfterwards) {
  Client client = LoggedIn();
  client.Send("a CREATE New\r\nb CREATE Newer\r\n");
  Disable();
  EXPECT_EQ(client.Line(), kBye);
  EXPECT_EQ(client.Line(), "(closed)");
}

TEST_F(ClosedAccountTest, ADownloadBreaksOff) {
  Client client = Selected();
  const std::string message = "Subject: long\r\n\r\n" + std::string(5'000'000, 'x') + "\r\n";
  EXPECT_THAT(client.Append("INBOX", message), HasSubstr("a OK [APPENDUID "));
  client.Send("a FETCH 1 BODY.PEEK[]\r\n");
  client.Octets(1000);
  Disable();
  EXPECT_EQ(client.Octets(message.size()), "(closed)") << "no BYE in the midst of a literal";
}

TEST_F(ClosedAccountTest, OtherAccountsAndOtherChangesDisturbNobody) {
  storage::NewAccount account;
  account.address = "sip:other@example.com";
  const auto other = store_->CreateAccount(account);
  ASSERT_TRUE(other);
  Client client = LoggedIn();
  ASSERT_TRUE(store_->SetStatus(*other, storage::AccountStatus::kDisabled));
  ASSERT_TRUE(store_->SetStatus(account_, storage::AccountStatus::kActive));
  ASSERT_TRUE(store_->SetQuota(account_, {.octets = 1 << 20, .messages = 100}));
  EXPECT_EQ(client("NOOP"), "a OK NOOP completed\n");
}

/// Three thousand names, of which each 64 take a slice.
class InterruptedListTest : public ImapTest {
 protected:
  InterruptedListTest() {
    for (int i = 0; i < kFolders; ++i) {
      EXPECT_TRUE(store_->CreateFolder(account_, fmt::format("folder {}", i), protocol::SpecialUse::kNone));
    }
  }
  ~InterruptedListTest() override { Drain(); }

  std::unique_ptr<Client> Connected() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    net::Stream stream(reactor_, net::UniqueFd(ends[0]), "test");
    net::ConnectionInfo info;
    info.id = ++connections_;
    info.loopback = true;
    asio::co_spawn(reactor_.context(), ServeConnection(std::move(stream), info, ticking_services_),
                   asio::detached);
    auto client = std::make_unique<Client>(reactor_, ends[1]);
    client->Line();
    EXPECT_THAT((*client)("LOGIN user1@example.com secret"), StartsWith("a OK"));
    return client;
  }
  std::unique_ptr<Client> Listing() {
    auto client = Connected();
    client->Send("a LIST \"\" *nothing*\r\n");
    const int before = ticking_.looks();
    while (ticking_.looks() < before + 10) reactor_.context().run_one_for(std::chrono::seconds(20));
    return client;
  }

  static constexpr int kFolders = 3000;
  static constexpr int kSlices = kFolders / 64;
  TickingClock ticking_;
  Services ticking_services_{*store_, storage_, authenticator_, ticking_, log_, options_, nullptr};
};

TEST_F(InterruptedListTest, InManySlicesAndPortionsAnswersAsInOne) {
  Client whole = LoggedIn();
  const auto client = Connected();
  for (const std::string list :
       {"LIST \"\" *", "LIST \"\" f* RETURN (STATUS (MESSAGES UIDNEXT))", "LSUB \"\" %"}) {
    const int before = ticking_.looks();
    EXPECT_EQ((*client)(list), whole(list));
    EXPECT_GT(ticking_.looks(), before + 1);
  }
  const std::string answer = whole("LIST \"\" * RETURN (STATUS (MESSAGES))");
  EXPECT_EQ(std::ranges::count(answer, '\n'), 2 * (kFolders + 3) + 1) << "with INBOX, Sent and Trash";
}

TEST_F(InterruptedListTest, EndsWhenTheClientHasLeft) {
  Listing().reset();
  const int before = ticking_.looks();
  while (reactor_.stream_count() > 0) {
    ASSERT_GT(reactor_.context().run_one_for(std::chrono::seconds(20)), 0U);
  }
  EXPECT_LT(ticking_.looks(), before + kSlices / 2);
}

TEST_F(InterruptedListTest, EndsWithByeWhenTheServerStops) {
  const auto client = Listing();
  reactor_.Shutdown();
  EXPECT_EQ(client->Line(), "* BYE [UNAVAILABLE] Server is shutting down");
  EXPECT_EQ(client->Line(), "(closed)");
}

}  // namespace
}  // namespace server::imap
