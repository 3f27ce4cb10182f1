#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "storage/store/folder.h"

namespace storage {

/// What SELECT tells of a large folder and must otherwise read all its state pages for. A picture is good for
/// as long as the folder has the HIGHESTMODSEQ it was taken at, since every change to presence or flags moves
/// that; so nothing needs to be told of changes.
///
/// Memory: at most kMaxRanges ranges of 8 octets, beside some hundred octets for each of at most as many
/// folders as share them. Thread: any.
class PictureCache {
 public:
  struct Picture {
    ModSeq modseq;
    UidSet uids;
    std::optional<Uid> first_unseen;
  };
  /// Folders with fewer messages are read about as fast as they are looked up.
  static constexpr std::uint32_t kWorthKeeping = 1024;
  static constexpr std::size_t kMaxRanges = 512 * 1024;

  std::shared_ptr<const Picture> Find(FolderRef folder, ModSeq modseq) const {
    const std::scoped_lock lock(mutex_);
    const auto at = pictures_.find(folder);
    return at != pictures_.end() && at->second->modseq == modseq ? at->second : nullptr;
  }

  void Keep(FolderRef folder, Picture picture) {
    const std::size_t ranges = RangesOf(picture);
    const std::scoped_lock lock(mutex_);
    if (const auto old = pictures_.find(folder); old != pictures_.end()) {
      ranges_ -= RangesOf(*old->second);
      pictures_.erase(old);
    }
    // Rare, and what is needed comes back with the next SELECT: no order of use is kept for it.
    if (ranges_ + ranges > kMaxRanges) {
      pictures_.clear();
      ranges_ = 0;
    }
    if (ranges > kMaxRanges) return;
    pictures_.emplace(folder, std::make_shared<const Picture>(std::move(picture)));
    ranges_ += ranges;
  }

 private:
  /// With a share for the entry itself, so that many small pictures are bounded, too.
  static std::size_t RangesOf(const Picture& picture) { return picture.uids.ranges().size() + 32; }

  mutable std::mutex mutex_;
  std::map<FolderRef, std::shared_ptr<const Picture>> pictures_;
  std::size_t ranges_ = 0;
};

}  // namespace storage
