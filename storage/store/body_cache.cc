#include "storage/store/body_cache.h"

#include <iterator>

namespace storage {

using protocol::mime::Octets;

Result<std::optional<Octets>> BodyCache::Get(const kv::View& view, const std::string& key) {
  if (auto kept = Find(key)) return kept;
  ASSIGN_OR_RETURN(auto read, view.GetShared(kv::Table::kBodies, key));
  if (!read) return std::optional<Octets>{};
  const Octets octets(std::move(read->owner), read->octets);
  if (octets.size() >= kWorthKeeping) Keep(key, octets);
  return std::optional(octets);
}

std::optional<Octets> BodyCache::Find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->octets;
}

void BodyCache::Keep(const std::string& key, const Octets& octets) {
  std::list<Entry> gone;  // freed after the lock is
  const std::lock_guard lock(mutex_);
  if (by_key_.contains(key)) return;
  entries_.push_front({key, octets});
  by_key_.emplace(entries_.front().key, entries_.begin());
  octets_ += octets.size();
  while (octets_ > kMostOctets) {
    octets_ -= entries_.back().octets.size();
    by_key_.erase(entries_.back().key);
    gone.splice(gone.begin(), entries_, std::prev(entries_.end()));
  }
}

}  // namespace storage
