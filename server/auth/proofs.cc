#include "server/auth/proofs.h"

#include <chrono>

#include <spdlog/spdlog.h>

#include "server/auth/token_verifier.h"

namespace server::auth {

asio::awaitable<Login> CheckToken(Authenticator& authenticator, TokenVerifier& tokens, std::string_view token,
                                  std::string_view act_as, const asio::ip::address& peer) {
  const auto address = tokens.Verify(token, std::chrono::system_clock::now());
  std::vector<std::string> addresses;
  if (address) {
    addresses.push_back(*address);
  } else {
    spdlog::info("event=token_refused peer={} why=\"{}\"", peer.to_string(), address.error());
  }
  auto login = co_await authenticator.CheckIdentities(addresses, act_as, peer);
  co_return login;
}

asio::awaitable<Login> CheckEnds(Authenticator& authenticator, const net::TlsEnds& ends,
                                 std::string_view act_as, const asio::ip::address& peer) {
  if (ends.psk_owner) {
    const storage::AccountId account{*ends.psk_owner};
    auto owner = co_await authenticator.CheckAccount(account, act_as, peer);
    co_return owner;
  }
  auto login = co_await authenticator.CheckIdentities(ends.client_uris, act_as, peer);
  co_return login;
}

}  // namespace server::auth
