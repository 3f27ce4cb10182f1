#include "protocol/sasl/oauth.h"
#include "server/auth/mechanism.h"
#include "server/auth/proofs.h"

namespace server::auth {
namespace {

using protocol::sasl::Challenge;
using protocol::sasl::Fault;

/// RFC 7628 §3.2.2. No more than this: why is nobody's business who has no token.
constexpr std::string_view kInvalidToken = R"({"status":"invalid_token"})";

class OauthMechanism final : public Mechanism {
 public:
  OauthMechanism(Authenticator& authenticator, Channel channel)
      : authenticator_(authenticator), channel_(std::move(channel)) {}

  asio::awaitable<Progress> Next(std::optional<std::string> response) override {
    if (failed_) {
      // RFC 7628 §3.2.3: the client answers the error with %x01, or cancels; whatever it says, it is over.
      auto refused = std::move(*failed_);
      failed_.reset();
      over_ = true;
      co_return refused;
    }
    if (over_ || channel_.tokens == nullptr) co_return Fault::kMalformed;
    if (!response) co_return Challenge{};
    over_ = true;
    const auto message = protocol::sasl::ReadOauthMessage(*response);
    if (!message) co_return Fault::kMalformed;
    auto login = co_await CheckToken(authenticator_, *channel_.tokens, message->token, message->authzid,
                                     channel_.peer);
    if (login.verdict != Verdict::kRefused) co_return login;
    failed_ = std::move(login);
    co_return Challenge{std::string(kInvalidToken)};
  }

 private:
  Authenticator& authenticator_;
  const Channel channel_;
  std::optional<Login> failed_;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<Mechanism> NewOauthMechanism(Authenticator& authenticator, Channel channel) {
  return std::make_unique<OauthMechanism>(authenticator, std::move(channel));
}

}  // namespace server::auth
