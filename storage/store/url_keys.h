#pragma once

#include <string>
#include <string_view>

#include "storage/store/account_txn.h"

/// The rows of `url_keys` within a change (schema/url_keys.h); the calls of the front ends are MailStore's.
namespace storage {

/// The folder is no longer named `path`: URLs that were authorised under that name go on naming it. Nothing
/// if it has no key. One point read.
Result<> NoteFormerPath(AccountTxn& txn, FolderId folder, std::string_view path);

/// The folder's key and former names are gone, and with them what was authorised by them.
Result<> ForgetUrlKey(AccountTxn& txn, FolderId folder);

}  // namespace storage
