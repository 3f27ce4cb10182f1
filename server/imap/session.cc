#include "server/imap/session.h"

#include <spdlog/spdlog.h>

#include "protocol/imap/reply.h"
#include "protocol/imap/write/metadata.h"
#include "server/imap/command_table.h"
#include "server/imap/view/read_picture.h"

namespace server::imap {

using protocol::Bad;
using protocol::Reply;
using protocol::ResponseCode;

namespace {

/// Why the command may not be given now; nullopt: it may.
std::optional<Reply> WrongState(const CommandRow& row, State state) {
  const bool no_login = state == State::kNotAuthenticated;
  const std::string name(row.name);
  switch (row.needs) {
    case Needs::kAnything: return std::nullopt;
    case Needs::kNoLogin:
      if (!no_login) return Bad(name + " is not possible after login");
      return std::nullopt;
    case Needs::kLogin:
      if (no_login) return Bad(name + " needs a login first");
      return std::nullopt;
    case Needs::kFolder:
      if (no_login) return Bad(name + " needs a login first");
      if (state != State::kSelected) return Bad(name + " needs a selected mailbox: SELECT one first");
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Session::Session(Wire& wire, const net::ConnectionInfo& info, const Services& services)
    : wire_(wire), services_(services), info_(info), connected_(services.clock.Now()) {}

asio::awaitable<void> Session::Execute(protocol::TaggedCommand& command) {
  const CommandRow& row = RowOf(command.command);
  if (const auto refusal = WrongState(row, state_)) {
    Finish(command.tag, *refusal);
    co_return;
  }
  tag_ = command.tag;
  access_ = row.access;
  const bool uid_form = IsUidForm(command.command);
  if (uid_form) {
    co_await LearnUids();
  } else if (state_ == State::kSelected) {
    // COPY, MOVE and STORE must know which of the messages that they name are gone (RFC 2180 §4). News that
    // were lost are read after the command.
    static_cast<void>(selected_->view->Absorb());
  }
  Reply reply = co_await row.run(command.command, *this);
  const auto policy = MayTellExpunge(command.command) ? ExpungePolicy::kAllowed : ExpungePolicy::kForbidden;
  co_await Conclude(command.tag, std::move(reply), policy, uid_form);
}

/// A UID that the client learnt elsewhere (APPENDUID) is known here from now on. What has become of flags is
/// told after the command: before it, the client could not tell whether a silent STORE is counted in.
asio::awaitable<void> Session::LearnUids() {
  if (state_ != State::kSelected) co_return;
  MailboxView& view = *selected_->view;
  if (view.Absorb()) co_await ReadAnew(view);
  ViewWriter writer(wire_.out.text(), view, Form(/*with_uid=*/true));
  view.ReportArrivals(writer);
}

asio::awaitable<void> Session::Conclude(std::string_view tag, Reply reply, ExpungePolicy policy,
                                        bool with_uid) {
  if (!SyncFromMemory(policy, with_uid)) co_await Sync(policy, with_uid);
  TellHighestModSeq(reply);
  Finish(tag, reply);
}

/// RFC 7162 §3.2, §3.2.7 and §6: once VANISHED has told of expunges the client learns how far it is now;
/// while it may not be told of something, that it is not as far as the mod-sequences that it sees in FETCH
/// answers.
void Session::TellHighestModSeq(Reply& reply) {
  if (!condstore_ || state_ != State::kSelected) return;
  MailboxView& view = *selected_->view;
  const storage::ModSeq shown = view.TakeShown();
  if (view.deleted()) return;
  const ResponseCode code = ResponseCode::HighestModSeq{view.told()};
  // Without QRESYNC it is the UIDs that tell of expunges, not the mod-sequence.
  if (shown > view.told() && (qresync_ || view.gone().empty())) {
    protocol::WriteUntagged(wire_.out.text(), protocol::Ok(code, "Other changes are told of later"));
  } else if (qresync_ && view.TakeExpunged()) {
    if (reply.status == Reply::Status::kOk && reply.code == ResponseCode()) {
      reply.code = code;
    } else {
      protocol::WriteUntagged(wire_.out.text(), protocol::Ok(code, "Highest"));
    }
  }
}

void Session::EnableCondstore() {
  if (std::exchange(condstore_, true) || state_ != State::kSelected) return;
  protocol::WriteUntagged(wire_.out.text(), protocol::Ok(ResponseCode::HighestModSeq{selected_->view->told()},
                                                         "CONDSTORE is now enabled"));
}

void Session::EnableQresync() {
  EnableCondstore();
  qresync_ = true;
}

void Session::Finish(std::string_view tag, const Reply& reply) {
  if (reply.status == Reply::Status::kBye) return SayBye(reply);
  protocol::WriteTagged(wire_.out.text(), tag, reply);
  if (reply.status == Reply::Status::kBad) {
    CountBad();
  } else if (state_ != State::kNotAuthenticated) {
    bad_commands_ = 0;
  }
}

void Session::Reject(const protocol::BadCommand& bad) {
  if (bad.tag.empty()) {
    protocol::WriteUntagged(wire_.out.text(), bad.reply);
  } else {
    protocol::WriteTagged(wire_.out.text(), bad.tag, bad.reply);
  }
  if (bad.fatal) return SayBye(protocol::Bye("The input cannot be followed any further"));
  CountBad();
}

void Session::CountBad() {
  const auto& options = services_.options;
  const std::size_t limit =
      state_ == State::kNotAuthenticated ? options.bad_commands_before_login : options.bad_commands;
  if (++bad_commands_ >= limit) SayBye(protocol::Bye("Too many bad commands"));
}

Reply Session::Failed(const storage::Error& error, Folder folder) const {
  if (error.code == storage::Errc::kCorruption) {
    services_.log.critical("event=store_damaged conn={} account={} detail=\"{}\"", info_.id, account_.value,
                           error.detail);
  } else if (error.code == storage::Errc::kUnavailable) {
    services_.log.error("event=store_unavailable conn={} account={} detail=\"{}\"", info_.id, account_.value,
                        error.detail);
  }
  return ReplyFor(error, access_, folder);
}

std::optional<Reply> Session::Interruption() const {
  const net::Stream& stream = wire_.stream();
  if (stream.shutting_down()) {
    return protocol::Bye(ResponseCode::kUnavailable, "Server is shutting down");
  }
  if (stream.PeerHasLeft()) return protocol::Bye("The client has left");
  return AccountGone();
}

std::optional<Reply> Session::AccountGone() const {
  const auto closed = [](const auto& watch) { return watch && watch->closed(); };
  if (!closed(watch_) && !closed(actor_watch_)) return std::nullopt;
  return protocol::Bye(ResponseCode::kContactAdmin, "This account was disabled or deleted");
}

void Session::Watch(storage::AccountId account, storage::AccountId actor) {
  const auto watch = [this](storage::AccountId id) {
    return std::make_unique<AccountWatch>(services_.store.feed(), id, wire_.stream().waker());
  };
  watch_ = watch(account);
  if (actor != account) actor_watch_ = watch(actor);
}

void Session::SayBye(const Reply& bye) {
  if (state_ == State::kLogout) return;
  state_ = State::kLogout;
  protocol::WriteUntagged(wire_.out.text(), bye);
}

void Session::EnableMetadata() {
  if (metadata_) return;
  metadata_ = std::make_unique<MetadataNews>(services_.store.feed(), account_, actor().origin,
                                             wire_.stream().waker());
}

void Session::ReportMetadata() {
  if (!metadata_ || state_ == State::kLogout) return;
  for (const auto& changed : metadata_->Take())
    protocol::write::MetadataChangedLine(wire_.out.text(), changed.path, changed.entries);
}

bool Session::SyncFromMemory(ExpungePolicy policy, bool with_uid) {
  ReportMetadata();
  if (state_ != State::kSelected) return true;
  MailboxView& view = *selected_->view;
  if (view.Absorb()) return false;
  ViewWriter writer(wire_.out.text(), view, Form(with_uid));
  return view.Report(policy, writer);
}

/// News were lost.
asio::awaitable<void> Session::ReadAnew(MailboxView& view) {
  auto read = [&] { return ReadPicture(services_.store, view.folder(), view.modseq()); };
  const auto picture = co_await services_.storage.Run(read);
  if (picture) {
    view.Adopt(*picture);
  } else {
    services_.log.error("event=resync_failed conn={} account={} detail=\"{}\"", info_.id, account_.value,
                        picture.error().detail);
  }
}

asio::awaitable<void> Session::Sync(ExpungePolicy policy, bool with_uid) {
  if (state_ != State::kSelected) co_return;
  MailboxView& view = *selected_->view;
  if (view.Absorb()) co_await ReadAnew(view);
  for (;;) {
    ViewWriter writer(wire_.out.text(), view, Form(with_uid));
    if (view.Report(policy, writer)) co_return;
    const bool flushed = co_await wire_.out.Flush();
    if (!flushed) co_return;
  }
}

void Session::LoggedIn(const storage::AccountInfo& account, storage::Role role) {
  state_ = State::kAuthenticated;
  account_ = account.id;
  role_ = role;
  user_ = account.address;
  bad_commands_ = 0;
  wire_.reader.SetAuthenticated();
  wire_.reader.SetMetadataValueLimit(services_.options.metadata_value_limit);
}

void Session::Select(std::unique_ptr<SelectedFolder> folder) {
  selected_ = std::move(folder);
  state_ = State::kSelected;
}

asio::awaitable<void> Session::Deselect() {
  if (!selected_) co_return;
  const auto folder = std::move(selected_);
  if (state_ == State::kSelected) state_ = State::kAuthenticated;
  const MailboxView& view = *folder->view;
  // What arrived while it was selected was \Recent here, so it is to no session after this one.
  if (view.read_only() || view.deleted() || !view.has_grown()) co_return;
  auto claim = [&] { return services_.store.OpenFolder(view.folder(), /*claim_recent=*/true); };
  const auto claimed = co_await services_.storage.Run(claim);
  if (!claimed) {
    services_.log.debug("event=recent_not_claimed conn={} detail=\"{}\"", info_.id, claimed.error().detail);
  }
}

protocol::CapabilityContext Session::Capabilities() {
  protocol::CapabilityContext context;
  context.tls = wire_.stream().secure();
  context.authenticated = state_ != State::kNotAuthenticated;
  context.starttls_available =
      services_.tls != nullptr && !context.tls && info_.tls == net::TlsMode::kStartTls;
  context.plaintext_login = services_.options.plaintext_login_on_loopback && info_.loopback;
  context.append_limit = services_.options.append_limit;
  return context;
}

std::chrono::steady_clock::time_point Session::ReadDeadline(
    std::optional<std::chrono::steady_clock::time_point> since) const {
  const auto& options = services_.options;
  if (state_ == State::kNotAuthenticated) return connected_ + options.login_limit;
  if (since) return *since + options.command_limit;
  return services_.clock.Now() + options.idle_limit;
}

}  // namespace server::imap
