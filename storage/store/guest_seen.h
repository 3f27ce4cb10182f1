#pragma once

#include <map>

#include "storage/schema/seen_page.h"
#include "storage/store/account_txn.h"
#include "storage/store/folder.h"
#include "storage/store/rights.h"

namespace storage {

/// What one guest has seen of a page of a folder. `Rows`: a kv::View, or an AccountTxn.
template <class Rows>
Result<schema::SeenPage> ReadSeen(Rows& rows, FolderRef folder, AccountId viewer, std::uint32_t page) {
  const schema::SeenKey key{folder.account, folder.folder, viewer, page};
  ASSIGN_OR_RETURN(const auto value, rows.Get(kv::Table::kSeen, key.Encode()));
  if (!value) return schema::SeenPage{};
  return schema::SeenPage::Decode(*value);
}

/// What one guest has seen of a folder, while it is changed.
class GuestSeen {
 public:
  GuestSeen(AccountTxn& txn, FolderId folder, AccountId viewer)
      : txn_(txn), folder_(folder), viewer_(viewer) {}

  Result<bool> Has(Uid uid);
  Result<> Set(Uid uid, bool seen);
  /// Writes what changed.
  void Save();

 private:
  struct Loaded {
    schema::SeenPage page;
    bool dirty = false;
  };
  Result<Loaded*> Load(std::uint32_t page);

  AccountTxn& txn_;
  const FolderId folder_;
  const AccountId viewer_;
  std::map<std::uint32_t, Loaded> pages_;
};

}  // namespace storage
