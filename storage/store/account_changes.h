#pragma once

#include <vector>

#include "storage/store/folder.h"

namespace storage {

/// Where an account has changed after a modseq, for those who ask once for all of its folders. What has
/// changed in a folder, FolderReader says.
struct AccountChanges {
  ModSeq modseq;                      ///< of the account's last change: to ask with the next time
  bool reset = false;                 ///< `since` lies in the future: told as if it had been 0
  bool names = false;                 ///< folders or subscriptions came, went or were renamed
  bool annotations = false;           ///< METADATA entries
  std::vector<FolderStatus> folders;  ///< whose messages or entries changed; without FolderStatus::recent
};

}  // namespace storage
