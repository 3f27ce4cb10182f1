#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include "server/net/reactor.h"
#include "server/net/stream.h"

// OpenSSL's SSL, without its headers.
struct ssl_st;

namespace server::net {

struct SslFree {
  void operator()(ssl_st* ssl) const;
};

/// A stream's data at an address that stays, so that its reactor can list it and a Waker can find it.
///
/// Thread     its reactor's.
/// Invariant  at most one wait on `descriptor` is in progress; `waiting` says for what.
struct Stream::State {
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  using TimePoint = std::chrono::steady_clock::time_point;
  /// Only kNews is cut short by Notify() and a shutdown; the others end with I/O, a deadline or Close().
  enum class Waiting { kNothing, kNews, kToRead, kToWrite };

  State(Reactor& home, UniqueFd fd, std::string peer_text);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void Notify();
  void Shutdown();
  void Close();
  /// Ends the wait in progress if its time is over at `now`.
  void Expire(TimePoint now);

  /// Waits for the descriptor. Ends early when cancelled: the flags say why. False if the deadline of this
  /// wait has passed, the stream is closed, or the wait failed.
  asio::awaitable<bool> Await(Waiting what, std::optional<TimePoint> limit);

  void CancelWait();
  ReadResult ReadPlain(std::span<char> space);
  ReadResult ReadTls(std::span<char> space);
  /// Octets taken of the pieces, of which the first is not empty; 0 if the peer must read (or, in TLS, write:
  /// see `tls_wants_read`) first, negative on failure.
  std::ptrdiff_t WriteSome(std::span<const std::string_view> pieces, bool more);
  std::ptrdiff_t WritePlain(std::span<const std::string_view> pieces, bool more);
  /// Octets that have left the kernel for the peer, since the stream began.
  std::int64_t TakenByPeer();
  Waiting WriteNeeds() const { return tls_wants_read ? Waiting::kToRead : Waiting::kToWrite; }
  bool HasDecrypted() const;

  Reactor& reactor;
  Descriptor descriptor;
  std::unique_ptr<ssl_st, SslFree> ssl;
  std::string peer;
  std::optional<TimePoint> deadline;
  std::optional<TimePoint> wait_limit;  ///< of the wait in progress
  Pace write_pace;
  std::int64_t written = 0;                 ///< octets that the kernel has taken; a plain stream's
  std::shared_ptr<Waker::Cell> waker_cell;  ///< made when first asked for
  Waiting waiting = Waiting::kNothing;
  bool notified = false;
  bool timed_out = false;  ///< the wait in progress was ended by Expire()
  bool closed = false;
  bool stalled = false;          ///< a Write() waited in vain for the peer to take enough
  bool broken = false;           ///< TLS failed: no close_notify
  bool tls_wants_write = false;  ///< SSL_read() must send first (key update)
  bool tls_wants_read = false;   ///< SSL_write() must receive first
  State* previous = nullptr;
  State* next = nullptr;
};

struct Waker::Cell {
  explicit Cell(asio::io_context& where) : context(where) {}
  asio::io_context& context;
  std::atomic<bool> pending{false};
  Stream::State* target = nullptr;  ///< the reactor's thread only; null once the stream is gone
};

}  // namespace server::net
