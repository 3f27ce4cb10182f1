#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "server/net/stream.h"
#include "server/net/tls_context.h"
#include "server/net/tls_ends.h"
#include "tests/unit/server/net/stream_fixture.h"
#include "tests/unit/server/net/test_certificate.h"

namespace server_test {
namespace {

using namespace std::chrono_literals;
using server::net::ReadResult;
using server::net::TlsContext;
using server::net::TlsOptions;
using server::net::Wake;
using Status = ReadResult::Status;

/// A blocking TLS client on its own thread.
class TlsClient {
 public:
  explicit TlsClient(int fd)
      : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(nullptr, SSL_free), fd_(fd) {}

  void OnlyVersion(int version) {
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    // OpenSSL itself refuses to offer TLS 1.1 at its default security level.
    SSL_CTX_set_security_level(context_.get(), 0);
  }
  bool Connect() {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), fd_);
    return SSL_connect(ssl_.get()) == 1;
  }
  bool Write(std::string_view octets) {
    std::size_t written = 0;
    return SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &written) == 1 && written == octets.size();
  }
  std::string Read(std::size_t size) {
    std::string got(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      std::size_t n = 0;
      if (SSL_read_ex(ssl_.get(), got.data() + have, size - have, &n) != 1) break;
      have += n;
    }
    got.resize(have);
    return got;
  }
  bool EndedCleanly() {
    char octet = 0;
    const int result = SSL_read(ssl_.get(), &octet, 1);
    return SSL_get_error(ssl_.get(), result) == SSL_ERROR_ZERO_RETURN;
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  int fd_;
};

class TlsTest : public StreamTest {
 protected:
  TlsTest() : client_side_(client_.get()) { std::signal(SIGPIPE, SIG_IGN); }

  static TlsOptions Options() {
    TlsOptions options;
    options.certificate_file = Certificate().certificate_file();
    options.key_file = Certificate().key_file();
    return options;
  }
  static const TestCertificate& Certificate() {
    static const TestCertificate certificate;
    return certificate;
  }
  static const TlsContext& Context() {
    static const auto context = std::move(TlsContext::Create(Options())).value();
    return *context;
  }

  /// The server's side runs here, the client's on a thread; returns when both have ended.
  template <class T>
  T RunWith(server::asio::awaitable<T> server_side, const std::function<void(TlsClient&)>& client) {
    std::thread thread([&] { client(client_side_); });
    T result = Run(std::move(server_side));
    thread.join();
    return result;
  }

  bool Handshake() {
    bool connected = false;
    const bool accepted =
        RunWith<bool>(stream_->StartTls(Context()), [&](TlsClient& c) { connected = c.Connect(); });
    return accepted && connected;
  }

  server::asio::awaitable<std::string> ReadExactly(std::size_t size) {
    std::string got;
    std::array<char, 1000> space;
    while (got.size() < size) {
      const auto read = stream_->ReadSome(space);
      if (read.status == Status::kData) got.append(space.data(), read.size);
      if (read.status == Status::kEnd || read.status == Status::kError) break;
      if (read.status == Status::kWouldBlock) {
        const Wake wake = co_await stream_->WaitReadable();
        if (wake != Wake::kReadable) break;
      }
    }
    co_return got;
  }

  TlsClient client_side_;
};

TEST_F(TlsTest, HandshakeMakesTheStreamSecure) {
  EXPECT_FALSE(stream_->secure());
  ASSERT_TRUE(Handshake());
  EXPECT_TRUE(stream_->secure());
  EXPECT_EQ(stream_->TlsDescription().substr(0, 7), "TLSv1.3");
}

TEST_F(TlsTest, Tls12IsAccepted) {
  client_side_.OnlyVersion(TLS1_2_VERSION);
  ASSERT_TRUE(Handshake());
  EXPECT_EQ(stream_->TlsDescription().substr(0, 7), "TLSv1.2");
}

TEST_F(TlsTest, Tls11IsRefused) {
  client_side_.OnlyVersion(TLS1_1_VERSION);
  EXPECT_FALSE(Handshake());
}

TEST_F(TlsTest, OctetsTravelBothWays) {
  ASSERT_TRUE(Handshake());
  std::string reply;
  const auto serve = [&]() -> server::asio::awaitable<std::string> {
    auto got = co_await ReadExactly(9);
    const bool written = co_await stream_->Write("a1 OK\r\n");
    co_return written ? got : std::string();
  };
  const auto got = RunWith<std::string>(serve(), [&](TlsClient& client) {
    client.Write("a1 NOOP\r\n");
    reply = client.Read(7);
  });
  EXPECT_EQ(got, "a1 NOOP\r\n");
  EXPECT_EQ(reply, "a1 OK\r\n");
}

TEST_F(TlsTest, LargeTransfersArriveWhole) {
  ASSERT_TRUE(Handshake());
  std::string octets(4 << 20, '\0');
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<char>(i * 131 / 11);
  std::string echoed;
  const auto serve = [&]() -> server::asio::awaitable<bool> {
    const auto got = co_await ReadExactly(octets.size());
    const bool written = co_await stream_->Write(got);
    co_return written;
  };
  EXPECT_TRUE(RunWith<bool>(serve(), [&](TlsClient& client) {
    client.Write(octets);
    echoed = client.Read(octets.size());
  }));
  EXPECT_EQ(echoed, octets);
}

TEST_F(TlsTest, PiecesArriveInTheirOrder) {
  ASSERT_TRUE(Handshake());
  const std::vector<std::string> octets{"", std::string(20'000, 'a'), "b", "", std::string(50'000, 'c'), "d"};
  std::string expected;
  for (const auto& piece : octets) expected += piece;
  const auto serve = [&]() -> server::asio::awaitable<bool> {
    std::vector<std::string_view> pieces(octets.begin(), octets.end());
    const bool written = co_await stream_->Write(pieces);
    co_return written;
  };
  std::string received;
  EXPECT_TRUE(RunWith<bool>(serve(), [&](TlsClient& client) { received = client.Read(expected.size()); }));
  EXPECT_TRUE(received == expected);
}

TEST_F(TlsTest, WaitReturnsAtOnceWhileDecryptedOctetsAreLeft) {
  ASSERT_TRUE(Handshake());
  std::thread([&] { client_side_.Write(std::string(10'000, 'x')); }).join();
  EXPECT_EQ(Run(ReadExactly(1)).size(), 1000U) << "one read takes part of the record";
  // Nothing is left in the socket: only what OpenSSL holds can end this wait.
  EXPECT_EQ(Run(stream_->WaitReadable()), Wake::kReadable);
}

TEST_F(TlsTest, WriteToAPeerThatNeverReadsFailsAfterTheStallLimit) {
  ASSERT_TRUE(Handshake());
  const std::string octets(8 << 20, 'x');
  stream_->SetWritePace({1, 10s});
  const auto written = Spawn(stream_->Write(octets));
  Turn();
  EXPECT_FALSE(written->value);
  Advance(10s);
  EXPECT_EQ(written->value, false);
}

TEST_F(TlsTest, CloseTellsThePeer) {
  ASSERT_TRUE(Handshake());
  stream_->Close();
  EXPECT_TRUE(client_side_.EndedCleanly());
}

TEST_F(TlsTest, PlainTextInsteadOfAHandshakeFails) {
  Send(client_.get(), "a2 LOGIN user secret\r\n");
  EXPECT_FALSE(Run(stream_->StartTls(Context())));
  EXPECT_FALSE(Run(stream_->Write("x")));
  std::array<char, 8> space;
  EXPECT_EQ(stream_->ReadSome(space).status, Status::kError);
}

TEST_F(TlsTest, HandshakeThatNeverComesEndsAtTheDeadline) {
  stream_->SetDeadline(stream_->Now() + 60s);
  const auto done = Spawn(stream_->StartTls(Context()));
  Turn();
  EXPECT_FALSE(done->value);
  Advance(60s);
  EXPECT_EQ(done->value, false);
}

TEST_F(TlsTest, HandshakeIsNotRepeatedOnASecureStream) {
  ASSERT_TRUE(Handshake());
  EXPECT_FALSE(Run(stream_->StartTls(Context())));
}

/// Of the DER in a file of PEM.
std::string DigestOf(const std::string& file, const EVP_MD* md) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "r"), std::fclose);
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* der = nullptr;
  long size = 0;
  if (!in || PEM_read(in.get(), &name, &header, &der, &size) != 1) return "no certificate";
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_Digest(der, static_cast<std::size_t>(size), reinterpret_cast<unsigned char*>(out.data()), &length, md,
             nullptr);
  out.resize(length);
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(der);
  return out;
}

struct EndPointCase {
  const char* signature;
  const EVP_MD* (*digest)();
};
class EndPointTest : public TlsTest, public testing::WithParamInterface<EndPointCase> {};

// RFC 5929 §4.1: the hash of the certificate's signature, but SHA-256 in place of what is weak.
TEST_P(EndPointTest, IsTheDigestOfTheServersCertificate) {
  const TestCertificate certificate(GetParam().signature);
  TlsOptions options;
  options.certificate_file = certificate.certificate_file();
  options.key_file = certificate.key_file();
  const auto context = TlsContext::Create(options);
  ASSERT_TRUE(context) << context.error();
  bool connected = false;
  ASSERT_TRUE(RunWith<bool>(stream_->StartTls(**context), [&](TlsClient& c) { connected = c.Connect(); }));
  ASSERT_TRUE(connected);
  EXPECT_EQ(stream_->Ends().server_end_point, DigestOf(certificate.certificate_file(), GetParam().digest()));
}
INSTANTIATE_TEST_SUITE_P(Signatures, EndPointTest,
                         testing::Values(EndPointCase{"SHA1", EVP_sha256}, EndPointCase{"SHA256", EVP_sha256},
                                         EndPointCase{"SHA384", EVP_sha384},
                                         EndPointCase{"SHA512", EVP_sha512}),
                         [](const auto& info) { return std::string(info.param.signature); });

TEST(TlsContextTest, FaultsAreSentencesThatNameTheFile) {
  const TestCertificate own;
  const TestCertificate other;
  TlsOptions options;
  options.certificate_file = own.certificate_file();
  options.key_file = "/nonexistent/key.pem";
  EXPECT_NE(TlsContext::Create(options).error().find("/nonexistent/key.pem"), std::string::npos);
  options.key_file = other.key_file();
  EXPECT_FALSE(TlsContext::Create(options)) << "a key that is not the certificate's";
  options.key_file = own.key_file();
  EXPECT_TRUE(TlsContext::Create(options));
  options.minimum_version = "1.1";
  EXPECT_FALSE(TlsContext::Create(options));
  options.minimum_version = "1.3";
  options.ciphers = "NO-SUCH-CIPHER";
  EXPECT_FALSE(TlsContext::Create(options));
}

TEST(TlsContextTest, EverySuiteHasForwardSecrecy) {
  const TestCertificate own;
  const auto said = [&](std::string ciphers) {
    TlsOptions options{own.certificate_file(), own.key_file()};
    options.ciphers = std::move(ciphers);
    const auto created = TlsContext::Create(options);
    return created ? std::string("accepted") : created.error();
  };
  EXPECT_EQ(said(""), "accepted");
  EXPECT_EQ(said("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA256"), "accepted");
  EXPECT_EQ(said("ECDHE+AESGCM"), "accepted");
  for (const char* suite : {"AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "PSK-AES128-GCM-SHA256",
                            "RSA-PSK-AES128-GCM-SHA256", "AECDH-AES128-SHA", "ECDHE-RSA-NULL-SHA"}) {
    EXPECT_EQ(
        said(std::string("ECDHE-RSA-AES128-GCM-SHA256:") + suite + ":@SECLEVEL=0"),
        std::string("tls.ciphers allows ") + suite +
            ", which has no forward secrecy, or no encryption: name ECDHE suites only, or leave it empty");
  }
  EXPECT_NE(said("HIGH"), "accepted") << "a list that has one among others";
}

TEST(TlsContextTest, ReloadTakesTheNewFilesAndKeepsTheOldOnFailure) {
  const TestCertificate own;
  const TestCertificate other;
  auto context = std::move(TlsContext::Create({own.certificate_file(), own.key_file()})).value();
  const auto certificate = [&] {
    const X509* x = SSL_CTX_get0_certificate(context->Current().get());
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    X509_digest(x, EVP_sha256(), digest, &size);
    return std::string(digest, digest + size);
  };
  const std::string first = certificate();

  std::filesystem::copy_file(other.key_file(), own.key_file(),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_FALSE(context->Reload()) << "the certificate does not match yet";
  EXPECT_EQ(certificate(), first);
  EXPECT_EQ(SSL_CTX_check_private_key(context->Current().get()), 1);

  std::filesystem::copy_file(other.certificate_file(), own.certificate_file(),
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(context->Reload());
  EXPECT_NE(certificate(), first);
}

}  // namespace
}  // namespace server_test
