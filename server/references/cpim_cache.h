#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "server/references/cpim_inside.h"
#include "server/references/url_authority.h"

namespace server::references {

/// What the CPIMs hold that were looked into last: who plays a video that is in one asks for range after
/// range, and each would have all of the CPIM read.
///
/// Thread: any.
class CpimCache {
 public:
  /// `octets`: of memory, at most.
  explicit CpimCache(std::size_t octets) : most_(octets) {}

  /// To be given to PartReader::Open(), which sees whether it is the right one. nullptr: not known.
  CpimInsidePtr Find(const MessagePart& what);
  /// What PartReader::Open() of `what` has looked into.
  void Put(const MessagePart& what, CpimInsidePtr inside);

 private:
  using Name = std::tuple<storage::FolderRef, storage::Uid, std::string>;
  struct Entry {
    CpimInsidePtr inside;
    std::list<Name>::iterator use;
  };
  static Name NameOf(const MessagePart& what);

  const std::size_t most_;
  std::mutex mutex_;
  std::map<Name, Entry> entries_;
  std::list<Name> uses_;  ///< the last one first
  std::size_t octets_ = 0;
};

}  // namespace server::references
