#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "storage/store/change_feed.h"

namespace server::imap {

/// One folder's news on their way from the committing threads to one session. Bounded: a session that does
/// not look for long loses the details, learns so, and reads the difference from the store.
///
/// Lifetime   outlives its subscription to the feed.
/// Thread     OnChange() any; the rest the session's.
class ChangeInbox final : public storage::ChangeListener {
 public:
  struct Limits {
    std::size_t changes = 256;
    std::size_t states = 64 * 1024;  ///< messages named by FlagsChanged in the queue
  };

  /// `wake` is called on a committing thread, at most once for each Arm().
  /// `foreign`: a folder of another's account, which the session hears nothing else of: when that is closed,
  /// the folder is gone.
  ChangeInbox(storage::FolderId folder, std::function<void()> wake, bool foreign = false)
      : ChangeInbox(folder, std::move(wake), Limits{}) {
    foreign_ = foreign;
  }
  ChangeInbox(storage::FolderId folder, std::function<void()> wake, Limits limits)
      : folder_(folder), wake_(std::move(wake)), limits_(limits) {}

  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override;

  struct News {
    std::vector<std::shared_ptr<const storage::Change>> changes;  ///< in commit order
    bool lost = false;  ///< some were dropped: read the folder, whatever comes from now on is queued again
  };
  News Take();

  /// The next change calls `wake`. True: news are waiting already, nothing was armed.
  bool Arm();
  void Disarm();

 private:
  bool Concerns(const storage::Change& change) const;

  const storage::FolderId folder_;
  const std::function<void()> wake_;
  const Limits limits_;
  mutable std::mutex mutex_;
  News news_;
  std::size_t states_ = 0;
  bool armed_ = false;
  bool foreign_ = false;
};

}  // namespace server::imap
