#pragma once

#include <string>
#include <vector>

namespace protocol::command {

/// CANCELUPDATE, RFC 5267 §4.3.5: ends what RETURN (UPDATE) of these commands began.
struct CancelUpdate {
  std::vector<std::string> tags;  ///< at least one

  friend bool operator==(const CancelUpdate&, const CancelUpdate&) = default;
};

}  // namespace protocol::command
