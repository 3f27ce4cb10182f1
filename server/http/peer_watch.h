#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <sys/socket.h>

#include "server/http/call.h"

namespace server::http {

/// Tells once when the caller goes away while nobody reads from it. What it sends meanwhile, a next request
/// say, is left where it is; from then on it is not watched any more.
///
/// Lifetime   ends before the stream is read or written again.
/// Thread     the connection's.
class PeerWatch {
 public:
  PeerWatch(HttpStream& stream, std::function<void()> left)
      : socket_(stream.socket()), state_(std::make_shared<State>(State{std::move(left)})) {
    socket_.async_wait(asio::socket_base::wait_read, [&socket = socket_, state = state_](ErrorCode error) {
      if (error || state->over) return;
      char octet = 0;
      const auto got = ::recv(socket.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
      if (got > 0) return;
      state->gone = true;
      state->left();
    });
  }
  PeerWatch(const PeerWatch&) = delete;
  ~PeerWatch() {
    state_->over = true;
    ErrorCode ignored;
    socket_.cancel(ignored);
  }

  bool gone() const { return state_->gone; }

 private:
  struct State {
    std::function<void()> left;
    bool gone = false;
    bool over = false;
  };

  HttpStream::socket_type& socket_;
  const std::shared_ptr<State> state_;
};

}  // namespace server::http
