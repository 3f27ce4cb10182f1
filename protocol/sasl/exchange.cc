#include "protocol/sasl/exchange.h"

#include <array>
#include <utility>

#include "protocol/cpm/address.h"
#include "protocol/model/ascii.h"

namespace protocol::sasl {
namespace {

constexpr std::array<std::string_view, 2> kMechanisms = {"PLAIN", "LOGIN"};

/// More than any name or password that an account may have; hashing costs time per octet.
constexpr std::size_t kMaxField = 1024;

bool Acceptable(std::string_view field) {
  return !field.empty() && field.size() <= kMaxField && field.find('\0') == std::string_view::npos;
}

/// The same account in whatever spelling: "ann@Example.com" is "sip:ann@example.com".
bool SameIdentity(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto address = cpm::ParseLogin(a);
  return address && address == cpm::ParseLogin(b);
}

// message   = [authzid] UTF8NUL authcid UTF8NUL passwd               ; RFC 4616 §2
Step ParsePlain(std::string_view message) {
  const auto first = message.find('\0');
  if (first == std::string_view::npos) return Fault::kMalformed;
  const auto second = message.find('\0', first + 1);
  if (second == std::string_view::npos) return Fault::kMalformed;
  const auto authzid = message.substr(0, first);
  const auto authcid = message.substr(first + 1, second - first - 1);
  const auto password = message.substr(second + 1);
  if (!Acceptable(authcid) || !Acceptable(password)) return Fault::kMalformed;
  if (!authzid.empty() && !Acceptable(authzid)) return Fault::kMalformed;
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
      if (!Acceptable(*response)) return End(Fault::kMalformed);
      login_ = *response;
      state_ = State::kLoginPassword;
      return Challenge{"Password:"};
    case State::kLoginPassword:
      if (!response || !Acceptable(*response)) return End(Fault::kMalformed);
      return End(Credentials{std::move(login_), std::string(*response), {}});
    case State::kOver: break;
  }
  return Fault::kMalformed;
}

}  // namespace protocol::sasl
