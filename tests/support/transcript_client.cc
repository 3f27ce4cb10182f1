#include "tests/support/transcript_client.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

namespace tests::transcript {

void Client::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }
void Client::FreeSsl::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Client::Client(server::net::UniqueFd fd) : fd_(std::move(fd)) {
  ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
}

Client::~Client() = default;

void Client::StartTls() {
  context_.reset(SSL_CTX_new(TLS_client_method()));
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_.get());
  SSL_set_connect_state(ssl_.get());
}

void Client::Send(std::string_view octets) {
  if (deflate_) {
    deflate_->Compress(octets, out_);
  } else {
    out_ += octets;
  }
}

void Client::Take(std::string_view octets) {
  if (!deflate_) {
    in_ += octets;
    return;
  }
  deflate_->Feed(octets);
  while (!deflate_->NeedsInput()) {
    std::array<char, 4096> space{};
    const auto size = deflate_->Expand(space);
    if (!size) {
      ended_ = true;
      return;
    }
    in_.append(space.data(), *size);
  }
}

bool Client::Exchange() {
  if (ended_) return false;
  bool moved = false;
  if (ssl_ && !handshake_done_) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result != 1) return TlsResult(result);
    handshake_done_ = moved = true;
  }
  while (!ended_ && !out_.empty() && Write()) moved = true;
  while (!ended_ && Read()) moved = true;
  return moved || ended_;
}

std::optional<std::string> Client::TakeLine() {
  const auto end = in_.find("\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::string line = in_.substr(0, end);
  in_.erase(0, end + 2);
  return line;
}

bool Client::Write() {
  const auto size = static_cast<int>(std::min<std::size_t>(out_.size(), 1U << 20));
  ssize_t n = 0;
  if (ssl_) {
    n = SSL_write(ssl_.get(), out_.data(), size);
    if (n <= 0) return TlsResult(static_cast<int>(n));
  } else {
    n = ::send(fd_.get(), out_.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (n < 0) {
      // What the server has said before it hung up is still to be read.
      if (errno != EAGAIN) out_.clear();
      return false;
    }
  }
  out_.erase(0, static_cast<std::size_t>(n));
  return true;
}

bool Client::Read() {
  std::array<char, 16384> space{};
  ssize_t n = 0;
  if (ssl_) {
    n = SSL_read(ssl_.get(), space.data(), static_cast<int>(space.size()));
    if (n <= 0) return TlsResult(static_cast<int>(n));
  } else {
    n = ::recv(fd_.get(), space.data(), space.size(), 0);
    if (n < 0 && errno == EAGAIN) return false;
    if (n <= 0) {
      ended_ = true;
      return false;
    }
  }
  Take({space.data(), static_cast<std::size_t>(n)});
  return true;
}

bool Client::TlsResult(int result) {
  const int error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return false;
  tls_failed_ = error != SSL_ERROR_ZERO_RETURN;
  ended_ = true;
  return false;
}

}  // namespace tests::transcript
