// The reference service over a disk that fails, which no network is needed for. Its behaviour on one that
// does not: tests/integration/test_references.py.
#include <ctime>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/http/reference_json.h"
#include "server/http/request.h"
#include "server/http/visitor.h"
#include "storage/kv/memory_engine.h"
#include "tests/support/failing_engine.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace server::http {
namespace {

using storage::kv::NewMemoryEngine;
using tests::Must;

/// A request, and what is answered.
class TextWire final : public HttpWire {
 public:
  explicit TextWire(std::string request) : request_(std::move(request)) {}
  asio::awaitable<std::size_t> ReadSome(std::span<char> space, std::chrono::milliseconds) override {
    const auto got = request_.copy(space.data(), space.size());
    request_.erase(0, got);
    co_return got;
  }
  asio::awaitable<bool> Write(std::span<std::string_view> pieces, bool) override {
    for (const auto piece : pieces) answer += piece;
    co_return true;
  }
  std::string answer;

 private:
  std::string request_;
};

class ReferenceFaceTest : public testing::Test {
 protected:
  ReferenceFaceTest() {  // short enough that no cache keeps it (storage/store/body_cache.h)
    Must(tests::Append(*store_, owner_, "INBOX",
                       {"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                        "--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                        std::string(8'000, 'A') + "\r\n--b--\r\n"}));
  }
  ~ReferenceFaceTest() override { engine_.writes_fail = engine_.bodies_fail = false; }

  /// For the account itself.
  references::Issued Issue(bool one_time, std::uint32_t uid = 1, std::string_view section = "1") {
    references::Wish wish;
    wish.folder = Must(store_->GetFolder(owner_, "INBOX")).ref;
    wish.uid = {uid};
    wish.section = *protocol::ReadSection(section);
    wish.kind = storage::ReferenceAudience::kUser;
    wish.audience = "tel:+1555";
    wish.one_time = one_time;
    const auto issued = Must(DeskOf(services_).Issue(Must(store_->GetAccount(owner_)), owner_, {wish})).at(0);
    return issued;
  }
  std::string Ask(std::string request, Caller caller = Caller::kVisitor) {
    TextWire wire(std::move(request));
    Visitor visitor;
    visitor.ends.psk_owner = owner_.value;
    const auto serve = [&]() -> asio::awaitable<void> {
      beast::flat_buffer buffer;
      Call::Parser parser;
      const HttpOptions options;
      const auto error = co_await ReadHead(wire, buffer, parser, options, options.keep_alive);
      const Face face{caller, caller == Caller::kVisitor ? &visitor : nullptr, options};
      [[maybe_unused]] const bool more = co_await Answer(wire, buffer, parser, error, services_, face);
    };
    asio::io_context context;
    asio::co_spawn(context, serve(), asio::detached);
    context.run();
    return wire.answer;
  }
  std::string Get(const std::string& url) {
    const auto path = url.substr(url.find("/v1/"));
    return Ask(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", path)).substr(9, 3);
  }
  std::uint64_t FetchesOf(const references::Issued& issued) {
    return Must(store_->FindReference(owner_, issued.record.id))->fetches;
  }

  std::unique_ptr<storage::kv::Engine> memory_ = NewMemoryEngine();
  tests::FailingEngine engine_{*memory_};
  std::unique_ptr<storage::MailStore> store_ = Must(storage::MailStore::Open(engine_, tests::PlainMail()));
  storage::AccountId owner_ = tests::CreateAccount(*store_, "tel:+1555");
  net::StorageExecutor pool_{{.threads = 2}};
  const SystemClock clock_;
  auth::Authenticator authenticator_{*store_, pool_, pool_, clock_};
  ReferenceServices references_{authenticator_, nullptr, nullptr, clock_, {{.host = "x"}, "https://x"}};
  const config::Profile profile_;
  sessions::SessionList sessions_;
  WaitingRoom waiting_;
  Services services_{*store_, pool_, pool_, profile_, sessions_,   waiting_,
                     1 << 20, {},    {},    nullptr,  &references_};
};

TEST_F(ReferenceFaceTest, AFullDiskIsReadFrom) {
  const auto often = Issue(false);
  const auto once = Issue(true);
  EXPECT_EQ(Get(often.url), "200");
  engine_.writes_fail = true;
  EXPECT_EQ(Get(often.url), "200");
  EXPECT_EQ(Get(once.url), "503") << "it could be had again";
  // So it is over IMAP.
  references::UrlAuthority authority(*store_, references_.settings.urls, clock_);
  const auto fetch = [&](const std::string& url) {
    return authority.NoteFetch(*Must(authority.Look(url, {owner_, storage::Role::kUser})));
  };
  EXPECT_TRUE(Must(fetch(often.imap_url)));
  EXPECT_EQ(tests::ErrorOf(fetch(once.imap_url)), storage::Errc::kUnavailable);
  engine_.writes_fail = false;
  EXPECT_EQ(FetchesOf(often), 1U);
  EXPECT_EQ(Get(once.url), "200");
  EXPECT_EQ(Get(once.url), "410");
}

TEST_F(ReferenceFaceTest, OnlyWhatGoesOutIsAccessed) {
  std::vector<storage::NewMessage> messages;
  messages.push_back(tests::NewMessage(*store_, owner_, "Subject: later\r\n\r\nCall me.\r\n"));
  messages.back().expiry = std::time(nullptr) + 3600;
  Must(store_->Append(owner_, "INBOX", std::move(messages), storage::Actor({}, storage::Role::kPf)));
  const auto inbox = Must(store_->GetFolder(owner_, "INBOX")).ref;
  const auto is_temporary = [&] {
    return !Must(Must(store_->Read(inbox)).Temporary(storage::UidSet({2}, {2}))).empty();
  };
  const auto issued = Issue(false, 2, "TEXT");
  const auto path = issued.url.substr(issued.url.find("/v1/"));
  EXPECT_EQ(Ask(fmt::format("HEAD {} HTTP/1.1\r\nHost: x\r\n\r\n", path)).substr(9, 3), "200");
  EXPECT_EQ(Ask(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nIf-None-Match: *\r\n\r\n", path)).substr(9, 3),
            "304");
  EXPECT_EQ(Ask(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\nRange: bytes=99-\r\n\r\n", path)).substr(9, 3),
            "416");
  const auto broken = Issue(false);
  Must(store_->RevokeReference(owner_, broken.record.id));
  const auto both =
      fmt::format("Content-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n{}\r\n--z\r\n{}\r\n--z--\r\n",
                  issued.external_body, broken.external_body);
  const auto resolve = [&](const std::string& message) {
    return Ask(fmt::format("POST /v1/messages/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: message/rfc822\r\n"
                           "Content-Length: {}\r\n\r\n{}",
                           message.size(), message))
        .substr(9, 3);
  };
  EXPECT_EQ(resolve(both), "422");
  engine_.writes_fail = true;
  EXPECT_EQ(Get(issued.url), "503") << "what is read must not expire";
  engine_.writes_fail = false;
  EXPECT_TRUE(is_temporary());
  EXPECT_EQ(Get(issued.url), "200");
  EXPECT_FALSE(is_temporary());
}

/// A player asks for range after range of a video within a CPIM: it is looked into once.
TEST_F(ReferenceFaceTest, ACpimIsLookedIntoOnce) {
  Must(tests::Append(
      *store_, owner_, "INBOX",
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/cpim\r\n\r\n"
       "From: <tel:+1556>\r\n\r\nContent-Type: image/png\r\n\r\n" +
       std::string(8'000, 'A') + "\r\n--b--\r\n"}));
  const auto inbox = Must(store_->GetFolder(owner_, "INBOX")).ref;
  const auto within = Must(DeskOf(services_).Attachments(inbox, {2})).at(0);
  references::Wish wish;
  wish.folder = inbox;
  wish.uid = {2};
  wish.section = within.section;
  wish.partial = within.partial;
  wish.kind = storage::ReferenceAudience::kUser;
  wish.audience = "tel:+1555";
  const auto issued = Must(DeskOf(services_).Issue(Must(store_->GetAccount(owner_)), owner_, {wish})).at(0);
  const auto place = references::ReferenceDesk::PartOf(issued.record);
  ASSERT_EQ(references_.cpims.Find(place), nullptr);
  EXPECT_EQ(Get(issued.url), "200");
  const auto known = references_.cpims.Find(place);
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(Get(issued.url), "200");
  EXPECT_EQ(references_.cpims.Find(place), known);
}

/// With NUL IMAP serves base64: over HTTP "stored" is what was stored.
TEST_F(ReferenceFaceTest, AsStoredIsAsStored) {
  const std::string odd =
      "Content-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\nab" + std::string(1, '\0');
  const std::string message =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + odd + "\r\n--b--\r\n";
  Must(tests::Append(*store_, owner_, "INBOX", {message}));
  const auto body = [&](const references::Issued& issued, std::string_view encoding) {
    const auto answer = Ask(fmt::format("GET {}?encoding={} HTTP/1.1\r\nHost: x\r\n\r\n",
                                        issued.url.substr(issued.url.find("/v1/")), encoding));
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  for (const std::string_view encoding : {"stored", "decoded"}) {
    EXPECT_EQ(body(Issue(false, 2, ""), encoding), message) << encoding;
    EXPECT_EQ(body(Issue(false, 2, "1"), encoding), odd.substr(odd.size() - 3)) << encoding;
  }
  EXPECT_EQ(body(Issue(false), "stored"), std::string(8'000, 'A'));
  EXPECT_EQ(body(Issue(false), "decoded"), std::string(6'000, '\0'));
}

/// What will never fit is not written down first.
TEST_F(ReferenceFaceTest, WhatCannotBeStoredIsRefusedBeforeItComes) {
  std::size_t bodies = 0;
  const auto externalize = [&](std::string_view query, std::uint64_t octets, const std::string& sent) {
    const auto answer =
        Ask(fmt::format("POST /v1/messages/externalize?{} HTTP/1.1\r\nHost: x\r\n"
                        "Content-Type: message/rfc822\r\nContent-Length: {}\r\n\r\n{}",
                        query, octets, sent));
    bodies = 0;
    Must(store_->engine().OpenView()->Scan(storage::kv::Table::kBodies, {}, {},
                                           [&](auto, auto) { return ++bodies > 0; }));
    return answer.substr(9, 3);
  };
  const std::string message = "Subject: x\r\n\r\n" + std::string(900'000, 'x');
  EXPECT_EQ(externalize("folder=nowhere", message.size(), message), "404");
  EXPECT_EQ(externalize("folder=INBOX", (1 << 20) + 1, message), "413");
  storage::QuotaLimits quota;
  quota.octets = 100'000;
  Must(store_->SetQuota(owner_, quota));
  EXPECT_EQ(externalize("folder=INBOX", message.size(), message), "507");
  EXPECT_EQ(bodies, 1U);
  // Of one whose size nobody says, no more than would fit.
  const auto chunk = fmt::format("{:x}\r\n{}\r\n", 90'000, std::string(90'000, 'x'));
  const auto answer =
      Ask("POST /v1/messages/externalize?folder=INBOX HTTP/1.1\r\nHost: x\r\n"
          "Content-Type: message/rfc822\r\nTransfer-Encoding: chunked\r\n\r\n" +
          chunk + chunk);
  EXPECT_EQ(answer.substr(9, 3), "507");
}

/// As deep as they may be, within a CPIM and around it, on the stack of a thread of the pool.
TEST_F(ReferenceFaceTest, DeepMessagesAreResolved) {
  const auto issued = Issue(false);
  const auto wrap = [](std::string entity) {
    for (int i = 0; i < 99; ++i)
      entity = fmt::format(
          "Content-Type: multipart/mixed; boundary=b{0}\r\n\r\n--b{0}\r\n{1}\r\n--b{0}--\r\n", i, entity);
    return entity;
  };
  const auto message =
      wrap("Content-Type: message/cpim\r\n\r\nFrom: <tel:+1556>\r\n\r\n" + wrap(issued.external_body));
  const auto answer =
      Ask(fmt::format("POST /v1/messages/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: message/rfc822\r\n"
                      "Content-Length: {}\r\n\r\n{}",
                      message.size(), message));
  EXPECT_EQ(answer.substr(9, 3), "200") << answer;
  EXPECT_NE(answer.find("CPM-References: 1\r\n"), std::string::npos) << answer.substr(0, 500);
}

TEST_F(ReferenceFaceTest, ALeastSizeHidesNoFault) {
  const std::string message =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n"
      "Content-Transfer-Encoding: x-odd\r\n\r\nAAAA\r\n--b--\r\n";
  const auto externalize = [&](std::string_view query) {
    return Ask(fmt::format("POST /v1/messages/externalize?folder=INBOX&{} HTTP/1.1\r\nHost: x\r\n"
                           "Content-Type: message/rfc822\r\nContent-Length: {}\r\n\r\n{}",
                           query, message.size(), message))
        .substr(9, 3);
  };
  EXPECT_EQ(externalize("parts=7&min_octets=1"), "404");
  EXPECT_EQ(externalize("parts=1&min_octets=1"), "404") << "in an encoding that nobody knows";
  EXPECT_EQ(externalize("parts=attachments&min_octets=1"), "201") << "it stays where it is";
  EXPECT_EQ(externalize("parts=attachments"), "201");
}

TEST_F(ReferenceFaceTest, WhatCannotBeReadIsNotCalledMissing) {
  const auto often = Issue(false);
  const auto once = Issue(true);
  engine_.bodies_fail = true;
  EXPECT_EQ(Get(often.url), "503");
  EXPECT_EQ(Get(once.url), "503");
  const auto resolve =
      Ask(fmt::format("POST /v1/messages/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: message/rfc822\r\n"
                      "Content-Length: {}\r\n\r\n{}",
                      often.external_body.size(), often.external_body));
  EXPECT_EQ(resolve.substr(9, 3), "503");
  const auto of_operator = fmt::format(
      "GET /v1/accounts/tel:%2B1555/references/{}/data HTTP/1.1\r\nHost: x\r\n\r\n", often.record.id);
  EXPECT_EQ(Ask(of_operator, Caller::kOperator).substr(9, 3), "503");
  engine_.bodies_fail = false;
  EXPECT_EQ(Get(often.url), "200");
  EXPECT_EQ(Get(once.url), "200");
}

}  // namespace
}  // namespace server::http
