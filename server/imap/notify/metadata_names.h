#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "storage/store/change_feed.h"

namespace server::imap::notify {

/// Which METADATA entries have changed (RFC 5464 §4.4.2), on the way to a session. Names are kept, each once
/// a mailbox, not changes.
class MetadataNames {
 public:
  struct Limits {
    std::size_t names = 1024;        ///< of all mailboxes
    std::size_t octets = 64 * 1024;  ///< of them and of the mailboxes' names
  };
  struct Changed {
    std::string path;                  ///< empty: the server
    std::vector<std::string> entries;  ///< at least one
  };

  MetadataNames() = default;
  explicit MetadataNames(Limits limits) : limits_(limits) {}

  /// Those that `viewer` sees. False: not all fitted, and the others are left out.
  bool Note(const storage::AnnotationsChanged& what, storage::AccountId viewer);
  void Rename(storage::FolderId folder, const std::string& to);
  void Forget(storage::FolderId folder);

  bool empty() const { return mailboxes_.empty(); }
  /// The server's first.
  std::vector<Changed> All() const;

 private:
  struct Mailbox {
    std::string path;
    std::map<std::string, std::string> names;  ///< by MetadataKey(), as they are spelled
    std::size_t octets = 0;                    ///< what it counts for
  };

  Limits limits_;
  std::map<storage::FolderId, Mailbox> mailboxes_;
  std::size_t names_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace server::imap::notify
