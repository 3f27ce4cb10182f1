#pragma once

#include "storage/store/folder.h"

namespace server::references {

/// Whether an account may refer to what is in a folder: only its owner may. That the owner may read it, the
/// right "r" (RFC 4314 §2.1), is asked by the store each time: when a URL is authorised, and when it is
/// fetched.
inline bool MayRead(storage::AccountId account, storage::FolderRef folder) {
  return folder.account == account;
}

}  // namespace server::references
