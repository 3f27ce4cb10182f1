#pragma once

#include "server/imap/view/mailbox_view.h"
#include "storage/store/mail_store.h"

namespace server::imap {

/// The folder as it is now, for MailboxView::Adopt(); states with a modseq above `since`. A folder that is
/// deleted, or read no more by the actor, is a picture, not an error. Blocks.
storage::Result<FolderPicture> ReadPicture(storage::MailStore& store, storage::FolderRef folder,
                                           storage::ModSeq since, const storage::Actor& actor);

}  // namespace server::imap
