#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/kv/engine.h"
#include "storage/schema/rows.h"
#include "storage/store/change_feed.h"
#include "storage/store/folder.h"
#include "storage/store/moved_conversations.h"
#include "storage/store/picture_cache.h"

namespace storage {

/// One change to one account: reads what is committed, sees its own writes and those of the changes before it
/// in the same commit, and either joins that commit as a whole or leaves no trace. Made by AccountLanes,
/// which holds the account's write lock around it.
///
/// Thread: one at a time.
class AccountTxn {
 public:
  /// What the changes of one commit add up to.
  struct Commit {
    std::optional<schema::AccountRow> account;  ///< nullopt: not read yet
    kv::Batch batch;
    bool must_sync = false;
    MovedConversations* moved = nullptr;    ///< what is remembered of the account; may be absent
    std::int64_t deleted_grace = 0;         ///< seconds from \Deleted to the purge; 0: none
    std::optional<std::int64_t> first_due;  ///< of the rows written to `expiries`
    std::vector<PagesChanged> pages;        ///< in order
    std::vector<schema::IntentKey> left;    ///< to be carried out by whoever the lanes tell
    std::vector<std::shared_ptr<const Change>> changes;
  };

  AccountTxn(kv::Engine& engine, AccountId account, std::int64_t now, Commit& commit)
      : engine_(engine), account_(account), now_(now), commit_(commit) {}

  AccountId account() const { return account_; }
  std::int64_t now() const { return now_; }  ///< Unix seconds
  kv::Engine& engine() { return engine_; }
  std::int64_t deleted_grace() const { return commit_.deleted_grace; }
  MovedConversations* moved_conversations() const { return commit_.moved; }
  /// Nothing that may yet fail lies beneath what this change reads.
  bool SeesCommittedOnly() const { return batch_.empty() && commit_.batch.empty(); }

  /// The account's row, to be read, and after a change to be given back with PutAccount(). kNoSuchAccount
  /// also while it is being deleted, unless `even_deleting`.
  Result<schema::AccountRow> Account(bool even_deleting = false);
  void PutAccount(schema::AccountRow row);

  Result<std::optional<std::string>> Get(kv::Table table, std::string_view key) const;
  /// In key order, own writes included, until `visit` returns false.
  Result<> Scan(kv::Table table, std::string_view first, std::string_view end,
                const kv::View::Visitor& visit) const;
  void Put(kv::Table table, std::string_view key, std::string_view value) { batch_.Put(table, key, value); }
  void Erase(kv::Table table, std::string_view key) { batch_.Erase(table, key); }

  Result<schema::FolderRow> Folder(FolderId folder) const;
  void PutFolder(FolderId folder, const schema::FolderRow& row);

  /// The next one; the same for the rest of this change.
  Result<ModSeq> NextModSeq();
  /// What NextModSeq() gives, or will give if this change turns out to change something.
  Result<ModSeq> ComingModSeq();

  /// Of state pages that this change writes.
  void NotePages(PagesChanged change) { pages_.push_back(std::move(change)); }

  /// News for after the commit. REQUIRES: NextModSeq(), but for AccountClosed.
  void Announce(Origin origin, decltype(Change::what) what);

  /// A row in `expiries`; the reaper hears of it after the commit.
  void PutExpiry(const schema::ExpiryKey& key, std::string_view value) {
    Put(kv::Table::kExpiries, key.Encode(), value);
    NoteDue(key.due);
  }
  /// The reaper is to look at this account then.
  void NoteDue(std::int64_t due) { first_due_ = std::min(due, first_due_.value_or(due)); }

  /// An intent that this change writes is to be carried out once it is committed.
  void LeaveIntent(const schema::IntentKey& intent) { left_.push_back(intent); }
  const std::vector<schema::IntentKey>& left() const { return left_; }  ///< by this change

  /// This change alone need not be on stable storage when it is acknowledged.
  void NeedNotSync() { must_sync_ = false; }

  /// Makes what was written so far part of the commit.
  void Join();

 private:
  kv::Engine& engine_;
  AccountId account_;
  std::int64_t now_;
  Commit& commit_;

  std::optional<schema::AccountRow> row_;
  kv::Batch batch_;
  std::optional<ModSeq> modseq_;
  bool names_changed_ = false;
  bool annotations_changed_ = false;
  bool must_sync_ = true;
  std::optional<std::int64_t> first_due_;
  std::vector<PagesChanged> pages_;
  std::vector<schema::IntentKey> left_;
  std::vector<std::shared_ptr<const Change>> changes_;
};

}  // namespace storage
