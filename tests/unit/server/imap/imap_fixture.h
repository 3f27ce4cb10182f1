#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <sys/socket.h>

#include "server/auth/password_hash.h"
#include "server/clock.h"
#include "server/imap/connection.h"
#include "server/net/reactor.h"
#include "tests/support/temp_store.h"

namespace server::imap {

/// A guard against a hang only: the thorough tests read 64 MiB in one step, with a sanitizer, on a busy
/// machine.
inline constexpr std::chrono::minutes kHang{2};

/// The client's end of a connection that is served on the test's own event loop: whoever reads, runs the
/// loop.
class Client {
 public:
  Client(net::Reactor& reactor, int fd) : reactor_(&reactor), fd_(fd) {}

  void Send(std::string_view octets) {
    while (!octets.empty()) {
      const auto sent = ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent > 0) {
        octets.remove_prefix(static_cast<std::size_t>(sent));
      } else if (errno == EAGAIN) {
        if (!Turn()) return;
      } else {
        return;
      }
    }
  }

  /// One line without its CRLF; "(closed)" after the last.
  std::string Line() {
    for (;;) {
      if (const auto end = text_.find("\r\n"); end != std::string::npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 2);
        return line;
      }
      if (!Receive()) return "(closed)";
    }
  }

  /// The lines that have come, without waiting for any.
  std::vector<std::string> Pushed() {
    while (ReceiveNow() == Received::kSome) {
    }
    std::vector<std::string> lines;
    while (text_.find("\r\n") != std::string::npos) lines.push_back(Line());
    return lines;
  }

  /// Octets of a literal.
  std::string Octets(std::size_t count) {
    while (text_.size() < count) {
      if (!Receive()) return "(closed)";
    }
    std::string octets = text_.substr(0, count);
    text_.erase(0, count);
    return octets;
  }

  /// Sends "a <command>" and gives the answer up to the tagged line, lines ended by LF. No literals.
  std::string operator()(const std::string& command) {
    Send("a " + command + "\r\n");
    return Answer();
  }
  std::string Answer(const std::string& tag = "a") {
    std::string answer;
    for (;;) {
      const std::string line = Line();
      answer += line + "\n";
      if (line.starts_with(tag + " ") || line == "(closed)") return answer;
    }
  }

  /// Sends a message by APPEND with LITERAL+.
  std::string Append(const std::string& arguments, const std::string& message) {
    Send("a APPEND " + arguments + " {" + std::to_string(message.size()) + "+}\r\n" + message + "\r\n");
    return Answer();
  }

 private:
  /// One event of the loop; false if there was none for long: the test has gone wrong.
  bool Turn() {
    const bool turned = reactor_->context().run_one_for(kHang) > 0;
    if (!turned) ADD_FAILURE() << "the server has nothing more to say";
    return turned;
  }
  enum class Received { kSome, kNone, kEnd };
  Received ReceiveNow() {
    char buffer[16384];
    const auto got = ::recv(fd_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return got < 0 && errno == EAGAIN ? Received::kNone : Received::kEnd;
    text_.append(buffer, static_cast<std::size_t>(got));
    return Received::kSome;
  }
  bool Receive() {
    for (;;) {
      const auto received = ReceiveNow();
      if (received != Received::kNone) return received == Received::kSome;
      if (!Turn()) return false;
    }
  }

  net::Reactor* reactor_;
  net::UniqueFd fd_;
  std::string text_;
};

/// A server in this process with one account, "user1@example.com" with password "secret".
class ImapTest : public testing::Test {
 protected:
  explicit ImapTest(storage::StoreOptions options = tests::PlainMail())
      : store_(tests::Driver::kMemory, std::move(options)),
        authenticator_(*store_, storage_, passwords_, clock_),
        log_("test"),
        services_{*store_, storage_, authenticator_, clock_, log_, options_, nullptr} {
    static const std::string hash = auth::Hash("secret");
    options_.plaintext_login_on_loopback = true;
    storage::NewAccount account;
    account.address = "sip:user1@example.com";
    account.password_hash = hash;
    account.folders = {{"Sent", protocol::SpecialUse::kSent}, {"Trash", protocol::SpecialUse::kTrash}};
    const auto made = store_->CreateAccount(account);
    EXPECT_TRUE(made) << made.error().detail;
    if (made) account_ = *made;
  }
  ~ImapTest() override { Drain(); }
  /// Ends every connection.
  void Drain() {
    reactor_.CloseAll();
    while (reactor_.stream_count() > 0 && reactor_.context().run_one_for(kHang) > 0) {
    }
  }

  /// Until the server has nothing left to do.
  void Settle() {
    for (;;) {
      // In this order: what a job posts is there before the job stops counting as busy.
      const bool busy = storage_.busy() > 0 || passwords_.busy() > 0;
      if (reactor_.context().poll() > 0) continue;
      if (!busy) return;
      reactor_.context().run_one_for(std::chrono::milliseconds(1));
    }
  }

  /// Connected; the greeting has not been read.
  Client Connect() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    net::Stream stream(reactor_, net::UniqueFd(ends[0]), "test");
    net::ConnectionInfo info;
    info.id = ++connections_;
    info.loopback = true;
    asio::co_spawn(reactor_.context(), ServeConnection(std::move(stream), info, services_), asio::detached);
    return {reactor_, ends[1]};
  }
  Client LoggedIn() {
    Client client = Connect();
    client.Line();
    EXPECT_THAT(client("LOGIN user1@example.com secret"), testing::StartsWith("a OK [CAPABILITY "));
    return client;
  }
  Client Selected(const std::string& folder = "INBOX") {
    Client client = LoggedIn();
    EXPECT_THAT(client("SELECT " + folder), testing::EndsWith("a OK [READ-WRITE] SELECT completed\n"));
    return client;
  }
  void Fill(int messages, const std::string& folder = "INBOX") {
    for (int i = 1; i <= messages; ++i) {
      auto body = store_->Stage(account_);
      ASSERT_TRUE(body);
      ASSERT_TRUE(
          body->Write("Subject: number " + std::to_string(i) + "\r\n\r\nText " + std::to_string(i) + "\r\n"));
      std::vector<storage::NewMessage> batch;
      batch.push_back({*std::move(body), {}, protocol::InternalDate{1'700'000'000 + i * 86'400, 0}});
      const auto done = store_->Append(account_, folder, std::move(batch));
      ASSERT_TRUE(done) << done.error().detail;
    }
  }

  tests::TempStore store_;
  FakeClock clock_;
  net::Reactor reactor_{clock_};
  // Else the loop ends for good when the last connection closes while its storage work is under way.
  asio::executor_work_guard<asio::io_context::executor_type> keep_running_ =
      asio::make_work_guard(reactor_.context());
  static constexpr std::size_t kThreads = 4;
  net::StorageExecutor storage_{{.threads = kThreads}};
  net::StorageExecutor passwords_{{.threads = 1}};
  auth::Authenticator authenticator_;
  spdlog::logger log_;
  ImapOptions options_;
  Services services_;
  storage::AccountId account_;
  std::uint64_t connections_ = 0;
};

}  // namespace server::imap
