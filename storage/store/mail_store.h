#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/kv/engine.h"
#include "storage/store/account.h"
#include "storage/store/annotation.h"
#include "storage/store/change_feed.h"
#include "storage/store/folder.h"
#include "storage/store/folder_names.h"
#include "storage/store/folder_reader.h"
#include "storage/store/id_lookup.h"
#include "storage/store/message.h"
#include "storage/store/profile.h"

namespace storage {

struct Event;     ///< storage/store/event.h
struct Recorded;  ///< likewise

struct StoreOptions {
  /// Wall clock; tests pass their own.
  std::function<std::chrono::system_clock::time_point()> now = [] {
    return std::chrono::system_clock::now();
  };
  std::uint32_t max_folders = 20'000;                     ///< per account; as many subscriptions
  std::uint64_t max_message_octets = 1U << 30;            ///< of one message
  std::uint64_t max_annotation_octets = 64 << 10;         ///< of one METADATA value
  std::uint32_t max_annotations = 100;                    ///< of a folder, or of the server for one account
  std::uint64_t max_account_annotation_octets = 4 << 20;  ///< names and values of an account
  std::chrono::milliseconds janitor_retry{1000};          ///< pause after background work that failed
  std::chrono::milliseconds reaper_look{1000};  ///< the reaper looks at the clock at least that often
  Profile profile;
  /// Told, in a sentence for the operator, of background work that was given up. Called on a thread of the
  /// store's.
  std::function<void(const std::string&)> note = [](const std::string&) {};
};

/// The store: accounts, folders, messages. Every front end calls these functions; no rule is written twice.
///
/// A call that returns a value has committed it: it is on stable storage (`OK` means durable), but for what
/// its comment excepts. A call that returns an error has changed nothing. Every committed change is published
/// on feed() before the call returns. Folder paths are canonical UTF-8 (protocol/model/mailbox_name.h).
///
/// Thread: any; calls block and belong on the storage pool. Writes of one account take their turns and share
/// a sync.
class MailStore {
 public:
  /// Recovers what a crash left behind (staged bodies, half-done steps), then serves. kCorruption: the store
  /// is damaged or of a newer version; `detail` says what and what to do. `engine` outlives the store.
  static Result<std::unique_ptr<MailStore>> Open(kv::Engine& engine, StoreOptions options);

  /// Waits for the janitor to finish its current step. No call may be running.
  ~MailStore();

  ChangeFeed& feed();
  kv::Engine& engine();

  // Accounts

  Result<AccountId> CreateAccount(const NewAccount& account);
  /// By canonical address or alias; nullopt if there is none (or it is being deleted).
  Result<std::optional<AccountInfo>> FindAccount(std::string_view address);
  Result<AccountInfo> GetAccount(AccountId account);
  /// In id order, at most `limit`, with ids above `after`.
  Result<std::vector<AccountInfo>> ListAccounts(AccountId after, std::size_t limit);
  Result<> SetPasswordHash(AccountId account, std::string hash);
  Result<> SetStatus(AccountId account, AccountStatus status);
  Result<> SetQuota(AccountId account, std::uint64_t octets, std::uint64_t messages);
  /// Gone for every later call when this returns; its rows are freed in the background.
  Result<> DeleteAccount(AccountId account);

  // Folders

  /// Makes missing superiors too (RFC 3501 §6.3.3).
  Result<FolderStatus> CreateFolder(AccountId account, std::string_view path, protocol::SpecialUse use,
                                    Actor actor = {});
  /// With inferiors the name stays, as \Noselect (RFC 3501 §6.3.4).
  Result<> DeleteFolder(AccountId account, std::string_view path, Actor actor = {});
  /// Inferiors follow; renaming INBOX moves its messages to a new folder and leaves it empty (RFC 3501
  /// §6.3.5).
  Result<> RenameFolder(AccountId account, std::string_view from, std::string_view to, Actor actor = {});
  /// All names in path order, which is: a parent before its inferiors.
  Result<std::vector<FolderEntry>> ListFolders(AccountId account);
  /// The same for LIST, without an allocation a name, and more; see FolderNames.
  Result<FolderNames> ReadNames(AccountId account, const NamesScope& scope);
  /// kNoSuchFolder also for \Noselect names.
  Result<FolderStatus> GetFolder(AccountId account, std::string_view path);
  Result<FolderStatus> GetFolder(FolderRef folder);
  /// For SELECT and EXAMINE. `claim_recent` (SELECT): later sessions will not see today's messages as
  /// \Recent; this alone is not synced, a crash may bring \Recent back.
  Result<OpenedFolder> OpenFolder(FolderRef folder, bool claim_recent);

  /// The name need not exist. (RFC 3501 §6.3.6 lets us check it; clients subscribe before they create.)
  Result<> Subscribe(AccountId account, std::string_view path, Actor actor = {});
  Result<> Unsubscribe(AccountId account, std::string_view path, Actor actor = {});
  Result<std::vector<std::string>> ListSubscriptions(AccountId account);

  // Annotations: METADATA (RFC 5464). `path` empty: the server's. `viewer`: whose the /private entries are.

  Result<AnnotationAnswer> GetAnnotations(AccountId account, std::string_view path,
                                          const AnnotationQuery& query, AccountId viewer);
  Result<AnnotationAnswer> GetAnnotations(FolderRef folder, const AnnotationQuery& query, AccountId viewer);
  /// All or none. kNoPermission, kNotAllowed: an entry that the store keeps itself (annotation_rules.h).
  /// kAnnotationTooBig, kTooManyAnnotations. What changes nothing is no news.
  Result<> SetAnnotations(AccountId account, std::string_view path,
                          const std::vector<AnnotationChange>& changes, AccountId viewer, Actor actor = {});

  // Messages

  Result<StagedBody> Stage(AccountId account);
  /// kOverQuota: Append would refuse as much as this now. For before the octets are taken; one point read.
  Result<> CheckRoom(AccountId account, std::uint64_t octets, std::uint64_t messages);
  /// All or none (RFC 3502 §6.3.11). kNoSuchFolder: the client may CREATE and try again. A message with an
  /// expiry, or appended by the network with an Expires header, is temporary (storage/README.md).
  Result<AppendResult> Append(AccountId account, std::string_view path, std::vector<NewMessage> messages,
                              Actor actor = {});
  /// Expunges a message and appends another in one change; the quota sees what remains (RFC 8508 §3.4).
  /// kNoSuchMessage: the one to be replaced is gone, and nothing was appended.
  Result<AppendResult> Replace(FolderRef from, Uid replaced, std::string_view path, NewMessage message,
                               Actor actor = {});
  /// Makes one object of an event, in the folder of its conversation or session, which is made if it is
  /// missing and found again where its owner has moved it (record.cc). An event that the account has already,
  /// by its identifier and direction, is not recorded once more. kInvalidArgument, kTooBig: the event cannot
  /// be an object; `detail` names the field.
  Result<Recorded> Record(AccountId account, Event event, Actor actor = {});
  /// UIDs that are not there are passed over. A change that changes nothing has no modseq. New keywords are
  /// added to the folder's table: kTooManyKeywords if it is full (then nothing is changed).
  /// `unchanged_since`: messages with a higher modseq are left alone, as of the same moment; 0 asks that none
  /// of the flags exists, where the five system flags always do (RFC 7162 §3.1.3).
  Result<StoreResult> UpdateFlags(FolderRef folder, const UidSet& uids, const protocol::FlagChange& change,
                                  Actor actor = {}, std::optional<ModSeq> unchanged_since = std::nullopt);
  /// Removes the messages with \Deleted, among `only` if given; the UIDs removed.
  Result<UidSet> Expunge(FolderRef folder, const std::optional<UidSet>& only, Actor actor = {});
  /// All or none; flags and internal date are kept (RFC 3501 §6.4.7). Missing UIDs are passed over.
  Result<CopyResult> Copy(FolderRef folder, const UidSet& uids, std::string_view target, Actor actor = {});
  /// RFC 6851; all or none within one account.
  Result<CopyResult> Move(FolderRef folder, const UidSet& uids, std::string_view target, Actor actor = {});

  /// In all folders; see FindById in storage/store/id_lookup.h, which also works within a change.
  Result<std::vector<FoundMessage>> FindById(AccountId account, IdKind kind, std::string_view value);
  /// The owner reads what is in these messages: those that are temporary stay (spec note 6). To be committed
  /// before their octets are given out.
  Result<> NoteAccess(FolderRef folder, const UidSet& uids, Actor actor);

  /// A consistent view for reading; see FolderReader.
  Result<FolderReader> Read(FolderRef folder);

  /// Reads what is stored of one object; `account` is the object's. What is there now can be read as long as
  /// the source lives, whatever is expunged meanwhile.
  std::unique_ptr<protocol::mime::Source> OpenBody(AccountId account, ObjectId object, std::uint64_t size);

  /// Waits until the background work that is known now is done. For tests and tools.
  void DrainJanitor();

  /// Looks at the clock now, and waits until all that is due has been expunged. For tests and tools.
  void ReapDue();

  struct Core;  ///< storage/store/core.h

 private:
  friend class StagedBody;
  explicit MailStore(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace storage
