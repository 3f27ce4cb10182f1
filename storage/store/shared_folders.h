#pragma once

#include <string>

#include "protocol/model/rights.h"
#include "storage/store/folder.h"

namespace storage {

/// A folder of another's account that somebody may see.
struct SharedFolder {
  FolderRef ref;
  std::string owner;  ///< the account's address
  std::string path;   ///< in that account
  protocol::SpecialUse use = protocol::SpecialUse::kNone;
  protocol::Rights rights;  ///< of whom it is shared with, as MYRIGHTS tells them
};

}  // namespace storage
