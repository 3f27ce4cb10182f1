#include "server/imap/wire.h"

#include <array>

#include <spdlog/spdlog.h>

namespace server::imap {

void Output::Append(protocol::mime::Octets octets) {
  constexpr std::size_t kWorthAPiece = 32 * 1024;
  if (octets.size() < kWorthAPiece) {
    waiting_.text += octets.view();
    return;
  }
  const auto add = [this](protocol::mime::Octets piece) {
    waiting_.before_text += piece.size();
    if (piece.alone()) waiting_.alone += piece.size();
    waiting_.pieces.push_back(std::move(piece));
  };
  if (!waiting_.text.empty()) add(protocol::mime::Octets(std::exchange(waiting_.text, {})));
  add(std::move(octets));
}

// No coroutine: what is sent is settled by the call, before the caller goes on to write more.
asio::awaitable<bool> Output::Flush() {
  std::swap(waiting_, sending_);
  return Send();
}

asio::awaitable<bool> Output::Send() {
  if (!broken_ && !sending_.empty()) {
    const bool sent = co_await SendQueue();
    broken_ = broken_ || !sent;
  }
  sending_.pieces.clear();
  sending_.before_text = sending_.alone = 0;
  sending_.text.clear();
  co_return !broken_;
}

asio::awaitable<bool> Output::SendQueue() {
  std::vector<std::string_view> all;
  all.reserve(sending_.pieces.size() + 1);
  for (const auto& piece : sending_.pieces) all.push_back(piece.view());
  if (!sending_.text.empty()) all.push_back(sending_.text);
  bool sent = true;
  if (deflate_) {
    for (std::size_t i = 0; i < all.size() && sent; ++i)
      sent = co_await SendPacked(all[i], /*more=*/i + 1 < all.size());
  } else {
    sent = co_await stream_.Write(all);
    sent_ += sending_.size();
    for (const auto unsent : all) sent_ -= unsent.size();
  }
  co_return sent;
}

asio::awaitable<bool> Output::SendPacked(std::string_view octets, bool more) {
  std::string packed;
  deflate_->Compress(octets, packed);
  const bool sent = co_await stream_.Write(packed, more);
  if (sent) sent_ += packed.size();
  co_return sent;
}

void Output::Release() {
  if (empty()) waiting_ = {};
  sending_ = {};
}

void Wire::StartCompression() {
  deflate_ = std::make_unique<net::Deflate>();
  out.CompressWith(*deflate_);
}

void Wire::Heard(std::size_t octets) {
  received_ += octets;
  heard_ = stream_.Now();
}

/// One read of the stream and one piece of text at most, whatever they hold: a peer that sends nothing in
/// many octets, or much in a few, does not keep others waiting.
Wire::Got Wire::ReadCompressed() {
  if (deflate_->NeedsInput()) {
    std::array<char, 4096> octets;
    const auto result = stream_.ReadSome(octets);
    if (result.status == net::ReadResult::Status::kWouldBlock) return Got::kNothing;
    if (result.status != net::ReadResult::Status::kData) return Got::kEnd;
    Heard(result.size);
    deflate_->Feed({octets.data(), result.size});
  }
  const auto size = deflate_->Expand(reader.Space());
  reader.Grow(size.value_or(0));
  if (!size) {
    spdlog::info("event=bad_compression peer={}", stream_.peer());
    return Got::kEnd;
  }
  return *size > 0 ? Got::kOctets : Got::kNothing;
}

Wire::Got Wire::Read() {
  if (deflate_) return ReadCompressed();
  const auto result = stream_.ReadSome(reader.Space());
  switch (result.status) {
    case net::ReadResult::Status::kData:
      reader.Grow(result.size);
      Heard(result.size);
      return Got::kOctets;
    case net::ReadResult::Status::kWouldBlock: reader.Grow(0); return Got::kNothing;
    case net::ReadResult::Status::kEnd:
    case net::ReadResult::Status::kError: return Got::kEnd;
  }
  return Got::kEnd;
}

asio::awaitable<Wire::Event> Wire::More(std::chrono::steady_clock::time_point deadline, bool eager) {
  if (!out.empty()) {
    const bool flushed = co_await out.Flush();
    if (!flushed) co_return Event::kClosed;
  }
  if (eager || (deflate_ && !deflate_->NeedsInput())) {
    const Got got = Read();
    if (got != Got::kNothing) co_return got == Got::kOctets ? Event::kInput : Event::kClosed;
  } else {
    out.Release();
    if (deflate_) deflate_->Rest();
  }
  for (;;) {
    stream_.SetDeadline(deadline);
    const net::Wake wake = co_await stream_.WaitReadable();
    stream_.ClearDeadline();
    switch (wake) {
      case net::Wake::kNotified: co_return Event::kNotified;
      case net::Wake::kDeadline: co_return Event::kDeadline;
      case net::Wake::kShutdown: co_return Event::kShutdown;
      case net::Wake::kClosed: co_return Event::kClosed;
      case net::Wake::kReadable: break;
    }
    const Got got = Read();
    if (got != Got::kNothing) co_return got == Got::kOctets ? Event::kInput : Event::kClosed;
  }
}

}  // namespace server::imap
