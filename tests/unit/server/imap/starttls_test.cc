// STARTTLS (RFC 3501 §6.2.1) with a real TLS client on its own thread.
#include <atomic>
#include <thread>

#include <openssl/ssl.h>

#include "server/net/tls_context.h"
#include "tests/unit/server/imap/imap_fixture.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server::imap {
namespace {

class StartTlsTest : public ImapTest {
 protected:
  StartTlsTest() {
    net::TlsOptions options;
    options.certificate_file = certificate_.certificate_file();
    options.key_file = certificate_.key_file();
    auto context = net::TlsContext::Create(options);
    EXPECT_TRUE(context) << context.error();
    if (context) tls_ = *std::move(context);
    options_.plaintext_login_on_loopback = false;
  }

  /// Serves one STARTTLS connection, and runs `talk(fd)` beside it until both are done.
  template <class F>
  void Converse(F talk) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    const Services services{*store_, storage_, authenticator_, clock_, log_, options_, tls_.get()};
    net::ConnectionInfo info;
    info.id = 1;
    info.tls = net::TlsMode::kStartTls;
    asio::co_spawn(reactor_.context(),
                   ServeConnection(net::Stream(reactor_, net::UniqueFd(ends[0]), "test"), info, services),
                   asio::detached);
    const net::UniqueFd client(ends[1]);
    std::thread thread([&] {
      talk(client.get());
      ::shutdown(client.get(), SHUT_RDWR);
    });
    while (reactor_.stream_count() > 0 && reactor_.context().run_one_for(kHang) > 0) {
    }
    if (reactor_.stream_count() > 0) {
      ADD_FAILURE() << "the server has nothing more to say";
      ::shutdown(client.get(), SHUT_RDWR);  // else the thread would wait for ever
    }
    thread.join();
  }

  static void Send(int fd, std::string_view text) {
    EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// Up to the line that starts with `tag`, octet by octet: what follows is TLS.
  static std::string ReadPlain(int fd, const std::string& tag) {
    std::string line;
    char octet = 0;
    while (::recv(fd, &octet, 1, 0) == 1) {
      line += octet;
      if (octet != '\n') continue;
      if (line.starts_with(tag + " ")) return line;
      line.clear();
    }
    return "(closed)";
  }
  static std::string Ask(SSL* ssl, const std::string& command, const std::string& tag) {
    std::size_t n = 0;
    EXPECT_EQ(SSL_write_ex(ssl, command.data(), command.size(), &n), 1);
    std::string answer;
    char buffer[4096];
    while (!answer.ends_with("\r\n") || answer.find(tag + " ") == std::string::npos) {
      if (SSL_read_ex(ssl, buffer, sizeof buffer, &n) != 1) return answer + "(closed)";
      answer.append(buffer, n);
    }
    return answer;
  }

  server_test::TestCertificate certificate_;
  std::unique_ptr<net::TlsContext> tls_;
};

TEST_F(StartTlsTest, PlainInputBehindTheCommandIsDroppedAndLoginIsPossibleAfterwards) {
  std::string answer;
  std::string login;
  Converse([&](int fd) {
    ReadPlain(fd, "*");
    // The second command is what somebody in the middle would slip in.
    Send(fd, "a STARTTLS\r\nevil CREATE stolen\r\n");
    EXPECT_THAT(ReadPlain(fd, "a"), testing::StartsWith("a OK"));
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), fd);
    ASSERT_EQ(SSL_connect(ssl.get()), 1);
    answer = Ask(ssl.get(), "b CAPABILITY\r\n", "b");
    login = Ask(ssl.get(), "c LOGIN user1@example.com secret\r\n", "c");
  });
  EXPECT_THAT(answer, testing::StartsWith("* CAPABILITY IMAP4rev1"));
  EXPECT_THAT(answer, testing::HasSubstr("AUTH=PLAIN"));
  EXPECT_THAT(answer, testing::Not(testing::HasSubstr("STARTTLS")));
  EXPECT_THAT(answer, testing::Not(testing::HasSubstr("LOGINDISABLED")));
  EXPECT_THAT(login, testing::StartsWith("c OK"));
}

TEST_F(StartTlsTest, LoginIsRefusedBeforeIt) {
  Converse([&](int fd) {
    Send(fd, "a LOGIN user1@example.com secret\r\n");
    EXPECT_THAT(ReadPlain(fd, "a"), testing::StartsWith("a NO [PRIVACYREQUIRED]"));
    Send(fd, "b AUTHENTICATE PLAIN AHVzZXIxAHNlY3JldA==\r\n");
    EXPECT_THAT(ReadPlain(fd, "b"), testing::StartsWith("b NO [PRIVACYREQUIRED]"));
  });
}

}  // namespace
}  // namespace server::imap
