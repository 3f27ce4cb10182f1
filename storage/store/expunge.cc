#include "storage/store/core.h"
#include "storage/store/folder_edit.h"
#include "storage/store/message_rows.h"
#include "storage/store/rights.h"

namespace storage {

using protocol::FlagSet;
using protocol::SystemFlag;
using schema::StatePage;

Result<UidSet> MailStore::Expunge(FolderRef folder, const std::optional<UidSet>& only, Actor actor) {
  UidSet removed;
  schema::IntentKey intent;
  RETURN_IF_ERROR(core_->lanes.Run(folder.account, [&](AccountTxn& txn) -> Result<> {
    ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, folder.folder));
    ASSIGN_OR_RETURN(const Rights rights, RightsOf(txn, folder, edit.row(), actor));
    RETURN_IF_ERROR(Demand(rights, Right::kRead | Right::kExpunge));
    if (edit.row().deleted == 0) return {};
    const UidSet all(Uid{1}, protocol::kMaxUid);
    RETURN_IF_ERROR(edit.ForEach(only ? *only : all, [&](Uid uid, const StatePage::State& state) {
      if ((state.system & FlagSet::Bit(SystemFlag::kDeleted)) != 0) removed.Add(uid);
    }));
    if (removed.empty()) return {};

    ASSIGN_OR_RETURN(intent, ExpungeMessages(txn, edit, removed, actor.origin));
    return {};
  }));
  if (!removed.empty()) core_->janitor.Add(intent);
  return removed;
}

}  // namespace storage
