#pragma once

#include "storage/store/account_txn.h"

/// The rows of `references` within a change (schema/references.h); the calls of the front ends are
/// MailStore's.
namespace storage {

/// Some of the references of a message are gone, at most `most`; how many.
Result<std::size_t> ForgetReferences(AccountTxn& txn, FolderId folder, Uid uid, std::size_t most);

/// Those that are due are gone (schema::ExpiryKind::kReference), at most `most`.
Result<> ReapReferences(AccountTxn& txn, std::size_t most);

}  // namespace storage
