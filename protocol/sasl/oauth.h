#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace protocol::sasl {

/// A client's message of OAUTHBEARER (RFC 7628 §3.1).
struct OauthMessage {
  std::string authzid;  ///< empty: itself
  std::string token;    ///< of "auth=Bearer ..."
  friend bool operator==(const OauthMessage&, const OauthMessage&) = default;
};

/// nullopt: not the grammar, another scheme than Bearer, or a channel binding, which this mechanism has not.
std::optional<OauthMessage> ReadOauthMessage(std::string_view message);

}  // namespace protocol::sasl
