#include "server/http/changes_socket.h"

#include <exception>

#include <boost/beast/websocket.hpp>

#include "server/http/changes_json.h"
#include "server/http/news_wait.h"

namespace server::http {
namespace {

namespace websocket = beast::websocket;
using CloseReason = websocket::close_reason;

/// A caller who does not answer a ping, or does not take what is sent, is gone then.
constexpr std::chrono::seconds kSilence{60};
/// Nothing that a caller says means anything.
constexpr std::size_t kMaxHeard = 4096;

class ChangesSocket {
 public:
  ChangesSocket(Call& call, Services& services, storage::AccountId account, storage::ModSeq since)
      : services_(services),
        account_(account),
        since_(since),
        socket_(call.stream()),
        wait_(services.waiting, services.store.feed(), account, call.stream().get_executor()),
        heard_all_(call.stream().get_executor(), asio::steady_timer::time_point::max()) {}

  asio::awaitable<void> Run(const Call& call) {
    beast::get_lowest_layer(socket_).expires_never();  // the socket has limits of its own
    socket_.set_option(websocket::stream_base::timeout{
        .handshake_timeout = kSilence, .idle_timeout = kSilence, .keep_alive_pings = true});
    socket_.read_message_max(kMaxHeard);
    socket_.text(true);
    const auto [error] = co_await socket_.async_accept(call.request(), kAsTuple);
    if (error) co_return;
    asio::co_spawn(socket_.get_executor(), Hear(), [this](const std::exception_ptr&) {
      gone_ = true;
      wait_.Wake();
      heard_all_.cancel();
    });
    const auto why = co_await TellAll();
    if (!gone_) [[maybe_unused]]
      const auto [ignored] = co_await socket_.async_close(why, kAsTuple);
    while (!gone_) [[maybe_unused]]
      const auto [ignored] = co_await heard_all_.async_wait(kAsTuple);
  }

 private:
  /// Answers pings, and notices when the caller closes.
  asio::awaitable<void> Hear() {
    beast::flat_buffer buffer;
    for (;;) {
      const auto [error, ignored] = co_await socket_.async_read(buffer, kAsTuple);
      if (error) co_return;
      buffer.clear();
    }
  }

  asio::awaitable<CloseReason> TellAll() {
    while (!gone_) {
      if (services_.waiting.closed())
        co_return CloseReason(websocket::close_code::going_away, "cmsd is shutting down");
      auto look = [&] { return services_.store.ChangesSince(account_, since_); };
      auto changes = co_await services_.storage.Run(look);
      if (!changes && changes.error().code == storage::Errc::kNoSuchAccount)
        co_return CloseReason(websocket::close_code::normal, "The account was deleted");
      if (!changes)
        co_return CloseReason(websocket::close_code::internal_error, "The store cannot be read now");
      if (changes->modseq == since_) {
        co_await wait_.Next(std::chrono::steady_clock::time_point::max());
        continue;
      }
      const auto modseq = changes->modseq;
      const bool told = co_await Tell(ChangesText(services_, account_, *std::move(changes), since_));
      if (!told) co_return CloseReason(websocket::close_code::internal_error, "The store cannot be read now");
      since_ = modseq;
    }
    co_return CloseReason(websocket::close_code::normal, "");
  }

  asio::awaitable<bool> Tell(ChangesText text) {
    while (!text.done()) {
      auto next = [&] { return text.Next(); };
      const auto portion = co_await services_.storage.Run(next);
      if (!portion) co_return false;
      const auto [error, ignored] =
          co_await socket_.async_write_some(text.done(), asio::buffer(*portion), kAsTuple);
      if (error) co_return false;
    }
    co_return true;
  }

  Services& services_;
  const storage::AccountId account_;
  storage::ModSeq since_;
  websocket::stream<HttpStream&> socket_;
  NewsWait wait_;
  bool gone_ = false;
  asio::steady_timer heard_all_;
};

}  // namespace

asio::awaitable<void> TellChanges(Call& call, Services& services, storage::AccountId account,
                                  storage::ModSeq since) {
  call.TakeOver(Status::switching_protocols);
  ChangesSocket socket(call, services, account, since);
  co_await socket.Run(call);
}

}  // namespace server::http
