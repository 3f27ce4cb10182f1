#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/kv/engine.h"
#include "storage/store/account.h"
#include "storage/store/account_changes.h"
#include "storage/store/annotation.h"
#include "storage/store/change_feed.h"
#include "storage/store/folder.h"
#include "storage/store/folder_names.h"
#include "storage/store/folder_reader.h"
#include "storage/store/id_lookup.h"
#include "storage/store/message.h"
#include "storage/store/profile.h"
#include "storage/store/reference.h"
#include "storage/store/shared_folders.h"

namespace storage {

struct Event;     ///< storage/store/event.h
struct Recorded;  ///< likewise

/// What a list could give to somebody (RFC 4314 §3.4); each right by itself.
struct GrantableRights {
  protocol::Rights always;
  protocol::Rights optional;
};

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
  std::uint32_t max_references = 10'000;          ///< that an account has at once; as many are remembered
  std::chrono::milliseconds janitor_retry{1000};  ///< pause after background work that failed
  std::chrono::milliseconds reaper_look{1000};    ///< the reaper looks at the clock at least that often
  Profile profile;
  /// Told, in a sentence for the operator, of background work that was given up. Called on a thread of the
  /// store's.
  std::function<void(const std::string&)> note = [](const std::string&) {};
};

/// The store: accounts, folders, messages. Every front end calls these functions; no rule is written twice.
///
/// A call that returns a value has committed it: it is on stable storage (`OK` means durable), but for what
/// its comment excepts. A call that returns an error but kPartlyDone has changed nothing. Every committed
/// change is published on feed() before the call returns. Folder paths are canonical UTF-8
/// (protocol/model/mailbox_name.h).
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
  /// 32 octets, made at random when they are first asked for under this name; the same ever after.
  Result<std::string> Secret(std::string_view name);

  // Accounts

  Result<AccountId> CreateAccount(const NewAccount& account);
  /// By canonical address or alias; nullopt if there is none (or it is being deleted).
  Result<std::optional<AccountInfo>> FindAccount(std::string_view address);
  Result<AccountInfo> GetAccount(AccountId account);
  /// In id order, at most `limit`, with ids above `after`.
  Result<std::vector<AccountInfo>> ListAccounts(AccountId after, std::size_t limit);
  Result<> SetPasswordHash(AccountId account, std::string hash);
  Result<> SetStatus(AccountId account, AccountStatus status);
  /// Limits that are not named are taken away (RFC 9208 §4.1.3). What the account holds stays, also above
  /// them. kInvalidArgument: above kMaxQuota.
  Result<> SetQuota(AccountId account, const QuotaLimits& limits);
  /// The same of some of them, by what `change` makes of those there are.
  Result<> ChangeQuota(AccountId account, const std::function<void(QuotaLimits&)>& change);
  Result<Quota> GetQuota(AccountId account);
  /// Adds patterns of addresses that this account of role pf may act for (server/auth/act_for.h), and takes
  /// others away; all or none. Those it has then. kInvalidArgument: of another role, no pattern, or none of
  /// its patterns; kLimit.
  Result<std::vector<std::string>> ChangeActFor(AccountId account, const std::vector<std::string>& allow,
                                                const std::vector<std::string>& revoke);
  /// What has changed after `since`, in one pass over the folders' rows; none if nothing has.
  Result<AccountChanges> ChangesSince(AccountId account, ModSeq since);
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
  /// What LIST tells of one name; `named` is false if there is none. `path` lives as long as the answer.
  Result<FolderName> FindName(AccountId account, std::string_view path);
  /// kNoSuchFolder also for \Noselect names.
  /// `needed`: what the actor wants to do with it.
  Result<FolderStatus> GetFolder(AccountId account, std::string_view path, const Actor& actor = {},
                                 protocol::Right needed = protocol::Right::kRead,
                                 const StatusCounts& counts = {});
  Result<FolderStatus> GetFolder(FolderRef folder, const StatusCounts& counts = {});
  /// For SELECT and EXAMINE. `claim_recent` (SELECT): later sessions will not see today's messages as
  /// \Recent; this alone is not synced, a crash may bring \Recent back.
  Result<OpenedFolder> OpenFolder(FolderRef folder, bool claim_recent, const Actor& actor = {});

  /// The name need not exist. (RFC 3501 §6.3.6 lets us check it; clients subscribe before they create.)
  Result<> Subscribe(AccountId account, std::string_view path, Actor actor = {});
  Result<> Unsubscribe(AccountId account, std::string_view path, Actor actor = {});
  Result<std::vector<std::string>> ListSubscriptions(AccountId account);

  // Annotations: METADATA (RFC 5464). `path` empty: the server's. `viewer`: whose the /private entries are.

  Result<AnnotationAnswer> GetAnnotations(AccountId account, std::string_view path,
                                          const AnnotationQuery& query, AccountId viewer,
                                          const Actor& actor = {});
  Result<AnnotationAnswer> GetAnnotations(FolderRef folder, const AnnotationQuery& query, AccountId viewer,
                                          const Actor& actor = {});
  /// All or none. kNoPermission, kNotAllowed: an entry that the store keeps itself (annotation_rules.h).
  /// kAnnotationTooBig, kTooManyAnnotations. What changes nothing is no news.
  Result<> SetAnnotations(AccountId account, std::string_view path,
                          const std::vector<AnnotationChange>& changes, AccountId viewer, Actor actor = {});

  // Access control lists (RFC 4314): who else may do what with a folder. Who decides it is rights.h; what is
  // refused there is kNoPermission, or kNoSuchFolder for who must not know that there is one. `identifier` is
  // as a client writes it: kInvalidArgument.

  /// kNotAllowed: the profile does not let this be shared (so). kLimit: too many identifiers. The owner keeps
  /// what they need to change it again.
  Result<> SetAcl(AccountId account, std::string_view path, std::string_view identifier,
                  const protocol::RightsChange& change, const Actor& actor = {});
  Result<> DeleteAcl(AccountId account, std::string_view path, std::string_view identifier,
                     const Actor& actor = {});
  /// The owner's entry first, which is there also if the list has none.
  Result<std::vector<schema::AclEntry>> GetAcl(AccountId account, std::string_view path,
                                               const Actor& actor = {});
  Result<GrantableRights> ListRights(AccountId account, std::string_view path, std::string_view identifier,
                                     const Actor& actor = {});
  /// The actor's own, without those that the model leaves to nobody there.
  Result<protocol::Rights> MyRights(AccountId account, std::string_view path, const Actor& actor = {});
  /// The same of many of an account's own names: in their order, none for names without a folder. While they
  /// hold their view.
  Result<std::vector<protocol::Rights>> ReadRights(const FolderNames& names, const Actor& actor = {});
  /// Others' folders that they may see, account by account. What has been given this moment may be missing
  /// while the call that gives it has not returned, but for what `watched` accounts give: all of that is
  /// found that the change feed has told.
  Result<std::vector<SharedFolder>> ListShared(const Principal& guest,
                                               std::span<const AccountId> watched = {});

  // URLs that are good without a password (RFC 4467). What the keys do is the front ends' to say; whoever is
  // given one keeps it to himself.

  /// The folder's key. If it has none, `fresh` becomes it: 32 octets that nobody can guess.
  Result<std::string> UrlKey(FolderRef folder, std::string_view fresh);
  /// The same of a folder that has one; nullopt: it has none, or is gone.
  Result<std::optional<std::string>> KnownUrlKey(FolderRef folder);
  /// Visits the folders with a key that have this path, or had it when they had that key already; the former
  /// first, the latter looked for if `visit` says true to go on. None also if the account is gone.
  Result<> FindKeyed(AccountId account, std::string_view path,
                     const std::function<bool(const KeyedFolder&)>& visit);
  /// The folder's own; nullopt: it has none, or is gone.
  Result<std::optional<KeyedFolder>> FindUrlKey(FolderRef folder);
  /// A new key in place of the one there was, if any.
  Result<> ResetUrlKey(AccountId account, std::string_view path, std::string_view fresh, Actor actor = {});
  /// Away with all keys of the account, in several commits, each of which is published. kPartlyDone: some
  /// were made; who asks again has the rest done.
  Result<> ResetUrlKeys(AccountId account, Actor actor = {});

  // References to stored data (System Description §5.5.2.19). Who may have what by them is
  // server/references'.

  /// Issues one for each row, whose `created` is now: all or none, at most kMaxReferencesAtOnce.
  /// kNoSuchMessage: a message is not there. kLimit: the account has too many.
  Result<std::vector<Reference>> AddReferences(AccountId account, std::vector<schema::ReferenceRow> rows);
  Result<std::optional<Reference>> FindReference(AccountId account, std::uint64_t id);
  /// Somebody is about to get the data of all of them: they are counted, in one change, each once. Or none
  /// is, and one that does not stand is named: it is not there, revoked, over, or for one time that has been.
  /// Of two who come at once for that time one gets it. The count of others alone is not synced.
  Result<std::optional<std::uint64_t>> NoteFetches(AccountId account, const std::vector<std::uint64_t>& ids);
  /// Nothing came of what NoteFetches() has counted: it has not been.
  Result<> TakeBackFetches(AccountId account, const std::vector<std::uint64_t>& ids);
  /// One that is not there, or is revoked, stays so. It counts no more.
  Result<> RevokeReference(AccountId account, std::uint64_t id);
  /// In the order of ids, from above `after`, at most `limit`. Of messages that are on their way out too.
  Result<std::vector<Reference>> ListReferences(AccountId account, std::uint64_t after, std::size_t limit);
  /// False also if the folder is gone.
  Result<bool> IsThere(FolderRef folder, Uid uid);

  // Messages

  Result<StagedBody> Stage(AccountId account);
  /// kOverQuota: Append would refuse as much as this now. For before the octets are taken; one point read.
  Result<> CheckRoom(AccountId account, std::uint64_t octets, std::uint64_t messages);
  /// All or none (RFC 3502 §6.3.11). kNoSuchFolder: the client may CREATE and try again. A message with an
  /// expiry, or appended by the network with an Expires header, is temporary (storage/README.md).
  Result<AppendResult> Append(AccountId account, std::string_view path, std::vector<NewMessage> messages,
                              Actor actor = {});
  /// Append() of one message, unless the folder has it already, with an IMDN-Message-ID: who asks again, as
  /// no answer came, finds what came in the first time.
  Result<AppendResult> AppendOnce(AccountId account, std::string_view path, NewMessage message,
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
  /// Into another account, where `there` is who acts; all or none there. A MOVE is then a change here and
  /// another there: between the two a message is in both, and never in none. kLimit: more than one commit
  /// takes.
  Result<CopyResult> CopyAcross(FolderRef from, const UidSet& uids, const Actor& actor, AccountId to,
                                std::string_view path, const Actor& there);
  Result<CopyResult> MoveAcross(FolderRef from, const UidSet& uids, const Actor& actor, AccountId to,
                                std::string_view path, const Actor& there);

  /// In all folders; see FindById in storage/store/id_lookup.h, which also works within a change.
  Result<std::vector<FoundMessage>> FindById(AccountId account, IdKind kind, std::string_view value);
  /// The messages of a kind from `from` on, by folder id and UID, at most `most`; in one folder if `only` is
  /// given. The cost is that of the hits.
  Result<std::vector<FoundMessage>> FindByKind(AccountId account, protocol::ObjectKind kind,
                                               FoundMessage from, std::optional<FolderId> only,
                                               std::size_t most);
  /// The owner reads what is in these messages: those that are temporary stay (spec note 6). To be committed
  /// before their octets are given out.
  Result<> NoteAccess(FolderRef folder, const UidSet& uids, Actor actor);

  /// As GetFolder(folder), but `unseen` is what this guest has not seen; else it is the owner's. Reads all
  /// the folder's pages.
  Result<FolderStatus> GetFolderFor(FolderRef folder, AccountId guest, const StatusCounts& counts = {});

  /// A consistent view for reading; see FolderReader.
  Result<FolderReader> Read(FolderRef folder, const Actor& actor = {});

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
