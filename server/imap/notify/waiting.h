#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "protocol/imap/command/notify.h"
#include "server/imap/notify/metadata_names.h"
#include "storage/store/change_feed.h"

namespace server::imap::notify {

using protocol::NotifyEvent;
using protocol::NotifyEvents;

/// What a session is to be told of mailboxes that it has not selected. A mailbox has one STATUS, however many
/// changes it stands for, and a name is told as it is when it is told. Bounded: what does not fit is refused.
///
/// Invariant  in the order of `names()`, whoever takes each LIST for the truth ends with the right names.
class Waiting {
 public:
  struct Limits {
    std::size_t entries = 2048;       ///< mailboxes with a STATUS, and names
    std::size_t octets = 256 * 1024;  ///< of their names
    MetadataNames::Limits metadata;
  };
  struct Status {
    storage::FolderSummary now;
    NotifyEvents events;  ///< that it stands for
  };
  struct Name {
    std::string path;
    std::string old;        ///< it was renamed; else empty
    std::size_t below = 0;  ///< storage::FolderRenamed::below
    NotifyEvents events;    ///< that it stands for
  };

  Waiting() = default;
  explicit Waiting(Limits limits) : limits_(limits), metadata_(limits.metadata) {}

  // Each false: it does not fit, and this is as it was.
  bool NoteStatus(storage::FolderId folder, const storage::FolderSummary& now, NotifyEvents events);
  bool NoteName(const std::string& path, NotifyEvents events);
  bool NoteRename(const storage::FolderRenamed& what);
  /// False: some names were left out.
  bool NoteMetadata(const storage::AnnotationsChanged& what, storage::AccountId viewer) {
    return metadata_.Note(what, viewer);
  }

  /// What waits of the mailbox is told as it is now.
  void Refresh(storage::FolderId folder, const storage::FolderSummary& now);
  void Rename(const storage::FolderRenamed& what);
  void ForgetStatus(storage::FolderId folder);
  /// The mailbox is gone.
  void Forget(storage::FolderId folder);

  bool empty() const { return statuses_.empty() && names_.empty() && metadata_.empty(); }
  const std::map<storage::FolderId, Status>& statuses() const { return statuses_; }
  const std::vector<Name>& names() const { return names_; }
  const MetadataNames& metadata() const { return metadata_; }

 private:
  bool Fits(std::size_t octets) const {
    return statuses_.size() + names_.size() < limits_.entries && octets_ + octets <= limits_.octets;
  }

  Limits limits_;
  std::map<storage::FolderId, Status> statuses_;
  std::vector<Name> names_;
  std::unordered_map<std::string, std::size_t>
      plain_;                     ///< the last of `names_` of that path that is no rename
  std::size_t after_rename_ = 0;  ///< index behind the last rename
  MetadataNames metadata_;
  std::size_t octets_ = 0;
};

}  // namespace server::imap::notify
