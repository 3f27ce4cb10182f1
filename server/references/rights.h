#pragma once

#include "storage/error.h"
#include "storage/store/folder.h"

namespace server::references {

/// Whether an account may refer to what is in a folder: only its owner may. That the owner may read it, the
/// right "r" (RFC 4314 §2.1), is asked by the store each time: when a URL is authorised, and when it is
/// fetched.
inline bool MayRead(storage::AccountId account, storage::FolderRef folder) {
  return folder.account == account;
}

/// What was named is not there for who asks, and nothing more is to be told of it; any other error is one.
inline bool IsAbsence(const storage::Error& error) {
  return error.code == storage::Errc::kNoSuchFolder || error.code == storage::Errc::kNoSuchAccount ||
         error.code == storage::Errc::kNoPermission;
}

}  // namespace server::references
