#pragma once

#include <optional>
#include <string>
#include <vector>

/// URLAUTH (RFC 4467) and URLAUTH=BINARY (RFC 5524). URLs are as the client spelled them: what they say is
/// looked at when they are used (url.h), because a bad one is an answer, not an error of the command.
namespace protocol::command {

/// RFC 4467 §7, BASE.6.3.RESETKEY.
struct ResetKey {
  std::optional<std::string> mailbox;   ///< UTF-8, canonical; nullopt: all keys of the user
  std::vector<std::string> mechanisms;  ///< in upper case; none: INTERNAL

  friend bool operator==(const ResetKey&, const ResetKey&) = default;
};

/// RFC 4467 §7, BASE.6.3.GENURLAUTH.
struct GenUrlAuth {
  struct Request {
    std::string url;
    std::string mechanism;  ///< in upper case
    friend bool operator==(const Request&, const Request&) = default;
  };
  std::vector<Request> requests;  ///< at least one

  friend bool operator==(const GenUrlAuth&, const GenUrlAuth&) = default;
};

/// RFC 4467 §7, BASE.6.3.URLFETCH; RFC 5524 §3.1.
struct UrlFetch {
  struct Request {
    std::string url;
    bool body = false;
    bool binary = false;  ///< not with `body`
    bool body_part_structure = false;
    /// Without parameters it is answered as RFC 4467 has it, in parentheses or not.
    bool extended() const { return body || binary || body_part_structure; }
    friend bool operator==(const Request&, const Request&) = default;
  };
  std::vector<Request> requests;  ///< at least one

  friend bool operator==(const UrlFetch&, const UrlFetch&) = default;
};

}  // namespace protocol::command
