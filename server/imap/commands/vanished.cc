#include "server/imap/commands/vanished.h"

namespace server::imap {

UidSet KnownUids(const protocol::SequenceSet& set, Uid uid_next) {
  UidSet uids;
  for (const auto& range : set.Resolve(uid_next.value - 1)) uids.Add(Uid{range.first}, Uid{range.last});
  return uids;
}

storage::Result<UidSet> VanishedAmong(const storage::FolderReader& reader, const UidSet& known,
                                      const UidSet& present, storage::ModSeq since) {
  const auto& status = reader.status();
  if (status.uid_next.value == 1) return UidSet();
  UidSet gone = known.Intersect(UidSet(Uid{1}, Uid{status.uid_next.value - 1}));
  if (since <= status.highest_modseq) {
    const auto logged = reader.VanishedSince(since);
    if (!logged) return tl::unexpected(logged.error());
    if (*logged) gone = gone.Intersect(**logged);
  }
  return gone.Minus(present);
}

}  // namespace server::imap
