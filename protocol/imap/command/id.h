#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace protocol::command {

/// RFC 2971 §3.1. "ID NIL" is an empty list; a value may be NIL.
struct Id {
  std::vector<std::pair<std::string, std::optional<std::string>>> fields;

  friend bool operator==(const Id&, const Id&) = default;
};

}  // namespace protocol::command
