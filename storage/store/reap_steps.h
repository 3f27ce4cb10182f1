#pragma once

#include <optional>
#include <vector>

#include "storage/store/account_txn.h"

namespace storage {

/// What the reaper does within one account's lane, a bounded piece a transaction. What is to go is decided
/// here and now, by the flags as they are: an access or an un-deletion that was committed before has won.

/// What a step did.
struct Reaped {
  std::optional<schema::IntentKey> intent;  ///< for the janitor
  std::optional<std::int64_t> next_due;     ///< of the account, Unix seconds; nullopt: nothing any more
};

/// Expunges some of what is due: temporary messages, and messages whose \Deleted has had its grace, of one
/// folder at a time; and takes away references that are over. If more is due, `next_due` says so.
Result<> ReapDue(AccountTxn& txn, Reaped& out);

/// Expunges messages that came into the folder at `until` or before, but for archived ones, looking at some
/// of those after `from`. `from` moves on; nullopt: all have been looked at.
Result<> ReapOld(AccountTxn& txn, FolderId folder, std::int64_t until, std::optional<Uid>& from, Reaped& out);

/// Gives a time to messages that had \Deleted before there was a grace.
Result<> CoverDeleted(AccountTxn& txn, FolderId folder);

}  // namespace storage
