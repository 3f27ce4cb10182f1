#include "server/auth/mechanism.h"

#include <algorithm>
#include <array>

#include "protocol/model/ascii.h"

namespace server::auth {
namespace {

using protocol::sasl::Challenge;
using protocol::sasl::Credentials;
using protocol::sasl::Fault;
using protocol::sasl::ScramHash;

/// PLAIN and LOGIN, which end in a name and a password.
class PasswordMechanism final : public Mechanism {
 public:
  PasswordMechanism(protocol::sasl::Exchange exchange, Authenticator& authenticator, Channel channel)
      : exchange_(std::move(exchange)), authenticator_(authenticator), channel_(std::move(channel)) {}

  asio::awaitable<Progress> Next(std::optional<std::string> response) override {
    auto step = exchange_.Next(response);
    if (auto* challenge = std::get_if<Challenge>(&step)) co_return std::move(*challenge);
    if (const auto* fault = std::get_if<Fault>(&step)) co_return *fault;
    const auto claim = std::get<Credentials>(std::move(step));
    auto login = co_await authenticator_.CheckFor(claim.login, claim.password, claim.act_as, channel_.peer);
    co_return login;
  }

 private:
  protocol::sasl::Exchange exchange_;
  Authenticator& authenticator_;
  const Channel channel_;
};

struct ScramName {
  std::string_view name;
  ScramHash hash;
  bool plus;
};
constexpr std::array kScram = {ScramName{"SCRAM-SHA-256-PLUS", ScramHash::kSha256, true},
                               ScramName{"SCRAM-SHA-256", ScramHash::kSha256, false},
                               ScramName{"SCRAM-SHA-1-PLUS", ScramHash::kSha1, true},
                               ScramName{"SCRAM-SHA-1", ScramHash::kSha1, false}};

}  // namespace

std::unique_ptr<Mechanism> StartMechanism(std::string_view name, Authenticator& authenticator,
                                          Channel channel) {
  using protocol::ascii::EqualNoCase;
  if (auto exchange = protocol::sasl::Exchange::Start(name))
    return std::make_unique<PasswordMechanism>(*std::move(exchange), authenticator, std::move(channel));
  const auto scram = std::ranges::find_if(kScram, [&](const auto& s) { return EqualNoCase(s.name, name); });
  if (scram != kScram.end())
    return NewScramMechanism(scram->hash, scram->plus, authenticator, std::move(channel));
  if (EqualNoCase(name, "EXTERNAL")) return NewExternalMechanism(authenticator, std::move(channel));
  if (EqualNoCase(name, "OAUTHBEARER")) return NewOauthMechanism(authenticator, std::move(channel));
  return nullptr;
}

}  // namespace server::auth
