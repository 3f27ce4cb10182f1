#pragma once

#include <string>
#include <vector>

namespace protocol::command {

/// RFC 5161 §3.1. Unknown names are ignored by the handler.
struct Enable {
  std::vector<std::string> capabilities;  ///< upper case, at least one

  friend bool operator==(const Enable&, const Enable&) = default;
};

}  // namespace protocol::command
