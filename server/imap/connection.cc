#include "server/imap/connection.h"

#include <exception>
#include <optional>

#include <spdlog/spdlog.h>

#include "server/imap/session.h"
#include "server/net/tls_context.h"
#include "server/sessions/session_list.h"

namespace server::imap {
namespace {

using protocol::Bye;
using protocol::Ok;

class Connection final : public sessions::ListedSession {
 public:
  Connection(net::Stream stream, const net::ConnectionInfo& info, const Services& services)
      : services_(services), wire_(std::move(stream)), session_(wire_, info, services) {
    if (services.sessions != nullptr) services.sessions->Enter(*this, wire_.stream().executor());
  }
  ~Connection() {
    if (services_.sessions != nullptr) services_.sessions->Leave(*this, wire_.stream().executor());
  }
  Connection(const Connection&) = delete;

  asio::awaitable<void> Run() {
    wire_.stream().SetWritePace({services_.options.transfer_step, services_.options.write_stall});
    Greet();
    while (session_.state() != State::kLogout && !wire_.out.broken()) {
      if (const auto bye = session_.Dismissal()) {
        session_.SayBye(*bye);
        ending_ = session_.kicked() ? "kicked" : "account_closed";
        break;
      }
      const After after = co_await Act();
      const bool more = after == After::kWait ? co_await Rest() : after == After::kMore;
      if (!more) break;
      // Pipelined commands may ask for far more than they are long.
      if (wire_.out.Full()) static_cast<void>(co_await wire_.out.Flush());
    }
    static_cast<void>(co_await wire_.out.Flush());
    if (ending_.empty()) ending_ = WhyInACommand();
    co_await session_.Deselect();
    wire_.stream().Close();
  }

  sessions::SessionInfo Info() const override {
    const auto now = services_.clock.Now();
    const auto seconds = [&](auto since) {
      return std::chrono::duration_cast<std::chrono::seconds>(now - since);
    };
    sessions::SessionInfo info;
    info.id = session_.info().id;
    info.peer = wire_.stream().peer();
    info.tls = wire_.stream().TlsDescription();
    info.compressed = wire_.compressed();
    info.account = session_.account();
    info.address = session_.user();
    info.actor = session_.acting().actor;
    info.acts_for = session_.acting().account;
    if (const auto* folder = session_.selected()) info.folder = folder->view->folder();
    info.doing = session_.running();
    info.connected = seconds(session_.connected());
    info.silent = seconds(wire_.heard());
    info.octets_in = wire_.octets_received();
    info.octets_out = wire_.out.octets_sent();
    return info;
  }
  void Kick() override { session_.Kick(); }

  const Wire& wire() const { return wire_; }
  const Session& session() const { return session_; }
  std::string_view ending() const { return ending_; }

 private:
  enum class After : std::uint8_t {
    kMore,
    kWait,  ///< for the client or for news: the reader has nothing more
    kOver,  ///< the connection
  };

  void Greet() {
    const auto words = protocol::CapabilityWords(session_.Capabilities());
    protocol::WriteUntagged(wire_.out.text(), Ok(protocol::ResponseCode::Capability{words},
                                                 services_.options.product + " ready"));
  }

  /// One step of the reader. It does not wait between commands: its frame, which holds a command, is gone
  /// then.
  asio::awaitable<After> Act() {
    auto step = wire_.reader.Next();
    if (std::holds_alternative<protocol::NeedBytes>(step)) co_return After::kWait;
    if (std::holds_alternative<protocol::NeedContinuation>(step)) {
      protocol::WriteContinuation(wire_.out.text(), "OK");
    } else if (const auto* bad = std::get_if<protocol::BadCommand>(&step)) {
      session_.Reject(*bad);
      command_since_.reset();
    } else if (auto* command = std::get_if<protocol::TaggedCommand>(&step)) {
      if (std::holds_alternative<protocol::command::Logout>(command->command)) ending_ = "logout";
      co_await session_.Execute(*command);
      command_since_.reset();
      switch (session_.TakeUpgrade()) {
        case Session::Upgrade::kNone: co_return After::kMore;
        case Session::Upgrade::kTls: {
          const bool secure = co_await StartTls();
          co_return secure ? After::kMore : After::kOver;
        }
        case Session::Upgrade::kCompression: {
          const bool flushed = co_await wire_.out.Flush();
          wire_.StartCompression();
          co_return flushed ? After::kMore : After::kOver;
        }
      }
    } else if (const auto* begin = std::get_if<protocol::command::AppendBegin>(&step)) {
      co_await session_.ExecuteAppend(*begin);
      command_since_.reset();
    }
    co_return After::kMore;
  }

  /// What ended a connection that was within a command, such as IDLE or APPEND.
  std::string_view WhyInACommand() {
    if (wire_.out.broken() || wire_.stream().PeerHasLeft()) return "closed";
    return wire_.stream().shutting_down() ? "shutdown" : "bye";
  }

  asio::awaitable<bool> StartTls() {
    const bool flushed = co_await wire_.out.Flush();
    if (!flushed) co_return false;
    wire_.stream().SetDeadline(session_.ReadDeadline(std::nullopt));
    const bool secure = co_await wire_.stream().StartTls(*services_.tls);
    wire_.stream().ClearDeadline();
    if (!secure) ending_ = "tls";
    co_return secure;
  }

  /// Between commands; what a connection costs while nothing happens is this frame and those around it.
  /// False: the connection is over.
  asio::awaitable<bool> Rest() {
    // Not within a command that has come in part: its answer tells.
    const bool push = session_.notifying() && !wire_.reader.HasInput();
    if (push && !session_.PushFromMemory(session_.PushedExpunges()))
      co_await session_.Push(session_.PushedExpunges());
    if (push && session_.ArmNews()) co_return true;
    if (!wire_.reader.HasInput()) {
      command_since_.reset();
    } else if (!command_since_) {
      command_since_ = services_.clock.Now();
    }
    const auto event = co_await wire_.More(session_.ReadDeadline(command_since_));
    if (push) session_.DisarmNews();
    switch (event) {
      case Wire::Event::kInput:
      case Wire::Event::kNotified: co_return true;
      case Wire::Event::kDeadline:
        session_.SayBye(Bye("Waited too long for a command"));
        ending_ = "deadline";
        co_return true;
      case Wire::Event::kShutdown:
        session_.SayBye(Bye(protocol::ResponseCode::kUnavailable, "Server is shutting down"));
        ending_ = "shutdown";
        co_return true;
      case Wire::Event::kClosed: ending_ = "closed"; co_return false;
    }
    co_return false;
  }

  const Services& services_;
  Wire wire_;
  Session session_;
  std::optional<std::chrono::steady_clock::time_point> command_since_;
  std::string_view ending_;  ///< for the log; empty: not known yet
};

}  // namespace

asio::awaitable<void> ServeConnection(net::Stream stream, net::ConnectionInfo info,
                                      const Services& services) {
  services.log.info("event=connect conn={} peer={} tls={}", info.id, stream.peer(), stream.secure() ? 1 : 0);
  Connection connection(std::move(stream), info, services);
  std::string failure;
  try {
    co_await connection.Run();
  } catch (const std::exception& e) {  // a bug or no memory: this connection ends, the server goes on
    failure = e.what();
  }
  if (!failure.empty()) services.log.error("event=connection_failed conn={} what=\"{}\"", info.id, failure);
  services.log.info("event=disconnect conn={} account={} reason={} bytes_in={} bytes_out={}", info.id,
                    connection.session().account().value, failure.empty() ? connection.ending() : "failure",
                    connection.wire().octets_received(), connection.wire().out.octets_sent());
}

}  // namespace server::imap
