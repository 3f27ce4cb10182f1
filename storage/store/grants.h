#pragma once

#include <atomic>
#include <mutex>
#include <string_view>

#include "storage/kv/engine.h"
#include "storage/schema/keys.h"
#include "storage/store/account_lanes.h"
#include "storage/store/rights.h"

namespace storage {

class DeletedAccounts;  ///< storage/store/core.h

/// The table `grants`: which folders of whom have a list that names somebody. It is no part of any account,
/// so it cannot change in the same batch as a list (design.md 5). A change of a list leaves an intent beside
/// it (IntentKind::kGrants); to settle it is to write down here what the list says by then, and then to
/// forget the intent. This may be done at any time, and any number of times.
///
/// Thread: any; blocks.
class Grants {
 public:
  Grants(kv::Engine& engine, AccountLanes& lanes, const DeletedAccounts& deleted)
      : engine_(engine), lanes_(lanes), deleted_(deleted) {}

  /// Within a change of the list of `folder` in which these identifiers came, changed or went; a '-' before
  /// them does not matter.
  static Result<> Leave(AccountTxn& txn, FolderId folder, const std::vector<std::string>& identifiers);

  Result<> Settle(const schema::IntentKey& intent);

  /// Frees lists of an account that is being deleted, and what is here of them; false: there are more.
  Result<bool> FreeSome(AccountId account);

  /// Where somebody of this name is named, in `limit` folders at most, above `after`.
  Result<std::vector<schema::GrantKey>> Find(std::string_view identifier, std::size_t limit,
                                             const std::optional<schema::GrantKey>& after = {}) const;

 private:
  Result<> SettleNow(const schema::IntentKey& intent, const schema::GrantsRow& row);

  kv::Engine& engine_;
  AccountLanes& lanes_;
  const DeletedAccounts& deleted_;
  std::mutex
      mutex_;  ///< held while a list is read and written down here: whoever comes last has read the last
};

}  // namespace storage
