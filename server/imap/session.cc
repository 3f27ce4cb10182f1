#include "server/imap/session.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "protocol/imap/limits.h"
#include "protocol/imap/reply.h"
#include "server/imap/command_table.h"
#include "server/imap/view/read_picture.h"
#include "server/net/tls_ends.h"

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

/// Else says why. Apart from Execute(), whose frame is part of what a session in IDLE costs.
bool Session::Admits(const protocol::TaggedCommand& command, const CommandRow& row) {
  if (state_ == State::kNotAuthenticated && IsOverTheStrangersShare()) {
    SayBye(protocol::Bye("Too many commands or octets without a login"));
    return false;
  }
  if (const auto refusal = WrongState(row, state_)) {
    Finish(command.tag, *refusal);
    return false;
  }
  if (role_ == storage::Role::kSubmit && !IsForSubmit(row)) {
    Finish(command.tag,
           protocol::No(ResponseCode::kNoPerm, "An account of role submit may use URLFETCH only"));
    return false;
  }
  if (uid_only_ && NamesNumbers(command.command)) {
    Finish(command.tag, UidRequired());
    return false;
  }
  return true;
}

asio::awaitable<void> Session::Execute(protocol::TaggedCommand& command) {
  const CommandRow& row = RowOf(command.command);
  if (!Admits(command, row)) co_return;
  tag_ = command.tag;
  running_ = row.name;
  access_ = row.access;
  const bool uid_form = IsUidForm(command.command);
  if (uid_form) {
    co_await LearnUids();
  } else if (state_ == State::kSelected) {
    // COPY, MOVE and STORE must know which of the messages that they name are gone (RFC 2180 §4). News that
    // were lost are read after the command.
    static_cast<void>(selected_->view->Absorb());
  }
  const bool audited = audit_ != nullptr && row.needs >= Needs::kLogin;
  if (audited) audit_->Begin(command.command, selected_ ? &*selected_->view : nullptr);
  Reply reply = co_await row.run(command.command, *this);
  if (audited) audit_->End(row.name, reply);
  const auto policy = MayTellExpunge(command.command) ? ExpungePolicy::kAllowed : ExpungePolicy::kForbidden;
  co_await Conclude(command.tag, reply, policy, uid_form);
  running_ = {};
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

asio::awaitable<void> Session::Conclude(std::string_view tag, Reply& reply, ExpungePolicy policy,
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
  const bool lower = TellLowerModSeq();
  if (view.deleted()) return;
  if (!lower && qresync_ && view.TakeExpunged()) {
    const ResponseCode code = ResponseCode::HighestModSeq{view.told()};
    if (reply.status == Reply::Status::kOk && reply.code == ResponseCode()) {
      reply.code = code;
    } else {
      protocol::WriteUntagged(wire_.out.text(), protocol::Ok(code, "Highest"));
    }
  }
}

/// RFC 7162 §3.2: what FETCH answers have shown is not how far the client is.
bool Session::TellLowerModSeq() {
  if (!condstore_ || state_ != State::kSelected) return false;
  MailboxView& view = *selected_->view;
  const storage::ModSeq shown = view.TakeShown();
  // Without QRESYNC it is the UIDs that tell of expunges, not the mod-sequence.
  const bool lower = !view.deleted() && shown > view.told() && (qresync_ || view.gone().empty());
  if (lower) {
    protocol::WriteUntagged(wire_.out.text(), protocol::Ok(ResponseCode::HighestModSeq{view.told()},
                                                           "Other changes are told of later"));
  }
  return lower;
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

bool Session::IsOverTheStrangersShare() {
  return ++stranger_.commands > protocol::limits::kCommandsBeforeLogin ||
         wire_.octets_received() - stranger_.octets_before > protocol::limits::kOctetsBeforeLogin;
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
  } else if (error.code == storage::Errc::kUnavailable || error.code == storage::Errc::kPartlyDone) {
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
  return Dismissal();
}

void Session::Kick() {
  kicked_ = true;
  wire_.stream().Notify();
}

std::optional<Reply> Session::Dismissal() const {
  if (kicked_) return protocol::Bye("An administrator has ended this session");
  const auto closed = [](const auto& news) { return news && news->closed(); };
  if (!closed(news_) && !closed(actor_news_)) return std::nullopt;
  return protocol::Bye(ResponseCode::kContactAdmin, "This account was disabled or deleted");
}

void Session::Watch(const auth::Login& login) {
  const auto account = login.account.id;
  const auto actor = login.actor.id;
  const auto news = [this](storage::AccountId id) {
    return std::make_unique<notify::AccountNews>(services_.store.feed(), id, storage::Origin{info_.id},
                                                 wire_.stream().waker());
  };
  news_ = news(account);
  if (actor == account) return;
  actor_news_ = news(actor);
  acting_ = {actor, login.account.address};
}

void Session::SayBye(const Reply& bye) {
  if (state_ == State::kLogout) return;
  state_ = State::kLogout;
  protocol::WriteUntagged(wire_.out.text(), bye);
}

bool Session::SyncFromMemory(ExpungePolicy policy, bool with_uid) {
  if (!TellNewsFromMemory()) return false;
  if (state_ != State::kSelected) return true;
  MailboxView& view = *selected_->view;
  if (view.Absorb() || (view.TellsCounts() && selected_->contexts.Concerned(view))) return false;
  TellKeysReset();
  ViewWriter writer(wire_.out.text(), view, Form(with_uid));
  // New messages concern contexts once they have numbers.
  return view.Report(policy, writer) && !view.has_arrived() &&
         !(view.TellsCounts() && selected_->contexts.Concerned(view));
}

/// RFC 4467 §7, RESETKEY.
void Session::TellKeysReset() {
  if (!selected_->view->TakeKeysReset()) return;
  protocol::WriteUntagged(wire_.out.text(),
                          protocol::Ok(ResponseCode::kUrlMech, "URLs authorized before are void"));
}

/// News were lost.
asio::awaitable<void> Session::ReadAnew(MailboxView& view) {
  auto read = [&] { return ReadPicture(services_.store, view.folder(), view.read_since(), view.actor()); };
  const auto picture = co_await services_.storage.Run(read);
  if (picture) {
    view.Adopt(*picture);
  } else {
    services_.log.error("event=resync_failed conn={} account={} detail=\"{}\"", info_.id, account_.value,
                        picture.error().detail);
  }
}

asio::awaitable<void> Session::Sync(ExpungePolicy policy, bool with_uid) {
  co_await TellNews();
  if (state_ != State::kSelected) co_return;
  MailboxView& view = *selected_->view;
  if (view.Absorb()) co_await ReadAnew(view);
  TellKeysReset();
  // RFC 5267 §4.3.3, §4.3.4: what leaves a result is told before EXPUNGE renumbers it, what comes after
  // EXISTS.
  // Without numbers nothing can come, and NOTIFY says that nothing is to be told.
  const bool results = view.TellsCounts();
  if (results) co_await selected_->contexts.BeforeReport(*this, view);
  for (;;) {
    ViewWriter writer(wire_.out.text(), view, Form(with_uid));
    if (view.Report(policy, writer)) break;
    const bool flushed = co_await wire_.out.Flush();
    if (!flushed) co_return;
  }
  if (results) co_await selected_->contexts.AfterReport(*this, view);
  co_await SendArrived();
}

void Session::LoggedIn(const storage::AccountInfo& account, storage::Role role, sessions::Seat seat) {
  state_ = State::kAuthenticated;
  seat_ = std::move(seat);
  account_ = account.id;
  role_ = role;
  user_ = account.address;
  principal_ = std::make_shared<const storage::Principal>(account.id, account.address, account.aliases);
  bad_commands_ = 0;
  wire_.reader.SetAuthenticated();
  wire_.reader.SetMetadataValueLimit(services_.options.metadata_value_limit);
}

void Session::WriteDown(const auth::Login& login) {
  audit_.reset();  // of whom UNAUTHENTICATE has left
  if (services_.audit == nullptr || login.actor.role != storage::Role::kPf) return;
  audit_ = std::make_unique<Audit>(*services_.audit, auth::Act{.connection = info_.id,
                                                               .peer = wire_.stream().peer(),
                                                               .actor = login.actor.address,
                                                               .account = login.account.address});
  audit_->End("LOGIN", protocol::Ok(""));
}

void Session::WriteDownUrl(storage::FolderRef folder, storage::Uid uid) {
  if (!audit_ || folder.account == account_) return;
  const auto owner = services_.store.GetAccount(folder.account);
  const auto there = services_.store.GetFolder(folder);
  // Even if the store is failing just now, it has given the message.
  audit_->Reads(owner ? owner->address : fmt::format("account {}", folder.account.value),
                there ? there->path : std::string(), uid);
}

asio::awaitable<void> Session::Unauthenticate() {
  co_await Deselect();
  Unwatch();
  state_ = State::kNotAuthenticated;
  account_ = {};
  role_ = storage::Role::kUser;
  user_.clear();
  principal_.reset();
  seat_.Leave();
  bad_commands_ = 0;
  stranger_ = {.commands = 0, .octets_before = wire_.octets_received()};
  condstore_ = qresync_ = uid_only_ = false;
  notification_ = {.filters = {}, .selected = {}, .in_force = false};
  connected_ = services_.clock.Now();  // as much time to log in again as the first time
  wire_.reader.SetNotAuthenticated();
}

void Session::Select(std::unique_ptr<SelectedFolder> folder) {
  selected_ = std::move(folder);
  state_ = State::kSelected;
  TellNewsOfSelected(selected_->view->folder());
  WantOfView();
}

asio::awaitable<void> Session::Deselect() {
  if (!selected_) co_return;
  const auto folder = std::move(selected_);
  if (state_ == State::kSelected) state_ = State::kAuthenticated;
  TellNewsOfSelected({});
  MailboxView& view = *folder->view;
  auto* news = NewsOf(view.folder().account);
  if (notifying() && state_ != State::kLogout && view.IsBehind() && !view.deleted() && news != nullptr) {
    auto read = [&] { return services_.store.GetFolder(view.folder()); };
    const auto status = co_await services_.storage.Run(read);
    if (status) news->NoteUntold(status->ref.folder, storage::SummaryOf(*status));
  }
  // What arrived while it was selected was \Recent here, so it is to no session after this one.
  if (view.read_only() || view.deleted() || !view.has_grown()) co_return;
  auto claim = [&] { return services_.store.OpenFolder(view.folder(), /*claim_recent=*/true, view.actor()); };
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
  context.scram = services_.authenticator.KnowsScramKeys();
  context.scram_without_tls = services_.options.scram_without_tls;
  context.scram_sha1 = services_.options.scram_sha1;
  context.oauth = services_.tokens != nullptr;
  if (context.tls && !context.authenticated) {
    const auto ends = wire_.stream().Ends();
    context.channel_binding = !ends.exporter.empty() || !ends.server_end_point.empty();
    context.external = ends.client_certificate || ends.psk_owner;
  }
  context.quota_set = MaySetQuota();
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
