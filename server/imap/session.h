#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/imap/capability.h"
#include "protocol/imap/command/fetch.h"
#include "protocol/imap/command_reader.h"
#include "server/imap/audit.h"
#include "server/imap/contexts/contexts.h"
#include "server/imap/error_map.h"
#include "server/imap/fetch/plan.h"
#include "server/imap/notify/account_news.h"
#include "server/imap/notify/others_news.h"
#include "server/imap/services.h"
#include "server/imap/view/mailbox_view.h"
#include "server/imap/view/view_writer.h"
#include "server/imap/wire.h"
#include "server/net/listener.h"
#include "server/sessions/account_seats.h"

namespace server::imap {

struct CommandRow;
namespace notify {
class SnapshotRun;
}

/// RFC 3501 §3.
enum class State : std::uint8_t { kNotAuthenticated, kAuthenticated, kSelected, kLogout };

/// The selected folder: its news, and the view that takes them in.
///
/// Lifetime   on the heap, because the feed knows the inbox by its address. The order of the members ends the
///            subscription before the inbox.
struct SelectedFolder {
  /// `foreign`: it is in another's account.
  SelectedFolder(storage::FolderId folder, std::function<void()> wake, bool foreign)
      : inbox(folder, std::move(wake), foreign) {}

  ChangeInbox inbox;
  storage::ChangeFeed::Subscription subscription;
  std::optional<MailboxView> view;
  contexts::Contexts contexts;
};

/// What NOTIFY says of the selected mailbox, whichever that is (RFC 5465 §6.1).
struct SelectedWatch {
  Wanted wanted = Wanted::kNothing;
  bool expunges_at_once = false;  ///< else when a command allows them
  std::vector<protocol::FetchItem> new_message_items;
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
  ReportForm Form(bool with_uid) const {
    return {.uid = (with_uid || condstore_ || notifying()) && !uid_only_,
            .modseq = condstore_,
            .vanished = qresync_ || uid_only_,
            .uid_only = uid_only_};
  }

  /// From now on messages are named by UIDs only, in what the client says and in what it is told (RFC 9586).
  void EnableUidOnly() { uid_only_ = true; }
  bool uid_only() const { return uid_only_; }
  FetchForm fetch_form() const { return {.condstore = condstore_, .uid_only = uid_only_}; }

  /// From now on others' changes of METADATA entries are told (RFC 5464 §4.4), unless NOTIFY says what is.
  void EnableMetadata();

  /// What NOTIFY has said.
  struct Notification {
    std::shared_ptr<const notify::Filters> filters;  ///< nullptr: no mailbox but the selected one is watched
    std::unique_ptr<const SelectedWatch> selected;   ///< nullptr: NOTIFY NONE
    bool in_force = true;  ///< false: NOTIFY was not used, news come as RFC 3501 has it
    std::unique_ptr<notify::OthersNews> others{};  ///< nullptr: no mailbox of another user is watched
  };
  /// In force from now on; gives what was before.
  Notification Notify(Notification notification);
  /// NOTIFY was used: news are told when they come, and no others than it asked for (RFC 5465 §3.1).
  bool notifying() const { return notification_.in_force; }
  /// Of an account; nullptr: it is not watched.
  notify::AccountNews* NewsOf(storage::AccountId account) const;
  /// Others' mailboxes that this user may see; those of watched accounts as the news have told. Blocks.
  storage::Result<std::vector<storage::SharedFolder>> ListShared() const;
  /// What the client was told by NOTIFY SET STATUS is news no more.
  void ForgetTold(const notify::SnapshotRun& run);
  /// RFC 5465 §3.1: NOTIFY SET is also a NOOP, and one that tells everything, whatever was wanted before.
  asio::awaitable<void> TellAccumulated();
  /// Tells what NOTIFY asks for while no command is at work, or what there is in IDLE. False: call Push().
  bool PushFromMemory(ExpungePolicy policy);
  asio::awaitable<void> Push(ExpungePolicy policy);
  /// Between commands.
  ExpungePolicy PushedExpunges() const;
  /// The next news wake the connection. True: there are some already, nothing was armed.
  bool ArmNews();
  void DisarmNews();

  /// Tells the client what has happened to its folder and to its account; the only way to do so.
  /// `with_uid`: FETCH answers name the UID, as they must within UID commands (RFC 3501 §6.4.8).
  asio::awaitable<void> Sync(ExpungePolicy policy, bool with_uid);

  /// The same without a hop, if no hop is needed; false: call Sync().
  bool SyncFromMemory(ExpungePolicy policy, bool with_uid);

  /// From now on Dismissal() hears of the account. Before its status is looked at, so that nothing falls
  /// between the two.
  void Watch(const auth::Login& login);
  void Unwatch() {
    acting_ = {};
    news_.reset();
    actor_news_.reset();
  }
  /// `role` is that of who acts, in `account`; `seat` is the session's among those of the account.
  void LoggedIn(const storage::AccountInfo& account, storage::Role role, sessions::Seat seat);
  /// From now on the audit log has what a PF does here in others' accounts, if it is one.
  void WriteDown(const auth::Login& login);
  /// Who acts here for another's account, from Watch() on: whoever ends what a PF may no longer do finds also
  /// a login that is under way.
  struct Acting {
    storage::AccountId actor;  ///< 0: nobody does
    std::string account;       ///< the other's address
  };
  const Acting& acting() const { return acting_; }
  /// The command under way has got this message, which a URL named. Blocks; any thread on which the session
  /// is at work.
  void WriteDownUrl(storage::FolderRef folder, storage::Uid uid);
  /// As after the greeting, but for TLS (RFC 8437 §3).
  asio::awaitable<void> Unauthenticate();
  /// The BYE with which the session ends because its account was disabled or deleted, or an operator wants it
  /// to; whoever waits hears of it as Wire::Event::kNotified.
  std::optional<protocol::Reply> Dismissal() const;
  /// An operator ends the session: Dismissal().
  void Kick();
  bool kicked() const { return kicked_; }
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
  /// Its name; empty: none runs.
  std::string_view running() const { return running_; }
  const std::string& user() const { return user_; }
  storage::AccountId account() const { return account_; }
  /// Who acts here: the rules of the store depend on the role, and news of own changes are not echoed.
  storage::Actor actor() const { return {storage::Origin{info_.id}, role_}; }
  /// The same in the account of another, where the account's owner is a guest, whoever acts for them.
  /// REQUIRES: logged in.
  const storage::Principal& principal() const { return *principal_; }
  storage::Actor guest() const { return {storage::Origin{info_.id}, principal_}; }
  SelectedFolder* selected() { return selected_.get(); }
  const SelectedFolder* selected() const { return selected_.get(); }
  Wire& wire() { return wire_; }
  const Services& services() const { return services_; }
  const net::ConnectionInfo& info() const { return info_; }
  std::chrono::steady_clock::time_point connected() const { return connected_; }

  /// RFC 9208 leaves to the server who may SETQUOTA: Participating Functions, if the operator lets them, of
  /// the account that they act for. Owners may not raise their own limits, and operators do not log in here.
  bool MaySetQuota() const { return role_ == storage::Role::kPf && services_.options.pf_may_set_quota; }
  protocol::CapabilityContext Capabilities();
  /// By when the next octet must have come. `since`: when the command under way began, if one is.
  std::chrono::steady_clock::time_point ReadDeadline(
      std::optional<std::chrono::steady_clock::time_point> since) const;

 private:
  bool Admits(const protocol::TaggedCommand& command, const CommandRow& row);
  asio::awaitable<void> LearnUids();
  asio::awaitable<void> ReadAnew(MailboxView& view);
  /// Tells what has happened, then the tagged line.
  asio::awaitable<void> Conclude(std::string_view tag, protocol::Reply& reply, ExpungePolicy policy,
                                 bool with_uid);
  void TellKeysReset();
  void TellHighestModSeq(protocol::Reply& reply);
  bool TellLowerModSeq();
  /// False: that takes the store.
  bool TellNewsFromMemory();
  asio::awaitable<void> TellNews();
  void Overflow();
  /// The messages of the selected mailbox are told otherwise.
  void TellNewsOfSelected(storage::FolderRef folder);
  asio::awaitable<void> SendArrived();
  asio::awaitable<void> SendNew(std::vector<protocol::FetchItem> items, UidSet uids);
  void WantOfView();
  void Finish(std::string_view tag, const protocol::Reply& reply);
  void CountBad();
  bool IsOverTheStrangersShare();

  /// What has come since nobody was logged in.
  struct Stranger {
    std::uint32_t commands = 0;
    std::uint64_t octets_before = 0;  ///< that had come when it began
  };

  Wire& wire_;
  const Services& services_;
  const net::ConnectionInfo info_;
  std::chrono::steady_clock::time_point connected_;  ///< or when it was last logged out
  State state_ = State::kNotAuthenticated;
  storage::AccountId account_;
  storage::Role role_ = storage::Role::kUser;
  std::string user_;
  std::shared_ptr<const storage::Principal> principal_;  ///< whose account it is
  sessions::Seat seat_;
  std::string_view tag_;
  std::string_view running_;
  Access access_ = Access::kReads;  ///< of the command that is running
  std::size_t bad_commands_ = 0;
  Stranger stranger_;
  Upgrade upgrade_ = Upgrade::kNone;
  bool kicked_ = false;
  bool condstore_ = false;
  bool qresync_ = false;  ///< then `condstore_` as well
  bool uid_only_ = false;
  std::unique_ptr<Audit> audit_;  ///< null: what is done here is not written down
  Acting acting_;
  std::unique_ptr<notify::AccountNews> news_;
  std::unique_ptr<notify::AccountNews> actor_news_;  ///< if another account acts here
  Notification notification_{.filters = {}, .selected = {}, .in_force = false};
  std::unique_ptr<SelectedFolder> selected_;
};

}  // namespace server::imap
