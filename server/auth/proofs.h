#pragma once

#include <string_view>

#include "server/auth/authenticator.h"
#include "server/net/tls_ends.h"

/// Whom a connection or a token proves, for every face.
namespace server::auth {

class TokenVerifier;

/// For one who shows a token of the authorization server. Why it is refused is in the log.
asio::awaitable<Login> CheckToken(Authenticator& authenticator, TokenVerifier& tokens, std::string_view token,
                                  std::string_view act_as, const asio::ip::address& peer);
/// For one whom the TLS handshake proves, by a pre-shared key or a certificate.
asio::awaitable<Login> CheckEnds(Authenticator& authenticator, const net::TlsEnds& ends,
                                 std::string_view act_as, const asio::ip::address& peer);

}  // namespace server::auth
