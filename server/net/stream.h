#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "server/net/asio.h"
#include "server/net/transfer_pace.h"
#include "server/net/unique_fd.h"

namespace server::net {

class Reactor;
class TlsContext;
struct TlsEnds;

/// Why WaitReadable() returned.
enum class Wake {
  kReadable,  ///< octets, the end of the stream, or an error: ReadSome() says which
  kNotified,  ///< Notify() was called since the last time this was returned
  kDeadline,  ///< the deadline has passed; returned again until it is set anew
  kShutdown,  ///< the server is stopping: say goodbye and return; returned from now on at once
  kClosed,    ///< Close() was called, here or by the reactor
};

struct ReadResult {
  enum class Status { kData, kWouldBlock, kEnd, kError };
  Status status = Status::kError;
  std::size_t size = 0;  ///< octets written to the span; above 0 exactly when kData
};

/// Wakes a stream's WaitReadable() from any thread. Copies are cheap; it may outlive the stream (then it does
/// nothing), but not the reactor. Many calls before the stream looks are one notification.
class Waker {
 public:
  void operator()() const;

 private:
  friend class Stream;
  struct Cell;
  explicit Waker(std::shared_ptr<Cell> cell) : cell_(std::move(cell)) {}
  std::shared_ptr<Cell> cell_;
};

/// One connected stream socket, TCP or local, plain or TLS on the same descriptor. It owns no buffer: an idle
/// connection costs its descriptor, a coroutine frame, and for TLS what OpenSSL keeps between records.
///
/// Use: ReadSome() until kWouldBlock, free or keep what you like, then WaitReadable().
///
/// Lifetime   moved into the coroutine that serves the connection; destruction closes.
/// Thread     its reactor's, for everything but a Waker. At most one WaitReadable() or Write() at a time.
class Stream {
 public:
  /// `fd` is a connected stream socket; it is made non-blocking. `peer` is for the log.
  Stream(Reactor& reactor, UniqueFd fd, std::string peer);
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;
  ~Stream();

  /// Waits without a buffer. Returns at once if decrypted octets wait inside TLS. What is known beats what is
  /// readable, in the order kClosed, kShutdown, kNotified, kDeadline, kReadable.
  asio::awaitable<Wake> WaitReadable();

  /// Never blocks, never waits. An empty span is an error of the caller.
  ReadResult ReadSome(std::span<char> space);

  /// Sends all of `octets`, which must live until this returns; waits while the peer does not read. False:
  /// the connection is of no more use (error, the peer takes too little, deadline passed while waiting,
  /// closed). Not interrupted by Notify() or a shutdown. `more`: the next Write() follows at once, and may
  /// share a packet with the end of this one.
  asio::awaitable<bool> Write(std::string_view octets, bool more = false);
  /// The same of what lies in several places: on a plain stream with few calls of the kernel, and few times
  /// that the peer is woken. `pieces` become what has not been
  /// sent.
  asio::awaitable<bool> Write(std::span<std::string_view> pieces, bool more = false);

  /// The server's side of a TLS handshake; false if it failed and the connection is of no more use. `context`
  /// is read during the call only. For STARTTLS: the caller has written its go-ahead and MUST have checked
  /// that it holds no octet received after the command (they came in plain text: refuse or discard them);
  /// what is still in the kernel is taken as TLS.
  asio::awaitable<bool> StartTls(const TlsContext& context);

  bool secure() const;
  /// "TLSv1.3 TLS_AES_256_GCM_SHA384" for the log; empty on a plain stream.
  std::string TlsDescription() const;
  /// What TLS knows of the two ends (tls_ends.h); nothing on a plain stream.
  TlsEnds Ends() const;
  /// "192.0.2.1:5012" or "local".
  const std::string& peer() const;

  /// The time by which a wait of WaitReadable(), StartTls() or Write() ends; checked about once a second.
  void SetDeadline(std::chrono::steady_clock::time_point when);
  void ClearDeadline();
  /// What the peer must at least take while one Write() waits for it.
  void SetWritePace(Pace pace);
  /// Now() of the reactor's clock, for SetDeadline().
  std::chrono::steady_clock::time_point Now() const;

  /// On the reactor's thread; remembered if nobody waits.
  void Notify();
  /// For Notify() from elsewhere, such as a change feed's callback on a storage thread.
  Waker waker();

  /// Sends TLS's close_notify if it can do so without waiting. A wait in progress returns kClosed, a Write()
  /// false.
  void Close();
  bool is_open() const;

  /// For those who work long without reading: the peer has closed its end, or the stream is of no use any
  /// more, whatever octets may still wait. Never waits.
  bool PeerHasLeft() const;
  /// The server is stopping; WaitReadable() would say kShutdown.
  bool shutting_down() const;

  asio::any_io_executor executor() const;

  /// What the reactor keeps a list of; defined in stream_state.h.
  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace server::net
