#pragma once

#include "storage/store/core.h"

namespace storage {

/// Format 1 knew INBOX and user folders; format 2 has the folder kinds of CPM. Each account's folder at the
/// profile's default_folder becomes its default folder (made if it is missing), what lies in it
/// conversations, what lies in those sessions; what lies deeper moves to user folders beside it. One commit
/// an account, and nothing changes where it was done before, so a start that was interrupted is made up for
/// by the next.
Result<> GiveFoldersKinds(MailStore::Core& core);

/// Format 2 had the kinds of objects in their messages' rows alone; format 3 has them in `ids` as well. Some
/// thousands of messages a commit; a start that was interrupted is made up for by the next.
Result<> IndexKinds(MailStore::Core& core);

}  // namespace storage
