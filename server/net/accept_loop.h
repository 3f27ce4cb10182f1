#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "server/net/asio.h"

namespace server::net {

/// Accepts until `acceptor` is closed. Neither a failed accept nor an exception of `admit` ends it: no memory
/// for one connection must not be the end of all.
///
/// `bool admit(socket, peer)`: keeps the socket or lets it fall; false: there is no room, accept no more for
/// a moment, the backlog keeps the callers. `where` is for the log.
///
/// Lifetime   `acceptor`, and what `admit` refers to, until the loop has ended.
template <class Acceptor, class Admit>
asio::awaitable<void> AcceptLoop(Acceptor& acceptor, std::string where, Admit admit) {
  asio::steady_timer pause(acceptor.get_executor());
  while (acceptor.is_open()) {
    typename Acceptor::endpoint_type peer;
    auto [error, socket] = co_await acceptor.async_accept(peer, kAsTuple);
    if (error == asio::error::operation_aborted || error == asio::error::connection_aborted) continue;
    bool room = false;
    try {
      if (error) {  // out of descriptors, most likely
        spdlog::error("event=accept_failed where=\"{}\" error=\"{}\"", where, error.message());
      } else {
        room = admit(std::move(socket), peer);
      }
    } catch (const std::exception& e) {
      spdlog::error("event=accept_failed where=\"{}\" error=\"{}\"", where, e.what());
      room = true;
    }
    if (room) continue;
    pause.expires_after(std::chrono::milliseconds(200));
    [[maybe_unused]] const auto [ignored] = co_await pause.async_wait(kAsTuple);
  }
}

}  // namespace server::net
