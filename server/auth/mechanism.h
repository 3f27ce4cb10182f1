#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <boost/asio/ip/address.hpp>

#include "protocol/sasl/exchange.h"
#include "server/auth/authenticator.h"
#include "server/net/asio.h"
#include "server/net/tls_ends.h"

namespace server::auth {

class TokenVerifier;

/// The connection on which somebody authenticates.
struct Channel {
  asio::ip::address peer;
  net::TlsEnds ends;
  TokenVerifier* tokens = nullptr;  ///< outlives the exchange; nullptr: OAUTHBEARER is not offered
};

/// A challenge to send, the end, or a response that is not of the mechanism's grammar.
using Progress = std::variant<protocol::sasl::Challenge, Login, protocol::sasl::Fault>;

/// One SASL exchange with all that it takes to come to a verdict: the bytes are protocol/sasl's, what they
/// prove is the Authenticator's.
class Mechanism {
 public:
  virtual ~Mechanism() = default;
  /// nullopt: no initial response was sent. After anything but a challenge the exchange is over.
  virtual asio::awaitable<Progress> Next(std::optional<std::string> response) = 0;
};

/// By name, without regard to case; nullptr: there is none of that name. Whether it is offered on this
/// connection is the caller's to know. `authenticator` outlives it.
std::unique_ptr<Mechanism> StartMechanism(std::string_view name, Authenticator& authenticator,
                                          Channel channel);

/// EXTERNAL (RFC 4422 appendix A).
std::unique_ptr<Mechanism> NewExternalMechanism(Authenticator& authenticator, Channel channel);
/// OAUTHBEARER (RFC 7628).
std::unique_ptr<Mechanism> NewOauthMechanism(Authenticator& authenticator, Channel channel);
/// SCRAM-* and SCRAM-*-PLUS.
std::unique_ptr<Mechanism> NewScramMechanism(protocol::sasl::ScramHash hash, bool plus,
                                             Authenticator& authenticator, Channel channel);

}  // namespace server::auth
