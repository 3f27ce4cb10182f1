#pragma once

#include "storage/error.h"
#include "storage/store/folder.h"

namespace server::references {

/// What was named is not there for who asks, and nothing more is to be told of it; any other error is one.
inline bool IsAbsence(const storage::Error& error) {
  return error.code == storage::Errc::kNoSuchFolder || error.code == storage::Errc::kNoSuchAccount ||
         error.code == storage::Errc::kNoPermission;
}

}  // namespace server::references
