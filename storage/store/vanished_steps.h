#pragma once

#include <cstdint>
#include <optional>

#include "storage/store/account_txn.h"

namespace storage {

/// The log of what was expunged at which modseq (schema/rows.h, VanishedRow) is kept for a time, and what is
/// older than a day shares a row with the rest of its day: a client that asks from the midst of a day is told
/// a little more than it needs, which RFC 7162 §3.2.10.1 allows.
struct VanishedAge {
  std::int64_t forget;  ///< Unix seconds: what was expunged then or before is forgotten
  std::int64_t join;    ///< what was expunged before this shares a row with the rest of its day
};

/// Whether there is something to do in this folder.
Result<bool> HasOldVanished(const kv::View& view, FolderRef folder, VanishedAge age);

/// Forgets and joins some of the folder's rows after `from`, which moves on; nullopt: all have been looked
/// at.
Result<> TrimVanished(AccountTxn& txn, FolderId folder, VanishedAge age, std::optional<ModSeq>& from);

}  // namespace storage
