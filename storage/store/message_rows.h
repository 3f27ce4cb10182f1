#pragma once

#include <functional>

#include "storage/store/account_txn.h"
#include "storage/store/folder_edit.h"

namespace storage {

/// The rows that make up a message besides its state: `messages`, `ids`, and the share in its object
/// (`body_refs`), and its time in `expiries` if it was delivered as temporary.

/// Visits the rows of `uids`, ascending, until `visit` returns false; UIDs without a row are passed over.
using MessageVisitor = std::function<Result<>(Uid, const schema::StoredMessage&)>;
Result<> ForEachMessage(const AccountTxn& txn, FolderId folder, const UidSet& uids,
                        const MessageVisitor& visit);

/// Writes the message's row, its `ids`, and its `expiries` row.
Result<> PutMessage(AccountTxn& txn, FolderId folder, Uid uid, const schema::StoredMessage& message);
/// Takes away the row, the `ids` and one share in the object; the last share takes the object's rows.
Result<> FreeMessage(AccountTxn& txn, FolderId folder, Uid uid, const schema::StoredMessage& message);
/// One more share in an object that has at least one.
Result<> ShareObject(AccountTxn& txn, ObjectId object);

/// Expunges messages that are present, whose pages `edit` has read: pages, counts, quota, news; saves `edit`.
/// One folder a change, because its modseq names the intent, which is returned for the janitor.
Result<schema::IntentKey> ExpungeMessages(AccountTxn& txn, FolderEdit& edit, const UidSet& uids,
                                          Origin origin);

/// Messages that are no longer visible: their vanished row, and the intent to free them. Returns the intent
/// for the janitor.
schema::IntentKey PutVanished(AccountTxn& txn, FolderId folder, const UidSet& uids, ModSeq modseq);

}  // namespace storage
