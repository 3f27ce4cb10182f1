#pragma once

#include "protocol/model/sequence_set.h"
#include "server/imap/view/sequence_map.h"
#include "storage/store/folder_reader.h"

namespace server::imap {

/// The UIDs that a client names to hear which of them vanished. "*" stands for the last that ever was, not
/// for the last that is there: what the client knows may be above it.
UidSet KnownUids(const protocol::SequenceSet& set, Uid uid_next);

/// Those of `known` that VANISHED (EARLIER) must tell a client which knew the folder at `since` (RFC 7162
/// §3.2.6); `present` are those that have a number. If it is not known what went since, because that is
/// forgotten or `since` lies in the future (a client of another store, say, or one restored from a backup),
/// it is told of all that are not there. Blocks.
storage::Result<UidSet> VanishedAmong(const storage::FolderReader& reader, const UidSet& known,
                                      const UidSet& present, storage::ModSeq since);

}  // namespace server::imap
