#include <array>

#include "storage/store/core.h"
#include "storage/store/message_rows.h"

namespace storage {
namespace {

using kv::Table;
using schema::IntentKey;
using schema::IntentKind;

// One commit's worth of work.
constexpr std::size_t kMessagesPerSlice = 100;
constexpr std::size_t kRowsPerSlice = 1000;

/// Erases up to kRowsPerSlice rows in [prefix, end of prefix); true if none are left.
Result<bool> EraseSome(AccountTxn& txn, Table table, const std::string& prefix) {
  std::vector<std::string> keys;
  RETURN_IF_ERROR(txn.Scan(table, prefix, kv::PrefixEnd(prefix), [&](std::string_view key, std::string_view) {
    keys.emplace_back(key);
    return keys.size() < kRowsPerSlice;
  }));
  for (const auto& key : keys) txn.Erase(table, key);
  return keys.size() < kRowsPerSlice;
}

/// Frees up to kMessagesPerSlice messages of `uids` that have rows; the UIDs that are left.
Result<UidSet> FreeSome(AccountTxn& txn, FolderId folder, UidSet uids) {
  std::size_t freed = 0;
  Uid last_seen;
  // Collected first: freeing changes what is being scanned.
  std::vector<std::pair<Uid, std::string>> rows;
  for (const auto& range : uids.ranges()) {
    if (freed == kMessagesPerSlice) break;
    const std::string first = schema::MessageKey{txn.account(), folder, range.first}.Encode();
    const std::string end = schema::MessageKey{txn.account(), folder, range.last}.Encode() + '\0';
    RETURN_IF_ERROR(txn.Scan(Table::kMessages, first, end, [&](std::string_view key, std::string_view value) {
      const auto at = schema::MessageKey::Decode(key);
      if (at) {
        rows.emplace_back(at->uid, std::string(value));
        last_seen = at->uid;
      }
      return ++freed < kMessagesPerSlice;
    }));
    if (freed < kMessagesPerSlice) last_seen = range.last;
  }
  for (const auto& [uid, value] : rows) {
    ASSIGN_OR_RETURN(const auto row, schema::StoredMessage::Decode(value));
    RETURN_IF_ERROR(FreeMessage(txn, folder, uid, row));
  }
  if (last_seen.value != 0) uids.Remove(Uid{1}, last_seen);
  return uids;
}

}  // namespace

Janitor::Janitor(AccountLanes& lanes, std::chrono::milliseconds retry)
    : lanes_(lanes), retry_(retry), thread_([this] { Run(); }) {}

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
    queue_.push_back(intent);
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
    const IntentKey intent = queue_.front();
    queue_.pop_front();
    working_ = true;
    lock.unlock();
    const auto done = Slice(intent);
    lock.lock();
    working_ = false;
    if (done && *done) continue;
    // Others get their turn before the next slice of a long one.
    queue_.push_back(intent);
    if (!done) wake_.wait_for(lock, retry_, [&] { return stop_; });
  }
  idle_.notify_all();
}

Result<bool> Janitor::Slice(const IntentKey& intent) {
  switch (intent.kind) {
    case IntentKind::kStagedObject: return SliceStagedObject(intent);
    case IntentKind::kPurge: return SlicePurge(intent);
    case IntentKind::kDropFolder: return SliceDropFolder(intent);
    case IntentKind::kDropAccount: return SliceDropAccount(intent);
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
    ASSIGN_OR_RETURN(done, EraseSome(txn, Table::kBodies, prefix));
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

Result<bool> Janitor::SliceDropFolder(const IntentKey& intent) {
  bool done = false;
  RETURN_IF_ERROR(lanes_.Run(intent.account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    ASSIGN_OR_RETURN(const auto value, txn.Get(Table::kIntents, intent.Encode()));
    done = !value;
    if (done) return {};
    const FolderId folder{intent.id};
    // Purges that are not through yet find no rows any more, and end.
    ASSIGN_OR_RETURN(const auto left, FreeSome(txn, folder, UidSet(Uid{1}, protocol::kMaxUid)));
    if (!left.empty()) return {};
    const std::string prefix = schema::FolderKey{intent.account, folder}.Encode();
    for (const Table table :
         {Table::kStates, Table::kVanished, Table::kAnnotations, Table::kAcl, Table::kUrlKeys}) {
      ASSIGN_OR_RETURN(const bool empty, EraseSome(txn, table, prefix));
      if (!empty) return {};
    }
    txn.Erase(Table::kIntents, intent.Encode());
    done = true;
    return {};
  }));
  return done;
}

Result<bool> Janitor::SliceDropAccount(const IntentKey& intent) {
  // The account's row and this intent go last: as long as they are there, the work is found again.
  static constexpr std::array kTables{
      Table::kFolders,  Table::kFolderNames,   Table::kStates,  Table::kMessages,   Table::kBodies,
      Table::kBodyRefs, Table::kTexts,         Table::kIds,     Table::kVanished,   Table::kAnnotations,
      Table::kAcl,      Table::kSubscriptions, Table::kUrlKeys, Table::kReferences, Table::kExpiries};
  bool done = false;
  RETURN_IF_ERROR(lanes_.Run(intent.account, [&](AccountTxn& txn) -> Result<> {
    txn.NeedNotSync();
    const std::string prefix = schema::AccountPrefix(intent.account);
    for (const Table table : kTables) {
      ASSIGN_OR_RETURN(const bool empty, EraseSome(txn, table, prefix));
      if (!empty) return {};
    }
    ASSIGN_OR_RETURN(const bool empty, EraseSome(txn, Table::kIntents, prefix));
    if (!empty) return {};
    txn.Erase(Table::kAccounts, prefix);
    done = true;
    return {};
  }));
  return done;
}

}  // namespace storage
