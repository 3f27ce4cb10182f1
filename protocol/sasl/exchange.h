#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace protocol::sasl {

/// The server asks for one more response; `octets` are not yet in base64.
struct Challenge {
  std::string octets;
  friend bool operator==(const Challenge&, const Challenge&) = default;
};

/// What the client claims; to be checked. Neither name nor password is empty.
struct Credentials {
  std::string login;  ///< as typed: protocol/cpm/address.h makes an address of it
  std::string password;
  std::string act_as;  ///< whom it wants to act for (RFC 4616 authzid), as typed; empty: itself
  friend bool operator==(const Credentials&, const Credentials&) = default;
};

enum class Fault {
  kMalformed,  ///< not this mechanism's grammar: BAD
};

using Step = std::variant<Challenge, Credentials, Fault>;

/// The server's side of one SASL exchange (RFC 4422) that ends in a name and a password: PLAIN (RFC 4616) and
/// LOGIN (which is no RFC's, but many clients'). No I/O; the profile's base64 is undone before, "*" (cancel)
/// never gets here.
///
///   auto exchange = Exchange::Start("plain");
///   Step step = exchange->Next(initial_response);   // nullopt: none was sent
///   while (Challenge) step = exchange->Next(response);
class Exchange {
 public:
  /// By name without regard to case; nullopt if it is not one of Mechanisms().
  static std::optional<Exchange> Start(std::string_view mechanism);

  /// After anything but a Challenge the exchange is over; more calls are kMalformed.
  Step Next(std::optional<std::string_view> response);

 private:
  enum class State { kPlain, kLoginName, kLoginPassword, kOver };
  explicit Exchange(State state) : state_(state) {}
  Step End(Step step);

  State state_;
  std::string login_;
};

/// "PLAIN", "LOGIN": in the order to advertise.
std::span<const std::string_view> Mechanisms();

}  // namespace protocol::sasl
