#include <array>

#include <fmt/format.h>

#include "storage/store/core.h"
#include "storage/store/message_rows.h"
#include "storage/store/references.h"

namespace storage {
namespace {

using kv::Table;
using schema::IntentKey;
using schema::IntentKind;

// One commit's worth of work.
constexpr std::size_t kMessagesPerSlice = 100;
constexpr std::size_t kRowsPerSlice = 1000;
constexpr std::size_t kReferencesPerSlice = 250;  // three keys each
constexpr std::size_t kKeysPerMessage = 8;        // about: its row, its ids, its text, its last chunk

/// Erases up to kRowsPerSlice rows in [first, end); where to go on, nullopt if none are left.
Result<std::optional<std::string>> EraseSome(AccountTxn& txn, Table table, const std::string& first,
                                             const std::string& end) {
  std::vector<std::string> keys;
  RETURN_IF_ERROR(txn.Scan(table, first, end, [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return keys.size() < kRowsPerSlice;
  }));
  for (const auto& key : keys) txn.Erase(table, key);
  if (keys.size() < kRowsPerSlice) return std::optional<std::string>{};
  return std::optional(keys.back() + '\0');
}

/// Frees messages of `uids` that have rows, until they are kMessagesPerSlice or their keys kRowsPerSlice (the
/// last may go beyond it); the UIDs that are left.
Result<UidSet> FreeSome(AccountTxn& txn, FolderId folder, UidSet uids) {
  std::uint64_t keys = 0;
  std::size_t references = kReferencesPerSlice;
  Uid last_seen;
  // Collected first: freeing changes what is being scanned.
  std::vector<std::pair<Uid, std::string>> rows;
  Result<> bad;
  bool full = false;
  for (const auto& range : uids.ranges()) {
    const std::string first = schema::MessageKey{txn.account(), folder, range.first}.Encode();
    const std::string end = schema::MessageKey{txn.account(), folder, range.last}.Encode() + '\0';
    RETURN_IF_ERROR(txn.Scan(Table::kMessages, first, end, [&](std::string_view key, std::string_view value) {
      const auto at = schema::MessageKey::Decode(key);
      const auto row = schema::StoredMessage::Decode(value);
      if (!at || !row) {
        bad = tl::unexpected<Error>(at ? row.error() : at.error());
        return false;
      }
      rows.emplace_back(at->uid, std::string(value));
      last_seen = at->uid;
      keys += kKeysPerMessage + row->size / StagedBody::kChunk;
      full = rows.size() >= kMessagesPerSlice || keys >= kRowsPerSlice;
      return !full;
    }));
    RETURN_IF_ERROR(bad);
    if (full) break;
    last_seen = range.last;
  }
  for (const auto& [uid, value] : rows) {
    ASSIGN_OR_RETURN(const auto row, schema::StoredMessage::Decode(value));
    // One with more references than a slice takes keeps its row until the next.
    ASSIGN_OR_RETURN(const auto forgotten, ForgetReferences(txn, folder, uid, references));
    references -= forgotten;
    if (references == 0) {
      if (uid.value > 1) uids.Remove(Uid{1}, Uid{uid.value - 1});
      return uids;
    }
    RETURN_IF_ERROR(FreeMessage(txn, folder, uid, row));
  }
  if (last_seen.value != 0) uids.Remove(Uid{1}, last_seen);
  return uids;
}

}  // namespace

Janitor::Janitor(AccountLanes& lanes, Grants& grants, std::chrono::milliseconds retry,
                 std::function<void(const std::string&)> note)
    : lanes_(lanes), grants_(grants), retry_(retry), note_(std::move(note)), thread_([this] { Run(); }) {}

Janitor::~Janitor() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Janitor::Add(const IntentKey& intent) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push_back(Task{.intent = intent});
  }
  wake_.notify_one();
}

void Janitor::Drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [&] { return (queue_.empty() && !working_) || stop_; });
}

void Janitor::Run() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (queue_.empty()) {
      idle_.notify_all();
      wake_.wait(lock, [&] { return stop_ || !queue_.empty(); });
      continue;
    }
    Task task = std::move(queue_.front());
    queue_.pop_front();
    working_ = true;
    lock.unlock();
    const auto done = Slice(task);
    const bool given_up = !done && done.error().code != Errc::kUnavailable;
    if (given_up) {
      note_(fmt::format("background work (kind {}, id {}) of account {} is given up until the next start: {}",
                        static_cast<int>(task.intent.kind), task.intent.id, task.intent.account.value,
                        done.error().detail));
    }
    lock.lock();
    working_ = false;
    if (given_up || (done && *done)) continue;
    // Others get their turn before the next slice of a long one.
    queue_.push_back(std::move(task));
    if (!done) wake_.wait_for(lock, retry_, [&] { return stop_; });
  }
  idle_.notify_all();
}

Result<bool> Janitor::Slice(Task& task) {
  switch (task.intent.kind) {
    case IntentKind::kStagedObject: return SliceStagedObject(task.intent);
    case IntentKind::kPurge: return SlicePurge(task.intent);
    case IntentKind::kDropFolder: return SliceDropFolder(task);
    case IntentKind::kDropAccount: return SliceDropAccount(task);
    case IntentKind::kGrants: {
      RETURN_IF_ERROR(grants_.Settle(task.intent));
      return true;
    }
  }
  return true;
}

/// One slice of erasing [prefix, end of prefix) in each table; true if all are through.
Result<bool> Janitor::EraseTables(AccountTxn& txn, std::span<const Table> tables, const std::string& prefix,
                                  Task& task) {
  for (; task.table < tables.size(); ++task.table) {
    const std::string& first = task.next_key.empty() ? prefix : task.next_key;
    ASSIGN_OR_RETURN(auto next, EraseSome(txn, tables[task.table], first, kv::PrefixEnd(prefix)));
    task.next_key = next.value_or("");
    if (next) return false;
  }
  return true;
}

Result<bool> Janitor::SliceStagedObject(const IntentKey& intent) {
  bool done = false;
  RETURN_IF_ERROR(lanes_.Run(intent.account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    ASSIGN_OR_RETURN(const auto row, txn.Get(Table::kIntents, intent.Encode()));
    done = !row;
    if (done) return {};
    const std::string prefix = schema::ObjectKey{intent.account, ObjectId{intent.id}}.Encode();
    ASSIGN_OR_RETURN(const auto next, EraseSome(txn, Table::kBodies, prefix, kv::PrefixEnd(prefix)));
    done = !next;
    if (done) txn.Erase(Table::kIntents, intent.Encode());
    return {};
  }));
  return done;
}

Result<bool> Janitor::SlicePurge(const IntentKey& intent) {
  bool done = false;
  RETURN_IF_ERROR(lanes_.Run(intent.account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kIntents, intent.Encode()));
    done = !value;
    if (done) return {};
    ASSIGN_OR_RETURN(auto purge, schema::PurgeRow::Decode(*value));
    ASSIGN_OR_RETURN(purge.uids, FreeSome(txn, purge.folder, std::move(purge.uids)));
    done = purge.uids.empty();
    if (done)
      txn.Erase(Table::kIntents, intent.Encode());
    else
      txn.Put(Table::kIntents, intent.Encode(), purge.Encode());
    return {};
  }));
  return done;
}

Result<bool> Janitor::SliceDropFolder(Task& task) {
  static constexpr std::array kTables{Table::kStates, Table::kVanished, Table::kAnnotations, Table::kSeen};
  const IntentKey& intent = task.intent;
  Task after = task;
  bool done = false;
  RETURN_IF_ERROR(lanes_.Run(intent.account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kIntents, intent.Encode()));
    done = !value;
    if (done) return {};
    const FolderId folder{intent.id};
    // Purges that are not through yet find no rows any more, and end.
    if (after.next_uid.value != 0) {
      ASSIGN_OR_RETURN(const auto left, FreeSome(txn, folder, UidSet(after.next_uid, protocol::kMaxUid)));
      after.next_uid = left.empty() ? Uid{} : left.front();
      if (!left.empty()) return {};
    }
    ASSIGN_OR_RETURN(done,
                     EraseTables(txn, kTables, schema::FolderKey{intent.account, folder}.Encode(), after));
    if (done) txn.Erase(Table::kIntents, intent.Encode());
    return {};
  }));
  task = std::move(after);
  return done;
}

Result<bool> Janitor::SliceDropAccount(Task& task) {
  // The account's row and the intents go last: as long as they are there, the work is found again. Nothing is
  // added behind the walk: lanes and StagedBody refuse a deleted account.
  static constexpr std::array kTables{
      Table::kFolders,    Table::kFolderNames, Table::kStates,        Table::kMessages,
      Table::kBodies,     Table::kBodyRefs,    Table::kTexts,         Table::kIds,
      Table::kVanished,   Table::kAnnotations, Table::kSubscriptions, Table::kUrlKeys,
      Table::kReferences, Table::kExpiries,    Table::kSeen,          Table::kIntents};
  const AccountId account = task.intent.account;
  if (task.table == 0 && task.next_key.empty()) {
    // First what is not in the account's own rows, as long as its lists say where it is.
    ASSIGN_OR_RETURN(const bool none, grants_.FreeSome(account));
    if (!none) return false;
  }
  Task after = task;
  bool done = false;
  RETURN_IF_ERROR(lanes_.Run(account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    const std::string prefix = schema::AccountPrefix(account);
    ASSIGN_OR_RETURN(done, EraseTables(txn, kTables, prefix, after));
    if (done) txn.Erase(Table::kAccounts, prefix);
    return {};
  }));
  task = std::move(after);
  return done;
}

}  // namespace storage
