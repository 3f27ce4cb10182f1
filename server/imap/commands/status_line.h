#pragma once

#include <span>
#include <string>
#include <string_view>

#include "protocol/imap/command/status.h"
#include "server/imap/services.h"
#include "storage/store/folder.h"

namespace server::imap {

/// "* STATUS name (...)" for STATUS and LIST: the items in the order asked for, on one line.
void WriteStatus(std::string& out, std::string_view name, std::span<const protocol::StatusItem> items,
                 const storage::FolderStatus& status, const ImapOptions& options);

/// What the store has to count for them.
storage::StatusCounts CountsFor(std::span<const protocol::StatusItem> items);

/// RFC 7162 §3.1: who asks for HIGHESTMODSEQ knows CONDSTORE.
bool EnablesCondstore(std::span<const protocol::StatusItem> items);

}  // namespace server::imap
