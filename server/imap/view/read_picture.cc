#include "server/imap/view/read_picture.h"

namespace server::imap {

storage::Result<FolderPicture> ReadPicture(storage::MailStore& store, storage::FolderRef folder,
                                           storage::ModSeq since, const storage::Actor& actor) {
  FolderPicture picture;
  auto reader = store.Read(folder, actor);
  if (!reader) {
    const auto code = reader.error().code;
    const bool gone = code == storage::Errc::kNoSuchFolder || code == storage::Errc::kNoPermission ||
                      code == storage::Errc::kNoSuchAccount;
    if (!gone) return tl::unexpected(reader.error());
    picture.deleted = true;
    return picture;
  }
  auto uids = reader->Uids();
  if (!uids) return tl::unexpected(uids.error());
  picture.modseq = reader->status().highest_modseq;
  picture.keywords = reader->keywords();
  picture.rights = reader->rights();
  picture.uids = *std::move(uids);
  const auto states = reader->States(
      picture.uids, [&](const storage::MessageState& state) { picture.changed.push_back(state); }, since);
  if (!states) return tl::unexpected(states.error());
  return picture;
}

}  // namespace server::imap
