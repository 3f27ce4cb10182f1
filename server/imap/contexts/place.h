#pragma once

#include <vector>

#include "protocol/imap/command/sort.h"
#include "server/imap/view/sequence_map.h"
#include "storage/store/folder_reader.h"

namespace server::imap::contexts {

/// The order with some more messages in their places, found by halving: of each few rows are read, however
/// long the order is. What is not in the store any more is left out. Blocks.
storage::Result<std::vector<Uid>> Place(const storage::FolderReader& reader,
                                        const std::vector<protocol::SortCriterion>& criteria,
                                        std::vector<Uid> order, const UidSet& more);

}  // namespace server::imap::contexts
