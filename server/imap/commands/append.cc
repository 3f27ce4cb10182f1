// APPEND (RFC 3501 §6.3.11), with MULTIAPPEND (RFC 3502), LITERAL+ (RFC 7888) and APPENDUID (RFC 4315 §3),
// and REPLACE (RFC 8508).
#include "protocol/imap/command/append.h"

#include <spdlog/spdlog.h>

#include "protocol/imap/limits.h"
#include "server/imap/commands/append_intake.h"
#include "server/imap/commands/read_line.h"
#include "server/imap/commands/resolve.h"
#include "server/imap/session.h"

namespace server::imap {

using protocol::Bad;
using protocol::Bye;
using protocol::No;
using protocol::Ok;
using protocol::Reply;
using protocol::ResponseCode;

namespace {

/// One APPEND or REPLACE from its first step to its reply.
class AppendCommand {
 public:
  AppendCommand(Session& session, const protocol::command::AppendBegin& begin)
      : session_(session),
        wire_(session.wire()),
        begin_(begin),
        intake_(session, begin.mailbox),
        step_({session.services().options.transfer_step, session.services().options.transfer_stall}) {}

  /// nullopt: the reader has refused the command, and that has been answered.
  asio::awaitable<std::optional<Reply>> Run() {
    for (;;) {
      auto step = wire_.reader.Next();
      if (std::holds_alternative<protocol::NeedBytes>(step)) {
        const auto event = co_await More();
        if (auto bye = session_.AccountGone()) co_return bye;
        if (event != Wire::Event::kInput) co_return EndOf(event);
      } else if (const auto* bad = std::get_if<protocol::BadCommand>(&step)) {
        session_.Reject(*bad);
        co_return std::nullopt;
      } else if (auto* message = std::get_if<protocol::command::AppendMessage>(&step)) {
        auto refusal = co_await Announce(*message);
        if (refusal) co_return refusal;
      } else if (const auto* octets = std::get_if<protocol::AppendOctets>(&step)) {
        co_await Receive({octets->octets.data(), octets->octets.size()});
      } else if (std::holds_alternative<protocol::AppendEnd>(step)) {
        co_return co_await Finish();
      }
    }
  }

 private:
  asio::awaitable<Wire::Event> More() {
    const auto& services = session_.services();
    // A client that drips is dropped: each step of a literal has its own time.
    const auto received = static_cast<std::int64_t>(wire_.octets_received());
    const auto deadline = step_.Next(services.clock.Now(), received);
    auto event = co_await wire_.More(deadline, /*eager=*/receiving_);
    while (event == Wire::Event::kNotified && !session_.AccountGone()) event = co_await wire_.More(deadline);
    co_return event;
  }

  /// Decides about a message before its octets; a reply ends the command.
  asio::awaitable<std::optional<Reply>> Announce(const protocol::command::AppendMessage& message) {
    auto refusal = begin_.replaces ? ResolveReplaced() : std::nullopt;
    if (!refusal) refusal = RefusalOf(message);
    announced_ += message.size;
    // RFC 3501 §6.3.11: better to hear [TRYCREATE] before a long literal than after it; and [OVERQUOTA].
    const bool first = message.index == 0 && message.synchronizing;
    if (!refusal && (first || message.size > storage::StagedBody::kChunk)) {
      auto look = [&] { return LookAhead(first, message.index + 1); };
      const auto possible = co_await session_.services().storage.Run(look);
      if (!possible) refusal = session_.Failed(possible.error(), Folder::kTarget);
    }
    if (refusal) {
      wire_.reader.Refuse();
      co_return refusal;
    }
    wire_.reader.Accept();
    if (message.synchronizing) protocol::WriteContinuation(wire_.out.text(), "Ready for literal data");
    intake_.Begin(message);
    receiving_ = !message.synchronizing;
    step_.Restart();
    co_return std::nullopt;
  }

  /// Whether the store would take what was announced so far. Blocks.
  storage::Result<> LookAhead(bool first, std::uint64_t messages) const {
    auto& store = session_.services().store;
    if (first) {
      const auto folder = store.GetFolder(session_.account(), begin_.mailbox);
      if (!folder) return tl::unexpected(folder.error());
    }
    if (replaced_) return {};  // what it takes counts less what goes: the commit will see
    return store.CheckRoom(session_.account(), announced_, messages);
  }

  /// Which message it is that goes.
  std::optional<Reply> ResolveReplaced() {
    if (session_.state() != State::kSelected)
      return Bad("REPLACE needs a selected mailbox: SELECT one first");
    const MailboxView& view = *session_.selected()->view;
    if (view.read_only())
      return No(ResponseCode::kCannot, "The mailbox was opened with EXAMINE, which is read-only");
    const auto uids = Resolve(view, begin_.replaces->numbers, begin_.replaces->message);
    if (!uids) return uids.error();
    if (uids->empty()) return No(ResponseCode::kNonExistent, "There is no such message to replace");
    replaced_ = uids->front();
    return std::nullopt;
  }

  std::optional<Reply> RefusalOf(const protocol::command::AppendMessage& message) const {
    if (session_.state() == State::kNotAuthenticated) return Bad("APPEND needs a login first");
    if (intake_.failure()) return intake_.failure();
    if (message.size == 0) return No(ResponseCode::kCannot, "An empty message cancels APPEND");
    if (message.size > session_.services().options.append_limit) {
      return No(ResponseCode::kTooBig, "The message is longer than APPENDLIMIT");
    }
    return std::nullopt;
  }

  asio::awaitable<void> Receive(std::string_view octets) {
    receiving_ = true;
    if (intake_.TakeInMemory(octets)) co_return;
    auto take = [&] { intake_.TakeBlocking(octets); };
    co_await session_.services().storage.Run(take);
  }

  asio::awaitable<Reply> Finish() {
    if (intake_.failure()) co_return *intake_.failure();
    auto append = [this] { return intake_.Commit(replaced_); };
    const auto done = co_await session_.services().storage.Run(append);
    const bool own_gone = replaced_ && session_.selected()->view->deleted();
    if (!done) co_return session_.Failed(done.error(), own_gone ? Folder::kNamed : Folder::kTarget);
    const ResponseCode::AppendUid code{done->uid_validity, done->uids};
    if (!replaced_) co_return Ok(code, "APPEND completed");
    // The client hears of the new message before the EXPUNGE of the old one (RFC 8508 §4.3).
    protocol::WriteUntagged(wire_.out.text(), Ok(code, "Replacement message ready"));
    co_return Ok("REPLACE completed");
  }

  Session& session_;
  Wire& wire_;
  const protocol::command::AppendBegin& begin_;
  AppendIntake intake_;
  bool receiving_ = false;
  std::optional<storage::Uid> replaced_;
  std::uint64_t announced_ = 0;  ///< octets of all messages so far
  net::TransferDeadline step_;
};

}  // namespace

asio::awaitable<void> Session::ExecuteAppend(const protocol::command::AppendBegin& begin) {
  access_ = Access::kWrites;
  AppendCommand append(*this, begin);
  auto reply = co_await append.Run();
  if (!reply) co_return;
  const bool with_uid = begin.replaces && begin.replaces->numbers == protocol::NumberKind::kUid;
  co_await Conclude(begin.tag, *std::move(reply), ExpungePolicy::kAllowed, with_uid);
}

}  // namespace server::imap
