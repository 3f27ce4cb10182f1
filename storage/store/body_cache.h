#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "protocol/mime/octets.h"
#include "storage/kv/engine.h"

namespace storage {

/// Chunks of long bodies that were read last: what has just been recorded is fetched by one device after the
/// other, and by those whom it is forwarded to. A chunk never changes and its key never comes again, so there
/// is nothing to be told of changes. Whether somebody may read it, and whether it is there, is asked before.
///
/// Memory: kMostOctets, and whatever else those who share a chunk keep. Thread: any.
class BodyCache {
 public:
  static constexpr std::size_t kMostOctets = 8 * 1024 * 1024;
  /// Shorter ones are copied about as fast as they are looked up.
  static constexpr std::size_t kWorthKeeping = 32 * 1024;

  /// A row of `bodies` by its key, from here or from `view`. nullopt: there is none.
  Result<std::optional<protocol::mime::Octets>> Get(const kv::View& view, const std::string& key);

 private:
  struct Entry {
    std::string key;
    protocol::mime::Octets octets;
  };

  std::optional<protocol::mime::Octets> Find(const std::string& key);
  void Keep(const std::string& key, const protocol::mime::Octets& octets);

  std::mutex mutex_;
  std::list<Entry> entries_;                                                 ///< the one read last is first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;  ///< views of the entries' keys
  std::size_t octets_ = 0;
};

}  // namespace storage
