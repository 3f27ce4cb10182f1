#include "server/references/cpim_cache.h"

#include <utility>

namespace server::references {
namespace {

/// About as many.
std::size_t OctetsOf(const CpimInside& inside) {
  constexpr std::size_t kEntry = 512;
  const std::size_t parts = inside.parts.size() * sizeof(protocol::mime::Part);
  return kEntry + inside.body_structure.size() + (inside.served ? 3 * parts : parts);
}

}  // namespace

CpimCache::Name CpimCache::NameOf(const MessagePart& what) {
  return {what.folder, what.uid, protocol::WriteSection(what.section)};
}

CpimInsidePtr CpimCache::Find(const MessagePart& what) {
  const auto name = NameOf(what);
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) return nullptr;
  uses_.splice(uses_.begin(), uses_, found->second.use);
  return found->second.inside;
}

void CpimCache::Put(const MessagePart& what, CpimInsidePtr inside) {
  auto name = NameOf(what);
  const std::scoped_lock lock(mutex_);
  const auto forget = [&](auto entry) {
    octets_ -= OctetsOf(*entry->second.inside);
    uses_.erase(entry->second.use);
    entries_.erase(entry);
  };
  if (const auto before = entries_.find(name); before != entries_.end()) forget(before);
  const std::size_t octets = OctetsOf(*inside);
  if (octets > most_) return;
  while (octets_ + octets > most_) forget(entries_.find(uses_.back()));
  octets_ += octets;
  uses_.push_front(name);
  entries_.emplace(std::move(name), Entry{std::move(inside), uses_.begin()});
}

}  // namespace server::references
