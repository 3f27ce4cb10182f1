#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/store/change_feed.h"

namespace server::imap {

/// Which METADATA entries others have changed (RFC 5464 §4.4.2), on the way to a session that enabled it.
/// Names are kept, each once, not changes. Bounded: a session that does not look for long hears of the
/// mailboxes and names that fitted.
///
/// Lifetime   on the heap, because the feed knows it by its address.
/// Thread     OnChange() any; the rest the session's.
class MetadataNews final : public storage::ChangeListener {
 public:
  struct Limits {
    std::size_t names = 1024;        ///< of all mailboxes
    std::size_t octets = 64 * 1024;  ///< of them and of the mailboxes' names
  };
  struct Changed {
    std::string path;                  ///< empty: the server
    std::vector<std::string> entries;  ///< at least one
  };

  /// `wake` is called on a committing thread, at most once for each Arm().
  MetadataNews(storage::ChangeFeed& feed, storage::AccountId account, storage::Origin own,
               std::function<void()> wake)
      : MetadataNews(feed, account, own, std::move(wake), Limits{}) {}
  MetadataNews(storage::ChangeFeed& feed, storage::AccountId account, storage::Origin own,
               std::function<void()> wake, Limits limits);
  MetadataNews(const MetadataNews&) = delete;

  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override;

  /// The server's first.
  std::vector<Changed> Take();

  /// The next news call `wake`. True: there are some already, nothing was armed.
  bool Arm();
  void Disarm();

 private:
  struct Mailbox {
    std::string path;
    std::map<std::string, std::string> names;  ///< by MetadataKey(), as they are spelled
    std::size_t octets = 0;                    ///< what it counts for
  };
  void Note(const storage::AnnotationsChanged& what);
  void Rename(const storage::FolderRenamed& what);
  void Forget(storage::FolderId folder);

  const storage::AccountId account_;
  const storage::Origin own_;
  const std::function<void()> wake_;
  const Limits limits_;
  std::mutex mutex_;
  std::map<storage::FolderId, Mailbox> mailboxes_;
  std::size_t names_ = 0;
  std::size_t octets_ = 0;
  bool armed_ = false;
  storage::ChangeFeed::Subscription subscription_;  ///< ends before what it calls
};

}  // namespace server::imap
