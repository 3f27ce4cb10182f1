#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/ssl.h>

namespace bench {

using Clock = std::chrono::steady_clock;

/// Seconds since `start`.
double Since(Clock::time_point start);

/// Where the server is and who logs in.
struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::uint16_t tls_port = 0;                      ///< of implicit TLS
  std::string user_format = "user%d@example.com";  ///< "%d" becomes the account's number, from 1
  std::string password;
};

/// The server broke the dialogue; the run cannot go on.
struct Broken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Answer {
  bool ok = false;
  std::string tagged;
  std::uint64_t untagged = 0;  ///< lines before the tagged one
  std::uint64_t octets = 0;    ///< of the whole answer
  std::string last_untagged;   ///< its first line; literals are skipped
};

/// One blocking connection. Literals in answers are counted and thrown away, so reading costs little.
///
/// Thread   one at a time.
class Connection {
 public:
  struct Form {
    bool tls = false;                 ///< TLS 1.3; the certificate is not looked at
    std::size_t buffer = 256 * 1024;  ///< octets; many connections at once want fewer
  };

  /// Connects and reads the greeting; logs in as account `user` unless it is 0. Throws Broken.
  Connection(const Target& target, int user, Form form);
  Connection(const Target& target, int user) : Connection(target, user, Form()) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Send(std::string_view octets);

  /// The first line of the next response, without CRLF; valid to the next call.
  std::string_view ReadLine();

  /// Sends "tag command CRLF" and returns the tag.
  std::string Start(std::string_view command);
  Answer Finish(std::string_view tag);
  Answer Run(std::string_view command);

  /// Run() that throws Broken unless the server says OK.
  Answer Must(std::string_view command);

  /// One APPEND of all messages (MULTIAPPEND for several), with non-synchronising literals; throws unless OK.
  void Append(std::string_view folder, const std::vector<std::string>& messages);

  /// Waits for input; false when `seconds` pass.
  bool WaitReadable(double seconds) const;

  int fd() const { return fd_; }

 private:
  void StartTls();
  /// As read(2) and write(2): what came or went, 0 at the end, -1 with errno.
  ssize_t Receive(char* octets, std::size_t size);
  ssize_t SendSome(std::string_view octets);
  void Fill();
  std::string_view Segment();
  void Skip(std::uint64_t octets);

  struct FreeSsl {
    void operator()(SSL* ssl) const { ::SSL_free(ssl); }
  };

  int fd_ = -1;
  std::unique_ptr<SSL, FreeSsl> ssl_;  ///< of a connection over TLS
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t next_tag_ = 0;
  std::string line_;
};

}  // namespace bench
