#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/model/metadata_entry.h"

namespace storage {

/// Names of entries are in any spelling; equal without regard to case, they are one entry.
struct AnnotationQuery {
  std::vector<std::string> entries;
  protocol::MetadataDepth depth = protocol::MetadataDepth::kEntry;
  std::optional<std::uint64_t> max_size;  ///< octets: longer values are left out
};

struct Annotation {
  std::string entry;  ///< as it was asked for, or (found below what was asked for) as it was set
  std::optional<std::string> value;
  bool kept = false;  ///< by the store itself: a user cannot set it
  friend bool operator==(const Annotation&, const Annotation&) = default;
};

struct AnnotationAnswer {
  /// In the order of the query, inferiors after what they were found below. With depth kEntry an entry
  /// without a value is there as such; otherwise only what has a value is.
  std::vector<Annotation> found;
  std::uint64_t longest_left_out = 0;  ///< octets, of the values over max_size
};

struct AnnotationChange {
  std::string entry;
  std::optional<std::string> value;  ///< nullopt: to be removed
};

}  // namespace storage
