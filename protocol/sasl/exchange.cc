#include "protocol/sasl/exchange.h"

#include <array>
#include <utility>

#include "protocol/model/ascii.h"
#include "protocol/sasl/identity.h"

namespace protocol::sasl {
namespace {

constexpr std::array<std::string_view, 2> kMechanisms = {"PLAIN", "LOGIN"};

// message   = [authzid] UTF8NUL authcid UTF8NUL passwd               ; RFC 4616 §2
Step ParsePlain(std::string_view message) {
  const auto first = message.find('\0');
  if (first == std::string_view::npos) return Fault::kMalformed;
  const auto second = message.find('\0', first + 1);
  if (second == std::string_view::npos) return Fault::kMalformed;
  const auto authzid = message.substr(0, first);
  const auto authcid = message.substr(first + 1, second - first - 1);
  const auto password = message.substr(second + 1);
  if (!IsAcceptable(authcid) || !IsAcceptable(password)) return Fault::kMalformed;
  if (!authzid.empty() && !IsAcceptable(authzid)) return Fault::kMalformed;
  const bool other = !authzid.empty() && !SameIdentity(authzid, authcid);
  return Credentials{std::string(authcid), std::string(password), other ? std::string(authzid) : ""};
}

}  // namespace

std::span<const std::string_view> Mechanisms() { return kMechanisms; }

std::optional<Exchange> Exchange::Start(std::string_view mechanism) {
  if (ascii::EqualNoCase(mechanism, "PLAIN")) return Exchange(State::kPlain);
  if (ascii::EqualNoCase(mechanism, "LOGIN")) return Exchange(State::kLoginName);
  return std::nullopt;
}

Step Exchange::End(Step step) {
  state_ = State::kOver;
  return step;
}

Step Exchange::Next(std::optional<std::string_view> response) {
  switch (state_) {
    case State::kPlain:
      if (!response) return Challenge{};
      return End(ParsePlain(*response));
    case State::kLoginName:
      if (!response) return Challenge{"Username:"};
      if (!IsAcceptable(*response)) return End(Fault::kMalformed);
      login_ = *response;
      state_ = State::kLoginPassword;
      return Challenge{"Password:"};
    case State::kLoginPassword:
      if (!response || !IsAcceptable(*response)) return End(Fault::kMalformed);
      return End(Credentials{std::move(login_), std::string(*response), {}});
    case State::kOver: break;
  }
  return Fault::kMalformed;
}

}  // namespace protocol::sasl
