#include "server/net/stream_state.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <boost/asio/error.hpp>
#include <linux/sockios.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace server::net {
namespace {

/// One TLS record's worth: SSL_write() of more would encrypt it all in turn before it first returns.
constexpr std::size_t kMaxTlsWrite = 16 * 1024;
/// A FETCH of short bodies has more.
constexpr std::size_t kMaxGathered = 16;
constexpr int kMaxDrain = 256 * 1024;

}  // namespace

void SslFree::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Stream::State::State(Reactor& home, UniqueFd fd, std::string peer_text)
    : reactor(home), descriptor(home.context(), fd.Release()), peer(std::move(peer_text)) {
  ErrorCode ignored;
  descriptor.non_blocking(true, ignored);
  next = reactor.first_;
  if (next) next->previous = this;
  reactor.first_ = this;
  reactor.stream_count_.fetch_add(1, std::memory_order_relaxed);
}

Stream::State::~State() {
  Close();
  if (waker_cell) waker_cell->target = nullptr;
  (previous ? previous->next : reactor.first_) = next;
  if (next) next->previous = previous;
  reactor.stream_count_.fetch_sub(1, std::memory_order_relaxed);
}

void Stream::State::Notify() {
  notified = true;
  if (waiting == Waiting::kNews) CancelWait();
}

void Stream::State::Shutdown() {
  if (waiting == Waiting::kNews) CancelWait();
}

void Stream::State::Close() {
  if (closed) return;
  closed = true;
  const int fd = descriptor.native_handle();
  ErrorCode ignored;
  if (stalled) {
    // A peer that does not read would keep what we sent in the kernel for many minutes more: a reset frees
    // it.
    const linger at_once{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    descriptor.close(ignored);
    return;
  }
  if (ssl && !broken && SSL_is_init_finished(ssl.get())) {
    ERR_clear_error();
    SSL_shutdown(ssl.get());
    ERR_clear_error();
  }
  // Octets left unread would make the kernel send a reset, which can overtake our last words.
  ::shutdown(fd, SHUT_WR);
  std::array<char, 4096> unread;
  for (int i = 0; i < kMaxDrain / 4096; ++i)
    if (::recv(fd, unread.data(), unread.size(), MSG_DONTWAIT) <= 0) break;
  descriptor.close(ignored);  // ends the wait in progress
}

void Stream::State::CancelWait() {
  ErrorCode ignored;
  descriptor.cancel(ignored);
}

void Stream::State::Expire(TimePoint now) {
  if (waiting == Waiting::kNothing || timed_out) return;
  // The deadline may have been moved since the wait began, but only by the one who waits: the limit is
  // enough.
  if (!wait_limit || now < *wait_limit) return;
  timed_out = true;
  CancelWait();
}

asio::awaitable<bool> Stream::State::Await(Waiting what, std::optional<TimePoint> limit) {
  timed_out = limit && *limit <= reactor.clock().Now();
  if (timed_out) co_return false;
  waiting = what;
  wait_limit = limit;
  const bool to_write = what == Waiting::kToWrite || (what == Waiting::kNews && tls_wants_write);
  const auto direction = to_write ? Descriptor::wait_write : Descriptor::wait_read;
  const auto [error] = co_await descriptor.async_wait(direction, kAsTuple);
  waiting = Waiting::kNothing;
  if (closed || timed_out) co_return false;
  co_return error != asio::error::operation_aborted;  // any other failure: reading or writing will name it
}

ReadResult Stream::State::ReadPlain(std::span<char> space) {
  for (;;) {
    const auto n = ::recv(descriptor.native_handle(), space.data(), space.size(), 0);
    if (n > 0) return {ReadResult::Status::kData, static_cast<std::size_t>(n)};
    if (n == 0) return {ReadResult::Status::kEnd, 0};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return {ReadResult::Status::kWouldBlock, 0};
    return {ReadResult::Status::kError, 0};
  }
}

ReadResult Stream::State::ReadTls(std::span<char> space) {
  if (broken) return {ReadResult::Status::kError, 0};
  ERR_clear_error();
  std::size_t size = 0;
  tls_wants_write = false;
  const int result = SSL_read_ex(ssl.get(), space.data(), space.size(), &size);
  if (result == 1) return {ReadResult::Status::kData, size};
  const int error = SSL_get_error(ssl.get(), result);
  ERR_clear_error();
  switch (error) {
    case SSL_ERROR_WANT_READ: return {ReadResult::Status::kWouldBlock, 0};
    case SSL_ERROR_WANT_WRITE: tls_wants_write = true; return {ReadResult::Status::kWouldBlock, 0};
    case SSL_ERROR_ZERO_RETURN: return {ReadResult::Status::kEnd, 0};
    default: broken = true; return {ReadResult::Status::kError, 0};
  }
}

std::ptrdiff_t Stream::State::WritePlain(std::span<const std::string_view> pieces, bool more) {
  std::array<iovec, kMaxGathered> gathered;
  const std::size_t count = std::min(pieces.size(), gathered.size());
  for (std::size_t i = 0; i < count; ++i)
    gathered[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};  // sendmsg() only reads them
  msghdr message{};
  message.msg_iov = gathered.data();
  message.msg_iovlen = count;
  const int flags = MSG_NOSIGNAL | (more || count < pieces.size() ? MSG_MORE : 0);
  for (;;) {
    const auto sent = ::sendmsg(descriptor.native_handle(), &message, flags);
    if (sent >= 0) {
      written += sent;
      return sent;
    }
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
  }
}

std::ptrdiff_t Stream::State::WriteSome(std::span<const std::string_view> pieces, bool more) {
  if (!ssl) return WritePlain(pieces, more);
  const std::string_view octets = pieces.front();
  ERR_clear_error();
  tls_wants_read = false;
  std::size_t size = 0;
  const int result = SSL_write_ex(ssl.get(), octets.data(), std::min(octets.size(), kMaxTlsWrite), &size);
  if (result == 1) return static_cast<std::ptrdiff_t>(size);
  const int error = SSL_get_error(ssl.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_WRITE) return 0;
  if (error == SSL_ERROR_WANT_READ) {
    tls_wants_read = true;
    return 0;
  }
  broken = true;
  return -1;
}

std::int64_t Stream::State::TakenByPeer() {
  const int fd = descriptor.native_handle();
  const auto sent = ssl ? static_cast<std::int64_t>(BIO_number_written(SSL_get_wbio(ssl.get()))) : written;
  int queued = 0;  // TCP: not yet acknowledged
  return ::ioctl(fd, SIOCOUTQ, &queued) == 0 ? sent - queued : sent;
}

bool Stream::State::HasDecrypted() const { return ssl && !broken && SSL_pending(ssl.get()) > 0; }

}  // namespace server::net
