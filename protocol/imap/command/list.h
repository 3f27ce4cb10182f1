#pragma once

#include <string>
#include <vector>

namespace protocol::command {

/// RFC 3501 §6.3.8. Reference and patterns are UTF-8, not canonicalised (MatchesListPattern takes care of
/// INBOX); the reference is prepended by the handler.
struct List {
  std::string reference;
  std::vector<std::string> patterns;  ///< exactly one until LIST-EXTENDED (RFC 5258) allows more

  friend bool operator==(const List&, const List&) = default;
};

/// RFC 3501 §6.3.9.
struct Lsub {
  std::string reference;
  std::string pattern;

  friend bool operator==(const Lsub&, const Lsub&) = default;
};

}  // namespace protocol::command
