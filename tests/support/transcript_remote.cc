#include <array>
#include <atomic>
#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "tests/support/transcript_server.h"

namespace tests::transcript {
namespace {

/// How long silence lasts before it is taken for an answer.
constexpr int kSilence = 2000;  // milliseconds

class RemoteServer final : public Server {
 public:
  explicit RemoteServer(const std::string& address) {
    const auto colon = address.rfind(':');
    endpoint_.sin_family = AF_INET;
    if (colon == std::string::npos ||
        ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &endpoint_.sin_addr) != 1) {
      throw std::runtime_error("expected IPV4:PORT, not " + address);
    }
    endpoint_.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    std::uint64_t random = 0;
    if (::getrandom(&random, sizeof random, 0) != sizeof random) throw std::runtime_error("getrandom");
    user_ = fmt::format("t{:016x}@example.com", random);
  }

  std::string user() const override { return user_; }

  std::unique_ptr<Client> Connect(const Approach&) override {
    server::net::UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&endpoint_), sizeof endpoint_) != 0) {
      throw std::runtime_error("cannot connect");
    }
    return std::make_unique<Client>(std::move(fd));
  }

  bool Await(Client& client, const std::function<bool()>& done) override {
    for (;;) {
      client.Exchange();
      if (done()) return true;
      if (client.ended()) return false;
      pollfd poll{.fd = client.fd(), .events = POLLIN, .revents = 0};
      if (::poll(&poll, 1, kSilence) <= 0) return false;
    }
  }

  bool InProcess() const override { return false; }
  std::optional<std::string> Given(std::string_view) override { return "not possible from outside"; }
  void Advance(std::chrono::seconds) override {}
  void Shutdown() override {}

 private:
  sockaddr_in endpoint_{};
  std::string user_;
};

}  // namespace

std::unique_ptr<Server> NewRemoteServer(const std::string& address) {
  return std::make_unique<RemoteServer>(address);
}

}  // namespace tests::transcript
