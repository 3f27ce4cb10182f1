#pragma once

#include <optional>
#include <string>

namespace protocol::command {

/// RFC 3501 §6.2.2, with the initial response of RFC 4959 §3.
struct Authenticate {
  std::string mechanism;                        ///< upper case
  std::optional<std::string> initial_response;  ///< decoded octets; "=" is present and empty

  friend bool operator==(const Authenticate&, const Authenticate&) = default;
};

/// RFC 3501 §6.2.3. Octets as sent.
struct Login {
  std::string user;
  std::string password;

  friend bool operator==(const Login&, const Login&) = default;
};

}  // namespace protocol::command
