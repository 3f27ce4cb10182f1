#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "storage/store/folder.h"

namespace storage {

/// The conversations of an account that are not where their identity would put them: their owner has moved
/// them. Found by one walk over the account's folders and then remembered, so that recording into one, or
/// beginning a new one, does not cost a walk each time.
///
/// What is remembered is what was committed: a change of what it depends on (a conversation folder is renamed
/// or deleted) forgets it at once, whether it comes to be committed or not, and a transaction that sees
/// uncommitted changes beneath it remembers nothing. Both happen in the account's lane, so nothing gets in
/// between.
///
/// Memory: at most kMaxEntries accounts and conversations together, of at most 255 octets each.
/// Thread: any.
class MovedConversations {
 public:
  using ByIdentity = std::map<std::string, FolderId, std::less<>>;
  static constexpr std::size_t kMaxEntries = 64 * 1024;

  /// nullptr: not known.
  std::shared_ptr<const ByIdentity> Find(AccountId account) const {
    const std::scoped_lock lock(mutex_);
    const auto at = accounts_.find(account);
    return at == accounts_.end() ? nullptr : at->second;
  }

  void Keep(AccountId account, std::shared_ptr<const ByIdentity> moved) {
    const std::scoped_lock lock(mutex_);
    ForgetLocked(account);
    const std::size_t entries = EntriesOf(*moved);
    // Rare, and what is needed comes back with the next event: no order of use is kept for it.
    if (entries_ + entries > kMaxEntries) {
      accounts_.clear();
      entries_ = 0;
    }
    if (entries > kMaxEntries) return;
    accounts_.emplace(account, std::move(moved));
    entries_ += entries;
  }

  void Forget(AccountId account) {
    const std::scoped_lock lock(mutex_);
    ForgetLocked(account);
  }

 private:
  static std::size_t EntriesOf(const ByIdentity& moved) { return moved.size() + 1; }
  void ForgetLocked(AccountId account) {
    const auto at = accounts_.find(account);
    if (at == accounts_.end()) return;
    entries_ -= EntriesOf(*at->second);
    accounts_.erase(at);
  }

  mutable std::mutex mutex_;
  std::unordered_map<AccountId, std::shared_ptr<const ByIdentity>> accounts_;
  std::size_t entries_ = 0;
};

}  // namespace storage
