#include "server/net/stream.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "server/net/stream_state.h"
#include "server/net/tls_context.h"
#include "server/net/tls_ends.h"

namespace server::net {

namespace {

/// Why a handshake failed, and of a client's certificate what is wrong with it.
void LogRefusal(const SSL& ssl, const std::string& peer) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  const long verified = SSL_get_verify_result(&ssl);
  spdlog::info("event=tls_refused peer={} reason=\"{}\" certificate=\"{}\"", peer,
               reason ? reason : "unknown",
               verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified));
}

/// Past the first `count` octets, and past what is empty.
void Advance(std::span<std::string_view>& pieces, std::size_t count) {
  while (!pieces.empty() && pieces.front().size() <= count) {
    count -= pieces.front().size();
    pieces.front() = {};
    pieces = pieces.subspan(1);
  }
  if (!pieces.empty()) pieces.front().remove_prefix(count);
}

std::size_t SizeOf(std::span<const std::string_view> pieces) {
  std::size_t size = 0;
  for (const auto piece : pieces) size += piece.size();
  return size;
}

}  // namespace

void Waker::operator()() const {
  if (!cell_ || cell_->pending.exchange(true)) return;
  asio::post(cell_->context, [cell = cell_] {
    // Cleared first: a call from here on is news that the notification below does not cover.
    cell->pending = false;
    if (cell->target) cell->target->Notify();
  });
}

Stream::Stream(Reactor& reactor, UniqueFd fd, std::string peer)
    : state_(std::make_unique<State>(reactor, std::move(fd), std::move(peer))) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;
Stream::~Stream() = default;

asio::awaitable<Wake> Stream::WaitReadable() {
  State& s = *state_;
  for (;;) {
    if (s.closed) co_return Wake::kClosed;
    if (s.reactor.shutting_down()) co_return Wake::kShutdown;
    if (s.notified) {
      s.notified = false;
      co_return Wake::kNotified;
    }
    if (s.deadline && *s.deadline <= Now()) co_return Wake::kDeadline;
    if (s.HasDecrypted()) co_return Wake::kReadable;
    const bool ready = co_await s.Await(State::Waiting::kNews, s.deadline);
    if (ready) co_return Wake::kReadable;
  }
}

ReadResult Stream::ReadSome(std::span<char> space) {
  if (state_->closed) return {ReadResult::Status::kEnd, 0};
  return state_->ssl ? state_->ReadTls(space) : state_->ReadPlain(space);
}

asio::awaitable<bool> Stream::Write(std::string_view octets, bool more) {
  const bool written = co_await Write(std::span(&octets, 1), more);
  co_return written;
}

asio::awaitable<bool> Stream::Write(std::span<std::string_view> pieces, bool more) {
  State& s = *state_;
  TransferDeadline step(s.write_pace);
  // What is last is to be sent without MSG_MORE.
  while (!pieces.empty() && pieces.back().empty()) pieces = pieces.first(pieces.size() - 1);
  for (Advance(pieces, 0); !pieces.empty();) {
    if (s.closed || s.broken) co_return false;
    const auto sent = s.WriteSome(pieces, more);
    if (sent < 0) co_return false;
    Advance(pieces, static_cast<std::size_t>(sent));
    if (sent > 0) continue;
    auto limit = step.Next(Now(), s.TakenByPeer());
    if (s.deadline) limit = std::min(limit, *s.deadline);
    if (limit <= Now()) {
      s.stalled = true;
      spdlog::info("event=not_reading peer={} unsent={}", s.peer, SizeOf(pieces));
      co_return false;
    }
    const bool ready = co_await s.Await(s.WriteNeeds(), limit);
    // Out of time: the peer may have taken its step all the same, as the kernel wakes a writer only when a
    // good part of its buffer is free.
    if (!ready && !s.timed_out) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Stream::StartTls(const TlsContext& context) {
  State& s = *state_;
  if (s.closed || s.ssl) co_return false;
  const auto settings = context.Current();
  s.ssl.reset(SSL_new(settings.get()));
  if (!s.ssl || SSL_set_fd(s.ssl.get(), s.descriptor.native_handle()) != 1) {
    s.broken = true;
    co_return false;
  }
  for (;;) {
    ERR_clear_error();
    const int result = SSL_accept(s.ssl.get());
    if (result == 1) co_return true;
    const int error = SSL_get_error(s.ssl.get(), result);
    if (error == SSL_ERROR_SSL) LogRefusal(*s.ssl, s.peer);
    ERR_clear_error();
    const bool wants = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    bool ready = false;
    if (wants) {
      const auto what = error == SSL_ERROR_WANT_READ ? State::Waiting::kToRead : State::Waiting::kToWrite;
      ready = co_await s.Await(what, s.deadline);
    }
    if (!ready) {
      s.broken = true;
      co_return false;
    }
  }
}

bool Stream::secure() const { return state_->ssl != nullptr; }

std::string Stream::TlsDescription() const {
  if (!state_->ssl) return {};
  return fmt::format("{} {}", SSL_get_version(state_->ssl.get()), SSL_get_cipher_name(state_->ssl.get()));
}

TlsEnds Stream::Ends() const { return state_->ssl ? ReadEnds(*state_->ssl) : TlsEnds(); }

const std::string& Stream::peer() const { return state_->peer; }

void Stream::SetDeadline(std::chrono::steady_clock::time_point when) { state_->deadline = when; }
void Stream::ClearDeadline() { state_->deadline.reset(); }
void Stream::SetWritePace(Pace pace) { state_->write_pace = pace; }
std::chrono::steady_clock::time_point Stream::Now() const { return state_->reactor.clock().Now(); }

void Stream::Notify() { state_->Notify(); }

Waker Stream::waker() {
  if (!state_->waker_cell) {
    state_->waker_cell = std::make_shared<Waker::Cell>(state_->reactor.context());
    state_->waker_cell->target = state_.get();
  }
  return Waker(state_->waker_cell);
}

void Stream::Close() { state_->Close(); }
bool Stream::is_open() const { return !state_->closed; }

bool Stream::PeerHasLeft() const {
  if (state_->closed || state_->broken || state_->stalled) return true;
  // Not recv(MSG_PEEK): commands that were pipelined before the end would hide it.
  pollfd look{.fd = state_->descriptor.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&look, 1, 0) > 0 && (look.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0;
}

bool Stream::shutting_down() const { return state_->reactor.shutting_down(); }

asio::any_io_executor Stream::executor() const { return state_->descriptor.get_executor(); }

}  // namespace server::net
