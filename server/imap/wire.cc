#include "server/imap/wire.h"

namespace server::imap {

asio::awaitable<bool> Output::Flush() {
  if (!broken_ && !text_.empty()) {
    const bool sent = co_await stream_.Write(text_);
    if (sent) {
      sent_ += text_.size();
    } else {
      broken_ = true;
    }
  }
  text_.clear();
  co_return !broken_;
}

void Output::Release() {
  if (text_.empty()) std::string().swap(text_);
}

Wire::Got Wire::Read() {
  const auto result = stream_.ReadSome(reader.Space());
  switch (result.status) {
    case net::ReadResult::Status::kData:
      reader.Grow(result.size);
      received_ += result.size;
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
  if (eager) {
    const Got got = Read();
    if (got != Got::kNothing) co_return got == Got::kOctets ? Event::kInput : Event::kClosed;
  } else {
    out.Release();
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
