#pragma once

#include <vector>

#include "protocol/model/object_kind.h"
#include "storage/store/folder_edit.h"

namespace storage {

/// What a session folder says of its objects, as annotations that are kept in the transaction that changes
/// the folder (spec note 3.3): `SessionInfo` names the session info object, the newest if there are several;
/// `GroupState` the group state whose timestamp is the latest, the newest of those. A malformed one counts as
/// the earliest. In folders of other kinds these do nothing.
///
/// `Participants`, of the session and of its conversation, are who its group state lists, or else whom its
/// session info invites. They stay when the object goes: who took part did.

struct Arrival {
  Uid uid;
  protocol::ObjectKind kind = protocol::ObjectKind::kUnclassified;
};

/// REQUIRES: their rows are written.
Result<> MarkArrivals(AccountTxn& txn, const FolderEdit& edit, const std::vector<Arrival>& arrivals);
/// REQUIRES: they are no longer present in `edit`.
Result<> MarkExpunged(AccountTxn& txn, FolderEdit& edit, const UidSet& gone);

}  // namespace storage
