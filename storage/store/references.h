#pragma once

#include "storage/store/account_lanes.h"
#include "storage/store/account_txn.h"

/// The rows of `references` within a change (schema/references.h); the calls of the front ends are
/// MailStore's.
namespace storage {

/// Some of the references of a message are gone, at most `most`; how many.
Result<std::size_t> ForgetReferences(AccountTxn& txn, FolderId folder, Uid uid, std::size_t most);

/// Those that are due are gone (schema::ExpiryKind::kReference), at most `most`.
Result<> ReapReferences(AccountTxn& txn, std::size_t most);

/// The highest id that was given out.
Result<std::uint64_t> LastReference(const AccountTxn& txn);

/// The keys are gone under which the references up to `last` were issued, in `folder` or everywhere: they are
/// over, and count no more. Several commits; where one fails the rest counts until its time.
void EndReferences(AccountLanes& lanes, AccountId account, std::optional<FolderId> folder,
                   std::uint64_t last);

}  // namespace storage
