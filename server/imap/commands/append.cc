// APPEND (RFC 3501 §6.3.11), with MULTIAPPEND (RFC 3502), LITERAL+ (RFC 7888) and APPENDUID (RFC 4315 §3),
// CATENATE (RFC 4469) and REPLACE (RFC 8508).
#include "protocol/imap/command/append.h"

#include <spdlog/spdlog.h>

#include "protocol/imap/limits.h"
#include "server/imap/command_table.h"
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
      if (std::holds_alternative<protocol::NeedContinuation>(step)) {
        protocol::WriteContinuation(wire_.out.text(), "Ready for literal data");
      } else if (std::holds_alternative<protocol::NeedBytes>(step)) {
        const auto event = co_await More();
        if (auto bye = session_.Dismissal()) co_return bye;
        if (event != Wire::Event::kInput) co_return EndOf(event);
      } else if (const auto* bad = std::get_if<protocol::BadCommand>(&step)) {
        session_.Reject(*bad);
        co_return std::nullopt;
      } else if (auto* message = std::get_if<protocol::command::AppendMessage>(&step)) {
        auto refusal = co_await Announce(*message);
        if (refusal) co_return refusal;
      } else if (const auto* text = std::get_if<protocol::command::CatenateText>(&step)) {
        auto refusal = co_await Announce(*text);
        if (refusal) co_return refusal;
      } else if (const auto* part = std::get_if<protocol::command::CatenateUrl>(&step)) {
        auto ending = co_await Catenate(part->url);
        if (ending) co_return ending;
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
    while (event == Wire::Event::kNotified && !session_.Dismissal()) event = co_await wire_.More(deadline);
    co_return event;
  }

  /// Decides about a message before its octets; a reply ends the command.
  asio::awaitable<std::optional<Reply>> Announce(const protocol::command::AppendMessage& message) {
    auto refusal = begin_.replaces ? ResolveReplaced() : std::nullopt;
    if (!refusal) refusal = RefusalOf(message);
    announced_ += message.size;
    ++messages_;
    // RFC 3501 §6.3.11: better to hear [TRYCREATE] before a long literal than after it; and [OVERQUOTA].
    // What goes to another's account is not written there before it is known to be allowed.
    const bool first =
        message.index == 0 && (message.synchronizing || message.catenate || IsForeign(begin_.mailbox));
    if (!refusal && (first || message.size > storage::StagedBody::kChunk)) {
      auto look = [&] { return LookAhead(first); };
      const auto possible = co_await session_.services().storage.Run(look);
      if (!possible) refusal = session_.Failed(possible.error(), Folder::kTarget);
    }
    if (refusal) {
      wire_.reader.Refuse();
      co_return refusal;
    }
    intake_.Begin(message);
    if (!message.catenate) Accept(message.synchronizing);
    co_return std::nullopt;
  }

  /// The same of a part that the client sends.
  asio::awaitable<std::optional<Reply>> Announce(const protocol::command::CatenateText& text) {
    auto refusal = intake_.failure();
    if (!refusal) refusal = TooLong(intake_.octets(), text.size);
    announced_ += text.size;
    if (!refusal && text.size > storage::StagedBody::kChunk) {
      auto look = [&] { return LookAhead(/*first=*/false); };
      const auto possible = co_await session_.services().storage.Run(look);
      if (!possible) refusal = session_.Failed(possible.error(), Folder::kTarget);
    }
    if (refusal) {
      wire_.reader.Refuse();
      co_return refusal;
    }
    Accept(text.synchronizing);
    co_return std::nullopt;
  }

  void Accept(bool synchronizing) {
    wire_.reader.Accept();
    if (synchronizing) protocol::WriteContinuation(wire_.out.text(), "Ready for literal data");
    receiving_ = !synchronizing;
    step_.Restart();
  }

  /// Copies what the URL names. What is wrong with it is told when the client can hear it: before its next
  /// literal, or at the end. A reply ends the command.
  asio::awaitable<std::optional<Reply>> Catenate(const std::string& url) {
    if (intake_.failure()) co_return std::nullopt;
    if (intake_.looked_into() >= session_.services().options.url_work) {
      intake_.Fail(TooMuchWork());
      co_return std::nullopt;
    }
    auto open = [&] { return intake_.Open(url); };
    const auto reader = co_await session_.services().storage.Run(open);
    // What is opened may be long, and nothing of it be copied.
    if (auto interruption = session_.Interruption()) co_return interruption;
    if (!reader) co_return std::nullopt;
    // As much as a literal may be, whatever it is read from, and all of a command together: few octets of a
    // client's would else have the server write without end.
    catenated_ += reader->left();
    auto refusal = TooLong(intake_.octets(), reader->left());
    if (!refusal) refusal = TooLong(0, catenated_);
    if (refusal) {
      intake_.Fail(*std::move(refusal));
      co_return std::nullopt;
    }
    announced_ += reader->left();
    auto look = [&] { return LookAhead(/*first=*/false); };
    const auto possible = co_await session_.services().storage.Run(look);
    if (!possible) {
      intake_.Fail(session_.Failed(possible.error(), Folder::kTarget));
      co_return std::nullopt;
    }
    auto copy = [&] { intake_.Copy(*reader); };
    while (reader->left() > 0 && !intake_.failure()) {
      co_await session_.services().storage.Run(copy);
      if (auto interruption = session_.Interruption()) co_return interruption;
    }
    step_.Restart();
    co_return std::nullopt;
  }

  static Reply TooMuchWork() {
    return No(ResponseCode::kLimit,
              "The URLs of one command may be looked for in so many octets of message/cpim only; name the "
              "CPIMs themselves, or take fewer at a time");
  }

  /// `octets` and `more` of one message.
  std::optional<Reply> TooLong(std::uint64_t octets, std::uint64_t more) const {
    const std::uint64_t limit = session_.services().options.append_limit;
    if (more <= limit && octets <= limit - more) return std::nullopt;
    return No(ResponseCode::kTooBig, "The message is longer than APPENDLIMIT");
  }

  /// Whether the store would take what was announced so far. Blocks.
  storage::Result<> LookAhead(bool first) {
    auto& store = session_.services().store;
    const auto place = intake_.FindPlace();
    if (!place) return tl::unexpected(place.error());
    if (first) {
      const auto folder = store.GetFolder(place->account, place->path, place->actor, storage::Right::kInsert);
      if (!folder) return tl::unexpected(folder.error());
    }
    if (replaced_) return {};  // what it takes counts less what goes: the commit will see
    return store.CheckRoom(place->account, announced_, messages_);
  }

  /// Which message it is that goes.
  std::optional<Reply> ResolveReplaced() {
    if (session_.state() != State::kSelected)
      return Bad("REPLACE needs a selected mailbox: SELECT one first");
    if (session_.uid_only() && begin_.replaces->numbers == protocol::NumberKind::kSequence)
      return UidRequired();
    const MailboxView& view = *session_.selected()->view;
    if (view.examined())
      return No(ResponseCode::kCannot, "The mailbox was opened with EXAMINE, which is read-only");
    const auto uids = Resolve(view, begin_.replaces->numbers, begin_.replaces->message);
    if (!uids) return uids.error();
    if (uids->empty()) return No(ResponseCode::kNonExistent, "There is no such message to replace");
    replaced_ = uids->front();
    return std::nullopt;
  }

  std::optional<Reply> RefusalOf(const protocol::command::AppendMessage& message) const {
    if (session_.state() == State::kNotAuthenticated) return Bad("APPEND needs a login first");
    if (session_.actor().role == storage::Role::kSubmit)
      return No(ResponseCode::kNoPerm, "An account of role submit may use URLFETCH only");
    if (intake_.failure()) return intake_.failure();
    if (message.catenate) return std::nullopt;
    if (message.size == 0) return No(ResponseCode::kCannot, "An empty message cancels APPEND");
    return TooLong(0, message.size);
  }

  asio::awaitable<void> Receive(std::string_view octets) {
    receiving_ = true;
    if (intake_.TakeInMemory(octets)) co_return;
    auto take = [&] { intake_.TakeBlocking(octets); };
    co_await session_.services().storage.Run(take);
  }

  asio::awaitable<Reply> Finish() {
    if (intake_.failure()) co_return *intake_.failure();
    auto append = [this]() -> storage::Result<storage::AppendResult> { return intake_.Commit(replaced_); };
    const auto done = co_await session_.services().storage.Run(append);
    if (intake_.failure()) co_return *intake_.failure();
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
  std::uint64_t messages_ = 0;
  std::uint64_t catenated_ = 0;  ///< octets that URLs name
  net::TransferDeadline step_;
};

}  // namespace

asio::awaitable<void> Session::ExecuteAppend(const protocol::command::AppendBegin& begin) {
  access_ = Access::kWrites;
  running_ = begin.replaces ? "REPLACE" : "APPEND";
  AppendCommand append(*this, begin);
  if (audit_) audit_->Begin(begin, selected_ ? &*selected_->view : nullptr);
  auto reply = co_await append.Run();
  if (!reply) co_return;  // the connection is over
  if (audit_) audit_->End(running_, *reply);
  const bool with_uid = begin.replaces && begin.replaces->numbers == protocol::NumberKind::kUid;
  co_await Conclude(begin.tag, *reply, ExpungePolicy::kAllowed, with_uid);
  running_ = {};
}

}  // namespace server::imap
