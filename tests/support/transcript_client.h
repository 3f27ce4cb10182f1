#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/net/deflate.h"
#include "server/net/unique_fd.h"

struct ssl_st;
struct ssl_ctx_st;

namespace tests::transcript {

/// A client's end of a connection: octets out, lines in, never blocking.
class Client {
 public:
  /// `fd` is a connected stream socket; it is made non-blocking.
  explicit Client(server::net::UniqueFd fd);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void Send(std::string_view octets);
  /// TLS from here on; the handshake goes on in Exchange(). Any certificate will do.
  void StartTls();
  /// RFC 4978, both ways, from here on.
  void Compress() { deflate_.emplace(); }
  /// Sends and receives what is possible now; true if anything moved.
  bool Exchange();

  bool HasLine() const { return in_.find("\r\n") != std::string::npos; }
  /// The next line without its CRLF; nullopt: there is none yet.
  std::optional<std::string> TakeLine();
  /// Octets that are no line yet.
  const std::string& rest() const { return in_; }
  bool secure() const { return ssl_ != nullptr && handshake_done_; }
  bool tls_failed() const { return tls_failed_; }
  /// The other end has closed, or the connection broke.
  bool ended() const { return ended_; }
  void HangUp() {
    fd_.Reset();
    ended_ = true;
  }
  int fd() const { return fd_.get(); }

 private:
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
  };
  bool Write();
  bool Read();
  bool TlsResult(int result);
  void Take(std::string_view octets);

  server::net::UniqueFd fd_;
  std::unique_ptr<ssl_ctx_st, FreeSsl> context_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  std::optional<server::net::Deflate> deflate_;
  bool handshake_done_ = false;
  bool tls_failed_ = false;
  bool ended_ = false;
  std::string out_;
  std::string in_;
};

}  // namespace tests::transcript
