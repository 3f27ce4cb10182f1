#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/imap/command_reader.h"
#include "protocol/mime/octets.h"
#include "server/net/deflate.h"
#include "server/net/stream.h"

namespace server::imap {

/// Text on its way to the client. Bounded by those who fill it: they flush when it is Full().
///
/// Thread     the session's; it may be filled on the storage pool while the session waits for that hop, or
/// for
///            Flush() of what was written before.
class Output {
 public:
  static constexpr std::size_t kFull = 64 * 1024;
  /// A long answer is made step by step, each while the one before is sent. Many octets in one call wake the
  /// client less often; those that the session alone holds are fewer, and each piece of the others may keep a
  /// chunk of the store in memory, of 256 KiB.
  static constexpr std::size_t kStep = 1024 * 1024;
  static constexpr std::size_t kStepAlone = 256 * 1024;
  static constexpr std::size_t kStepPieces = 8;

  explicit Output(net::Stream& stream) : stream_(stream) {}

  /// Where the next line is appended.
  std::string& text() { return waiting_.text; }
  /// After all that is written so far; not copied if they are many.
  void Append(protocol::mime::Octets octets);
  std::size_t size() const { return waiting_.size(); }
  bool Full() const { return size() >= kFull; }
  bool HasStep() const {
    return size() >= kStep || waiting_.alone + waiting_.text.size() >= kStepAlone ||
           waiting_.pieces.size() >= kStepPieces;
  }
  bool empty() const { return waiting_.empty(); }

  /// Sends everything that is there when it is called; false once the connection is of no more use, then and
  /// for ever (what is written later is dropped). Until it returns, text() is filled anew. One at a time.
  asio::awaitable<bool> Flush();
  bool broken() const { return broken_; }
  /// Gives the buffer's memory back.
  void Release();
  /// On the wire.
  std::uint64_t octets_sent() const { return sent_; }
  /// From now on; `deflate` outlives it.
  void CompressWith(net::Deflate& deflate) { deflate_ = &deflate; }

 private:
  struct Queue {
    std::vector<protocol::mime::Octets> pieces;
    std::size_t before_text = 0;  ///< octets of the pieces
    std::size_t alone = 0;        ///< those of them that nobody else holds
    std::string text;
    std::size_t size() const { return before_text + text.size(); }
    bool empty() const { return size() == 0; }
  };
  asio::awaitable<bool> Send();
  asio::awaitable<bool> SendQueue();
  asio::awaitable<bool> SendPacked(std::string_view octets, bool more);

  net::Stream& stream_;
  net::Deflate* deflate_ = nullptr;  ///< nullptr: not compressed
  Queue waiting_;
  Queue sending_;
  std::uint64_t sent_ = 0;
  bool broken_ = false;
};

/// The client's end: its stream, what it has said, what it is to hear.
class Wire {
 public:
  explicit Wire(net::Stream stream) : stream_(std::move(stream)), heard_(stream_.Now()), out(stream_) {}
  Wire(const Wire&) = delete;

  enum class Event {
    kInput,     ///< the reader has more octets
    kNotified,  ///< Stream::Notify()
    kDeadline,
    kShutdown,
    kClosed,  ///< the client has gone
  };
  /// Flushes, then waits for octets and gives them to the reader. Holds no buffer while it waits. `eager`:
  /// octets are likely to be there already.
  asio::awaitable<Event> More(std::chrono::steady_clock::time_point deadline, bool eager = false);

  net::Stream& stream() { return stream_; }
  const net::Stream& stream() const { return stream_; }
  /// On the wire.
  std::uint64_t octets_received() const { return received_; }
  /// When the client last sent something, or came.
  std::chrono::steady_clock::time_point heard() const { return heard_; }

  /// RFC 4978: what is written and read from now on is compressed. REQUIRES: `out` is flushed.
  void StartCompression();
  bool compressed() const { return deflate_ != nullptr; }

 private:
  enum class Got { kOctets, kNothing, kEnd };
  void Heard(std::size_t octets);
  Got Read();
  Got ReadCompressed();

  net::Stream stream_;
  std::unique_ptr<net::Deflate> deflate_;
  std::uint64_t received_ = 0;
  std::chrono::steady_clock::time_point heard_;

 public:
  protocol::CommandReader reader;
  Output out;
};

}  // namespace server::imap
