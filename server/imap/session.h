#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/imap/capability.h"
#include "protocol/imap/command_reader.h"
#include "server/imap/account_watch.h"
#include "server/imap/error_map.h"
#include "server/imap/services.h"
#include "server/imap/view/mailbox_view.h"
#include "server/imap/view/metadata_news.h"
#include "server/imap/view/view_writer.h"
#include "server/imap/wire.h"
#include "server/net/listener.h"

namespace server::imap {

/// RFC 3501 §3.
enum class State : std::uint8_t { kNotAuthenticated, kAuthenticated, kSelected, kLogout };

/// The selected folder: its news, and the view that takes them in.
///
/// Lifetime   on the heap, because the feed knows the inbox by its address. The order of the members ends the
///            subscription before the inbox.
struct SelectedFolder {
  SelectedFolder(storage::FolderId folder, std::function<void()> wake) : inbox(folder, std::move(wake)) {}

  ChangeInbox inbox;
  storage::ChangeFeed::Subscription subscription;
  std::optional<MailboxView> view;
};

/// What one connection is to the protocol: its state, its account, its folder. Runs one command at a time;
/// after each, and before its tagged line, the view reports what the command's row allows.
///
/// Lifetime   one connection; `wire` and `services` outlive it.
/// Thread     the connection's.
class Session {
 public:
  Session(Wire& wire, const net::ConnectionInfo& info, const Services& services);

  /// Runs the command and writes its whole answer.
  asio::awaitable<void> Execute(protocol::TaggedCommand& command);
  /// Runs an APPEND whose first step has been read (commands/append.cc).
  asio::awaitable<void> ExecuteAppend(const protocol::command::AppendBegin& begin);
  /// Answers what was no command.
  void Reject(const protocol::BadCommand& bad);

  /// From now on FETCH answers that were not asked for tell UID and MODSEQ (RFC 7162 §3.1, §3.2.4). The first
  /// time a selected folder's HIGHESTMODSEQ is told, before what the command itself answers.
  void EnableCondstore();
  /// And VANISHED stands for EXPUNGE (RFC 7162 §3.2.3).
  void EnableQresync();
  bool condstore() const { return condstore_; }
  bool qresync() const { return qresync_; }
  /// How changes are told; `with_uid`: within a UID command.
  ReportForm Form(bool with_uid) const { return {with_uid || condstore_, condstore_, qresync_}; }

  /// From now on others' changes of METADATA entries are told (RFC 5464 §4.4).
  void EnableMetadata();
  /// nullptr: not enabled.
  MetadataNews* metadata() { return metadata_.get(); }

  /// Tells the client what has happened to its folder and to METADATA entries; the only way to do so.
  /// `with_uid`: FETCH answers name the UID, as they must within UID commands (RFC 3501 §6.4.8).
  asio::awaitable<void> Sync(ExpungePolicy policy, bool with_uid);

  /// The same without a hop, if no hop is needed; false: call Sync().
  bool SyncFromMemory(ExpungePolicy policy, bool with_uid);

  /// From now on AccountGone() hears of the account. Before its status is looked at, so that nothing falls
  /// between the two.
  void Watch(storage::AccountId account, storage::AccountId actor);
  void Unwatch() {
    watch_.reset();
    actor_watch_.reset();
  }
  /// `role` is that of who acts, in `account`.
  void LoggedIn(const storage::AccountInfo& account, storage::Role role);
  /// The BYE with which the session ends because its account was disabled or deleted; whoever waits hears of
  /// it as Wire::Event::kNotified.
  std::optional<protocol::Reply> AccountGone() const;
  void Select(std::unique_ptr<SelectedFolder> folder);
  /// Forgets the folder, without expunging. Messages that were \Recent to this session are so to no later
  /// one.
  asio::awaitable<void> Deselect();
  /// What the connection becomes after the command's tagged line.
  enum class Upgrade : std::uint8_t { kNone, kTls, kCompression };
  void Request(Upgrade upgrade) { upgrade_ = upgrade; }
  Upgrade TakeUpgrade() { return std::exchange(upgrade_, Upgrade::kNone); }
  /// What the client is told of a store's failure (error_map.h), after what an administrator must know has
  /// been logged. Any thread on which the session is at work.
  protocol::Reply Failed(const storage::Error& error, Folder folder = Folder::kNamed) const;
  /// The BYE with which a long command ends before its time, asked for between its steps: the server stops,
  /// the client has left, or the account is gone. nullopt: go on.
  std::optional<protocol::Reply> Interruption() const;
  /// Ends the session: untagged BYE, nothing after it but the command's tagged line.
  void SayBye(const protocol::Reply& bye);

  State state() const { return state_; }
  /// Of the command that is running.
  std::string_view tag() const { return tag_; }
  const std::string& user() const { return user_; }
  storage::AccountId account() const { return account_; }
  /// Who acts here: the rules of the store depend on the role, and news of own changes are not echoed.
  storage::Actor actor() const { return {storage::Origin{info_.id}, role_}; }
  SelectedFolder* selected() { return selected_.get(); }
  Wire& wire() { return wire_; }
  const Services& services() const { return services_; }
  const net::ConnectionInfo& info() const { return info_; }

  protocol::CapabilityContext Capabilities();
  /// By when the next octet must have come. `since`: when the command under way began, if one is.
  std::chrono::steady_clock::time_point ReadDeadline(
      std::optional<std::chrono::steady_clock::time_point> since) const;

 private:
  asio::awaitable<void> LearnUids();
  asio::awaitable<void> ReadAnew(MailboxView& view);
  /// Tells what has happened, then the tagged line.
  asio::awaitable<void> Conclude(std::string_view tag, protocol::Reply reply, ExpungePolicy policy,
                                 bool with_uid);
  void TellHighestModSeq(protocol::Reply& reply);
  void Finish(std::string_view tag, const protocol::Reply& reply);
  void CountBad();
  void ReportMetadata();

  Wire& wire_;
  const Services& services_;
  const net::ConnectionInfo info_;
  const std::chrono::steady_clock::time_point connected_;
  State state_ = State::kNotAuthenticated;
  storage::AccountId account_;
  storage::Role role_ = storage::Role::kUser;
  std::string user_;
  std::string_view tag_;
  Access access_ = Access::kReads;  ///< of the command that is running
  std::size_t bad_commands_ = 0;
  Upgrade upgrade_ = Upgrade::kNone;
  bool condstore_ = false;
  bool qresync_ = false;  ///< then `condstore_` as well
  std::unique_ptr<AccountWatch> watch_;
  std::unique_ptr<AccountWatch> actor_watch_;  ///< if another account acts here
  std::unique_ptr<MetadataNews> metadata_;
  std::unique_ptr<SelectedFolder> selected_;
};

}  // namespace server::imap
