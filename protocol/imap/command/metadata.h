#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "protocol/model/metadata_entry.h"

/// METADATA (RFC 5464). The mailbox is UTF-8, canonical; empty: the server. Entry names are as the client
/// spelled them, and have been checked (MetadataNameFault).
namespace protocol::command {

/// RFC 5464 §4.2.
struct GetMetadata {
  std::string mailbox;
  std::vector<std::string> entries;  ///< at least one
  MetadataDepth depth = MetadataDepth::kEntry;
  std::optional<std::uint32_t> max_size;  ///< values longer than this are left out

  friend bool operator==(const GetMetadata&, const GetMetadata&) = default;
};

/// RFC 5464 §4.3.
struct SetMetadata {
  std::string mailbox;
  std::vector<std::pair<std::string, std::optional<std::string>>> entries;  ///< nullopt: to be removed

  friend bool operator==(const SetMetadata&, const SetMetadata&) = default;
};

}  // namespace protocol::command
