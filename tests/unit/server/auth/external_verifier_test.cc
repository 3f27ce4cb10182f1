// A subscriber database that is asked over HTTP, and all the ways in which it does not answer.
#include "server/auth/external_verifier.h"

#include <atomic>
#include <fstream>
#include <functional>
#include <thread>

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

#include "server/auth/authenticator.h"
#include "server/auth/password_hash.h"
#include "storage/kv/memory_engine.h"
#include "tests/unit/server/net/stream_fixture.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server_test {
namespace {

using namespace server::auth;
using Answer = Attestation::Answer;
namespace asio = server::asio;
namespace http = boost::beast::http;
namespace json = boost::json;
using Request = http::request<http::string_body>;

std::string Ok(std::string_view body) {
  return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
}

/// Answers each request, one after another, on a port of its own.
class Database {
 public:
  /// What to send, as it stands; an empty one: nothing, until the other side gives up.
  using Reply = std::function<std::string(const Request&)>;

  explicit Database(Reply reply, const TestCertificate* certificate = nullptr) : reply_(std::move(reply)) {
    if (certificate != nullptr) {
      tls_.use_certificate_chain_file(certificate->certificate_file());
      tls_.use_private_key_file(certificate->key_file(), asio::ssl::context::pem);
    }
    thread_ = std::thread([this] { Serve(); });
  }
  ~Database() {
    stopping_ = true;
    boost::system::error_code ignored;
    asio::ip::tcp::socket wake(context_);
    wake.connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

  std::string url(std::string_view scheme = "http", std::string_view host = "127.0.0.1") const {
    return fmt::format("{}://{}:{}/verify?by=cms", scheme, host, acceptor_.local_endpoint().port());
  }
  int asked() const { return asked_; }

 private:
  void Serve() {
    for (;;) {
      asio::ip::tcp::socket socket(context_);
      acceptor_.accept(socket);
      if (stopping_) return;
      boost::system::error_code ignored;
      char first = 0;
      socket.receive(asio::buffer(&first, 1), asio::ip::tcp::socket::message_peek, ignored);
      constexpr char kHandshake = 22;
      if (first == kHandshake) {
        asio::ssl::stream<asio::ip::tcp::socket&> secure(socket, tls_);
        secure.handshake(asio::ssl::stream_base::server, ignored);
        if (!ignored) Talk(secure);
      } else {
        Talk(socket);
      }
    }
  }

  template <class Stream>
  void Talk(Stream& stream) {
    boost::system::error_code error;
    boost::beast::flat_buffer buffer;
    Request request;
    http::read(stream, buffer, request, error);
    if (error) return;
    ++asked_;
    const std::string octets = reply_(request);
    if (octets.empty()) {
      char octet = 0;
      stream.read_some(asio::buffer(&octet, 1), error);
    } else {
      asio::write(stream, asio::buffer(octets), error);
    }
  }

  asio::io_context context_;
  asio::ip::tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
  asio::ssl::context tls_{asio::ssl::context::tls_server};
  const Reply reply_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> asked_ = 0;
  std::thread thread_;
};

Database::Reply Always(std::string octets) {
  return [octets = std::move(octets)](const Request&) { return octets; };
}

class ExternalVerifierTest : public ReactorTest {
 protected:
  /// The time-out is of real time, and a busy machine is no silent database.
  static server::config::Verifier Patient() {
    server::config::Verifier settings;
    settings.timeout = std::chrono::seconds(60);
    return settings;
  }
  std::unique_ptr<ExternalVerifier> Open(server::config::Verifier settings) {
    auto opened = ExternalVerifier::Open(std::move(settings), clock_, log_);
    EXPECT_TRUE(opened) << (opened ? "" : opened.error());
    return std::move(opened).value();
  }
  std::unique_ptr<ExternalVerifier> Open(const Database& database) {
    auto settings = Patient();
    settings.url = database.url();
    return Open(std::move(settings));
  }

  static Question AQuestion() {
    return {"user1@example.com", "sip:user1@example.com", "secret", asio::ip::make_address("192.0.2.1")};
  }
  Answer Ask(ExternalVerifier& verifier) { return Run(verifier.Ask(AQuestion())).answer; }

  spdlog::logger log_{"null", std::make_shared<spdlog::sinks::null_sink_mt>()};
};

TEST_F(ExternalVerifierTest, AsksInJson) {
  std::string token_file = testing::TempDir() + "verifier_token";
  std::ofstream(token_file) << "abc.def \n";
  Request seen;
  Database database([&](const Request& request) {
    seen = request;
    return Ok(R"({"result": "right"})");
  });
  auto settings = Patient();
  settings.url = database.url();
  settings.token_file = token_file;
  EXPECT_EQ(Ask(*Open(settings)), Answer::kRight);
  EXPECT_EQ(seen.method(), http::verb::post);
  EXPECT_EQ(seen.target(), "/verify?by=cms");
  EXPECT_EQ(seen[http::field::content_type], "application/json");
  EXPECT_EQ(seen[http::field::authorization], "Bearer abc.def");
  EXPECT_EQ(json::parse(seen.body()), (json::value{{"login", "user1@example.com"},
                                                   {"address", "sip:user1@example.com"},
                                                   {"password", "secret"},
                                                   {"peer", "192.0.2.1"}}));
}

TEST_F(ExternalVerifierTest, TakesTwoAnswers) {
  Database wrong(Always(Ok(R"({"result": "wrong"})")));
  EXPECT_EQ(Ask(*Open(wrong)), Answer::kWrong);
  Database named(Always(Ok(R"({"result": "right", "account": "tel:+15550100111", "more": 1})")));
  const auto attested = Run(Open(named)->Ask(AQuestion()));
  EXPECT_EQ(attested.answer, Answer::kRight);
  EXPECT_EQ(attested.account, "tel:+15550100111");
}

TEST_F(ExternalVerifierTest, AnythingElseIsNoAnswer) {
  const std::string right = R"({"result": "right"})";
  for (const std::string& octets :
       {Ok(""), Ok("right"), Ok("[]"), Ok(R"({"result": "Right"})"), Ok(R"({"result": true})"), Ok("{}"),
        Ok(right + "x"), std::string("HTTP/1.1 500 Sorry\r\nContent-Length: 0\r\n\r\n"),
        "HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\n\r\n" + right,
        std::string("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
        std::string("no HTTP at all\r\n\r\n"), Ok(std::string(5000, ' ') + right),
        "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\nContent-Length: 19\r\n\r\n" + right,
        std::string("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\"")}) {
    Database database(Always(octets));
    EXPECT_EQ(Ask(*Open(database)), Answer::kUnavailable) << octets.substr(0, 60);
    EXPECT_EQ(database.asked(), 1);
  }
}

TEST_F(ExternalVerifierTest, SilenceEndsAtTheTimeOut) {
  Database database(Always(""));
  server::config::Verifier settings;
  settings.url = database.url();
  settings.timeout = std::chrono::seconds(1);
  EXPECT_EQ(Ask(*Open(settings)), Answer::kUnavailable);
}

TEST_F(ExternalVerifierTest, NobodyThere) {
  auto settings = Patient();
  settings.url = Database(Always("")).url();
  EXPECT_EQ(Ask(*Open(settings)), Answer::kUnavailable);
}

TEST_F(ExternalVerifierTest, OneThatFailsIsLeftAlone) {
  std::atomic<bool> well = false;
  Database database([&](const Request&) { return Ok(well ? R"({"result": "right"})" : "broken"); });
  auto settings = Patient();
  settings.url = database.url();
  settings.failures = 3;
  const auto verifier = Open(settings);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask(*verifier), Answer::kUnavailable);
  EXPECT_EQ(database.asked(), 3);
  clock_.Advance(settings.pause);
  EXPECT_EQ(Ask(*verifier), Answer::kUnavailable);
  EXPECT_EQ(Ask(*verifier), Answer::kUnavailable);
  EXPECT_EQ(database.asked(), 4) << "one, after the pause, to see";
  well = true;
  clock_.Advance(settings.pause);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(*verifier), Answer::kRight);
}

TEST_F(ExternalVerifierTest, OneThatRefusesAQuestionIsAskedTheNext) {
  Database database(Always("HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n"));
  auto settings = Patient();
  settings.url = database.url();
  settings.failures = 1;
  const auto verifier = Open(settings);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask(*verifier), Answer::kUnavailable);
  EXPECT_EQ(database.asked(), 3);
}

TEST_F(ExternalVerifierTest, ANetworkHasItsShareOfTheQuestions) {
  Database database(Always(Ok(R"({"result": "right"})")));
  auto settings = Patient();
  settings.url = database.url();
  settings.at_once = 8;
  const auto verifier = Open(settings);
  std::vector<std::shared_ptr<Outcome<Attestation>>> outcomes;
  const auto ask = [&](const char* peer) {
    Question question = AQuestion();
    question.peer = asio::ip::make_address(peer);
    outcomes.push_back(Spawn(verifier->Ask(question)));
  };
  for (const char* peer : {"192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.1", "2001:db8::1"}) ask(peer);
  Finish();
  std::vector<Answer> answers;
  for (const auto& outcome : outcomes) answers.push_back(outcome->value->answer);
  EXPECT_EQ(answers, (std::vector{Answer::kRight, Answer::kRight, Answer::kUnavailable, Answer::kRight,
                                  Answer::kRight}));
  ask("192.0.2.3");
  Finish();
  EXPECT_EQ(outcomes.back()->value->answer, Answer::kRight) << "places are given back";
}

TEST_F(ExternalVerifierTest, BelievesWhomItsAuthorityVouchesFor) {
  const TestCertificate own;
  const TestCertificate other;
  Database database(Always(Ok(R"({"result": "right"})")), &own);
  auto settings = Patient();
  settings.url = database.url("https", "localhost");
  settings.ca = own.certificate_file();
  EXPECT_EQ(Ask(*Open(settings)), Answer::kRight);
  settings.url = database.url("https", "127.0.0.1");
  EXPECT_EQ(Ask(*Open(settings)), Answer::kUnavailable) << "it is not the certificate's name";
  settings.url = database.url("https", "localhost");
  settings.ca = other.certificate_file();
  EXPECT_EQ(Ask(*Open(settings)), Answer::kUnavailable) << "an authority that does not know it";
  EXPECT_EQ(database.asked(), 1) << "no password went out to it";
}

TEST_F(ExternalVerifierTest, OctetsThatAreNoTextAreAskedOfNobody) {
  Database database(Always(Ok(R"({"result": "right"})")));
  const auto verifier = Open(database);
  Question question = AQuestion();
  question.password = "\xff\xfe";
  EXPECT_EQ(Run(verifier->Ask(question)).answer, Answer::kWrong);
  EXPECT_EQ(database.asked(), 0);
}

TEST_F(ExternalVerifierTest, UrlsAndFilesThatAreNoneAreRefused) {
  for (const char* url :
       {"ftp://x", "https://", "https://u@h/", "https://h:0x1/", "https://h:70000/", "https://[::1/",
        "https://h:1 /", "https://h/#f", "h/verify", "https://h]:1/", "https://h:"})
    EXPECT_FALSE(ServiceUrl::Parse(url)) << url;
  EXPECT_EQ(ServiceUrl::Parse("http://hss.example.net/").error(),
            "must be https, for it takes passwords over a network");
  const auto url = ServiceUrl::Parse("https://[2001:db8::1]:8443/a?b=c");
  ASSERT_TRUE(url);
  EXPECT_EQ(std::tuple(url->tls, url->host, url->port, url->target),
            std::tuple(true, std::string("2001:db8::1"), std::string("8443"), std::string("/a?b=c")));
  EXPECT_EQ(ServiceUrl::Parse("https://hss")->target, "/");
  EXPECT_EQ(ServiceUrl::Parse("http://localhost")->port, "80");

  server::config::Verifier settings;
  settings.url = "https://localhost";
  settings.ca = "/nonexistent/ca.pem";
  EXPECT_NE(ExternalVerifier::Open(settings, clock_, log_).error().find("/nonexistent/ca.pem"),
            std::string::npos);
  settings.ca.clear();
  settings.token_file = "/nonexistent/token";
  EXPECT_NE(ExternalVerifier::Open(settings, clock_, log_).error().find("/nonexistent/token"),
            std::string::npos);
}

class ExternalLoginTest : public ExternalVerifierTest {
 protected:
  ExternalLoginTest() {
    storage::NewAccount user;
    user.address = "tel:+15550100111";
    user.aliases = {"sip:user1@example.com"};
    user.password_hash = Hash("of the store");
    user_ = store_->CreateAccount(user).value();
    storage::NewAccount pf;
    pf.address = "sip:pf@example.com";
    pf.role = storage::Role::kPf;
    pf.password_hash = Hash("of the pf");
    pf_ = store_->CreateAccount(pf).value();
  }

  std::string Reply(const Request& request) {
    if (down_) return Ok("");
    const auto question = json::parse(request.body()).get_object();
    if (question.at("password") != "outside") return Ok(R"({"result": "wrong"})");
    if (question.at("login") == "b-tid") return Ok(R"({"result": "right", "account": "+15550100111"})");
    if (question.at("login") == "operator")
      return Ok(R"({"result": "right", "account": "sip:pf@example.com"})");
    return Ok(R"({"result": "right"})");
  }

  Verdict Check(std::string_view login, std::string_view password, std::string_view act_as = {}) {
    const auto result =
        Run(authenticator_.CheckFor(login, password, act_as, asio::ip::make_address("192.0.2.1")));
    account_ = result.account.id;
    return result.verdict;
  }

  std::unique_ptr<storage::kv::Engine> engine_ = storage::kv::NewMemoryEngine();
  std::unique_ptr<storage::MailStore> store_ = std::move(storage::MailStore::Open(*engine_, {})).value();
  server::net::StorageExecutor pool_{{.threads = 2}};
  std::atomic<bool> down_ = false;
  Database database_{[this](const Request& request) { return Reply(request); }};
  std::unique_ptr<ExternalVerifier> verifier_ = Open(database_);
  Authenticator authenticator_{
      *store_,           pool_,  pool_, clock_,         {.per_name = 3, .max_delay = {}},
      ActFor({"tel:*"}), Verify, {},    verifier_.get()};
  storage::AccountId user_, pf_, account_;
};

TEST_F(ExternalLoginTest, UsersPasswordsAreTheDatabases) {
  EXPECT_EQ(Check("+15550100111", "outside"), Verdict::kAccepted);
  EXPECT_EQ(account_, user_);
  EXPECT_EQ(Check("user1@example.com", "outside"), Verdict::kAccepted) << "an alias";
  EXPECT_EQ(Check("+15550100111", "of the store"), Verdict::kRefused);
  EXPECT_EQ(Check("b-tid", "outside"), Verdict::kAccepted) << "a name that only the database knows";
  EXPECT_EQ(account_, user_);
  EXPECT_EQ(Check("+15550100999", "wrong"), Verdict::kRefused);
  EXPECT_EQ(Check("+15550100999", "outside"), Verdict::kNoAccount);
  ASSERT_TRUE(store_->SetStatus(user_, storage::AccountStatus::kDisabled));
  EXPECT_EQ(Check("+15550100111", "outside"), Verdict::kDisabled);
}

TEST_F(ExternalLoginTest, OthersPasswordsAreTheStores) {
  EXPECT_EQ(Check("pf@example.com", "of the pf", "+15550100111"), Verdict::kAccepted);
  EXPECT_EQ(account_, user_);
  EXPECT_EQ(Check("pf@example.com", "outside"), Verdict::kRefused);
  EXPECT_EQ(Check("operator", "outside"), Verdict::kNoAccount)
      << "the database names no Participating Function";
  EXPECT_FALSE(authenticator_.KnowsScramKeys());
}

TEST_F(ExternalLoginTest, ARightPasswordIsRememberedAMinute) {
  EXPECT_EQ(Check("+15550100111", "outside"), Verdict::kAccepted);
  down_ = true;
  EXPECT_EQ(Check("tel:+15550100111", "outside"), Verdict::kAccepted);
  EXPECT_EQ(Check("+15550100111", "another"), Verdict::kUnavailable);
  clock_.Advance(PasswordCache::kLifetime);
  EXPECT_EQ(Check("+15550100111", "outside"), Verdict::kUnavailable);
}

TEST_F(ExternalLoginTest, NobodyIsLockedOutWhileItIsDown) {
  down_ = true;
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Check("+15550100111", "outside"), Verdict::kUnavailable);
  down_ = false;
  clock_.Advance(std::chrono::seconds(10));
  EXPECT_EQ(Check("+15550100111", "outside"), Verdict::kAccepted);
}

TEST_F(ExternalLoginTest, GuessesAreCounted) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Check("+15550100111", "wrong"), Verdict::kRefused);
  const int asked = database_.asked();
  EXPECT_EQ(Check("+15550100111", "outside"), Verdict::kLockedOut);
  EXPECT_EQ(database_.asked(), asked);
}

}  // namespace
}  // namespace server_test
