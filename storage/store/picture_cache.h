#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

#include "storage/store/folder.h"

namespace storage {

/// What one change does to a folder's state pages.
struct PagesChanged {
  FolderRef folder;
  ModSeq before;  ///< the folder's HIGHESTMODSEQ
  ModSeq after;   ///< the change's own
  std::vector<std::uint32_t> pages;
};

/// What SELECT tells of a large folder, and which of its state pages a returning client must be shown: else
/// all of them are read for it.
struct FolderPicture {
  struct Page {
    std::uint32_t number = 0;
    ModSeq highest;    ///< of the messages that are there
    Uid first_unseen;  ///< 0: none
  };

  ModSeq modseq;  ///< the folder's HIGHESTMODSEQ
  UidSet uids;
  std::vector<Page> pages;  ///< in order; an empty page has none

  std::optional<Uid> FirstUnseen() const;
};

/// Pictures of large folders, each with the numbers of the pages that have changed since it was taken, so
/// that the next one reads only these.
///
/// Every change is noted before it is committed, so a note may be of a change that never came, or is not to
/// be seen yet; that costs a page read for nothing. Changes to one folder come one after the other. What is
/// missing is found out by the folder's HIGHESTMODSEQ, which each change moves: a note that does not go on
/// where the last one ended has others before it that were not heard, and then the picture is of no more use.
///
/// Memory: at most kMaxRanges ranges of 8 octets, beside some hundred octets for each of at most as many
/// folders as share them. Thread: any.
class PictureCache {
 public:
  /// Folders with fewer messages are read about as fast as they are looked up.
  static constexpr std::uint32_t kWorthKeeping = 1024;
  static constexpr std::size_t kMaxRanges = 512 * 1024;

  struct Known {
    std::shared_ptr<const FolderPicture> picture;
    std::vector<std::uint32_t> changed;  ///< since then, in order: these pages are to be read
  };
  /// For a view of the store in which the folder has this HIGHESTMODSEQ. nullopt: read all pages.
  std::optional<Known> Find(FolderRef folder, ModSeq modseq) const;

  void Keep(FolderRef folder, FolderPicture picture);

  /// REQUIRES: the change is not committed yet, and is the folder's next.
  void Note(const PagesChanged& change);

 private:
  struct Entry {
    std::shared_ptr<const FolderPicture> picture;
    ModSeq noted;                             ///< all changes up to here are in the picture or in `changed`
    std::map<std::uint32_t, ModSeq> changed;  ///< page, the last change to it
    std::size_t Cost() const { return picture->uids.ranges().size() + 3 * picture->pages.size() + 32; }
  };

  mutable std::mutex mutex_;
  std::map<FolderRef, Entry> entries_;
  std::size_t cost_ = 0;
};

}  // namespace storage
