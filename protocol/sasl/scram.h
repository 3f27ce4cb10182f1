#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "protocol/sasl/scram_keys.h"

namespace protocol::sasl {

/// What ties an exchange to its TLS connection (RFC 5056); empty: this connection has none of that type.
struct ChannelBindings {
  std::string tls_exporter;          ///< RFC 9266
  std::string tls_server_end_point;  ///< RFC 5929 §4
  bool any() const { return !tls_exporter.empty() || !tls_server_end_point.empty(); }
};

enum class ScramFault {
  kMalformed,   ///< not the grammar of RFC 5802 §7
  kExtension,   ///< "m=": the client insists on what nobody has defined
  kDowngraded,  ///< the client would bind, and believes that we cannot: somebody took -PLUS off our list
  kBinding,     ///< a type that this connection does not have, or another connection's data
  kWrongProof,  ///< not that password
};

/// The server's side of SCRAM (RFC 5802, RFC 7677). No I/O, no randomness, no accounts:
///
///   ScramExchange exchange(ScramHash::kSha256, /*plus=*/true, bindings, /*plus_offered=*/true);
///   auto first = exchange.ReadFirst(response);                 // who it is
///   send(exchange.Challenge(keys_of(first->name), nonce));     // keys are made up if nobody has that name
///   auto signature = exchange.ReadFinal(response);             // "v=...", once the proof is right
///   send(*signature);                                          // the client's answer to it is empty
class ScramExchange {
 public:
  struct First {
    std::string name;     ///< as typed, its escapes undone
    std::string authzid;  ///< likewise; empty: itself
    friend bool operator==(const First&, const First&) = default;
  };

  /// `plus`: the mechanism's name ends in -PLUS. `plus_offered`: it was on the list of mechanisms.
  ScramExchange(ScramHash hash, bool plus, ChannelBindings bindings, bool plus_offered);

  /// client-first-message.
  tl::expected<First, ScramFault> ReadFirst(std::string_view message);
  /// server-first-message. `nonce`: fresh, printable, without a comma.
  std::string Challenge(ScramKeys keys, std::string_view nonce);
  /// client-final-message -> server-final-message.
  tl::expected<std::string, ScramFault> ReadFinal(std::string_view message);

  ScramHash hash() const { return hash_; }

 private:
  std::optional<ScramFault> ReadHeader(std::string_view& rest, std::string& authzid);

  const ScramHash hash_;
  const bool plus_;
  const ChannelBindings bindings_;
  const bool plus_offered_;
  std::string channel_;  ///< what the client must send back as "c="
  std::string first_bare_;
  std::string nonce_;
  std::string server_first_;
  ScramKeys keys_;
};

}  // namespace protocol::sasl
