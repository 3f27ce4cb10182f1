#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace server::net {

/// The pre-shared keys of TLS, in memory: a handshake cannot wait for the store. The composition root fills
/// it from there, the operator's API keeps it in step.
///
/// Thread: any.
class PskKeys {
 public:
  struct Entry {
    std::string key;
    std::uint64_t owner = 0;   ///< whom it proves; the caller's number
    std::uint64_t serial = 0;  ///< given by Set(): never that of another key, also of the same identity
  };
  void Set(const std::string& identity, Entry entry) {
    const std::lock_guard lock(mutex_);
    entry.serial = ++serial_;
    entries_.insert_or_assign(identity, std::move(entry));
  }
  void Remove(std::string_view identity) {
    const std::lock_guard lock(mutex_);
    if (const auto at = entries_.find(identity); at != entries_.end()) entries_.erase(at);
  }
  std::optional<Entry> Find(std::string_view identity) const {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(identity);
    return at == entries_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t serial_ = 0;  ///< the last that was given
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace server::net
