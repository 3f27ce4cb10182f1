#include "protocol/sasl/identity.h"
#include "protocol/sasl/scram.h"
#include "server/auth/mechanism.h"

namespace server::auth {
namespace {

using protocol::sasl::Challenge;
using protocol::sasl::Fault;
using protocol::sasl::ScramExchange;
using protocol::sasl::ScramFault;
using protocol::sasl::ScramHash;

class ScramMechanism final : public Mechanism {
 public:
  ScramMechanism(ScramHash hash, bool plus, Authenticator& authenticator, const Channel& channel)
      : exchange_(hash, plus, Bindings(channel), Bindings(channel).any()),
        authenticator_(authenticator),
        peer_(channel.peer) {}

  asio::awaitable<Progress> Next(std::optional<std::string> response) override {
    switch (state_) {
      case State::kFirst: {
        if (!response)
          co_return Challenge{};  // RFC 4422 §5: "" asks for what the client should have begun with
        auto progress = co_await First(*response);
        co_return progress;
      }
      case State::kFinal: {
        state_ = State::kOver;
        if (!response) co_return Fault::kMalformed;
        auto progress = co_await Final(*response);
        co_return progress;
      }
      case State::kSigned:
        state_ = State::kOver;
        // IMAP's OK has no room for what we had to say last, so the client answers that with nothing.
        if (!response || !response->empty()) co_return Fault::kMalformed;
        co_return std::move(login_);
      case State::kOver: break;
    }
    co_return Fault::kMalformed;
  }

 private:
  enum class State { kFirst, kFinal, kSigned, kOver };

  static protocol::sasl::ChannelBindings Bindings(const Channel& channel) {
    return {.tls_exporter = channel.ends.exporter, .tls_server_end_point = channel.ends.server_end_point};
  }

  static Progress Refuse(ScramFault fault) {
    if (fault == ScramFault::kMalformed || fault == ScramFault::kExtension) return Fault::kMalformed;
    Login refused;
    refused.verdict = Verdict::kNotBound;
    return refused;
  }

  asio::awaitable<Progress> First(const std::string& message) {
    state_ = State::kOver;
    const auto first = exchange_.ReadFirst(message);
    if (!first) co_return Refuse(first.error());
    if (!first->authzid.empty() && !protocol::sasl::SameIdentity(first->authzid, first->name))
      act_as_ = first->authzid;
    auto claim = co_await authenticator_.FindScram(first->name, exchange_.hash());
    if (!claim) {
      Login unavailable;
      unavailable.verdict = Verdict::kUnavailable;
      co_return unavailable;
    }
    name_ = first->name;
    account_ = std::move(claim->account);
    state_ = State::kFinal;
    co_return Challenge{exchange_.Challenge(std::move(claim->keys), NewNonce())};
  }

  asio::awaitable<Progress> Final(const std::string& message) {
    auto signature = exchange_.ReadFinal(message);
    if (!signature && signature.error() != ScramFault::kWrongProof) co_return Refuse(signature.error());
    if (!signature) account_.reset();
    login_ = co_await authenticator_.ConcludeScram(name_, std::move(account_), act_as_, peer_);
    if (login_.verdict != Verdict::kAccepted) co_return std::move(login_);
    state_ = State::kSigned;
    co_return Challenge{*std::move(signature)};
  }

  ScramExchange exchange_;
  Authenticator& authenticator_;
  const asio::ip::address peer_;
  State state_ = State::kFirst;
  std::optional<storage::AccountInfo> account_;
  std::string name_;
  std::string act_as_;
  Login login_;
};

}  // namespace

std::unique_ptr<Mechanism> NewScramMechanism(ScramHash hash, bool plus, Authenticator& authenticator,
                                             Channel channel) {
  return std::make_unique<ScramMechanism>(hash, plus, authenticator, channel);
}

}  // namespace server::auth
