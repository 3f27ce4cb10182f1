#include "protocol/sasl/identity.h"
#include "server/auth/mechanism.h"
#include "server/auth/proofs.h"

namespace server::auth {
namespace {

using protocol::sasl::Challenge;
using protocol::sasl::Fault;

// message = [authzid]: UTF-8 without NUL                             ; RFC 4422 appendix A.1
class ExternalMechanism final : public Mechanism {
 public:
  ExternalMechanism(Authenticator& authenticator, Channel channel)
      : authenticator_(authenticator), channel_(std::move(channel)) {}

  asio::awaitable<Progress> Next(std::optional<std::string> response) override {
    if (over_) co_return Fault::kMalformed;
    if (!response) co_return Challenge{};
    over_ = true;
    if (!response->empty() && !protocol::sasl::IsAcceptable(*response)) co_return Fault::kMalformed;
    auto login = co_await CheckEnds(authenticator_, channel_.ends, *response, channel_.peer);
    co_return login;
  }

 private:
  Authenticator& authenticator_;
  const Channel channel_;
  bool over_ = false;
};

}  // namespace

std::unique_ptr<Mechanism> NewExternalMechanism(Authenticator& authenticator, Channel channel) {
  return std::make_unique<ExternalMechanism>(authenticator, std::move(channel));
}

}  // namespace server::auth
