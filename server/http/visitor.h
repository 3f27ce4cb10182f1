#pragma once

#include <optional>
#include <string>

#include <boost/asio/ip/address.hpp>

#include "server/auth/authenticator.h"
#include "server/http/call.h"
#include "server/http/request.h"
#include "server/http/services.h"
#include "server/net/tls_ends.h"

namespace server::http {

/// Who has connected to the face where callers prove who they are.
struct Visitor {
  std::uint64_t connection = 0;  ///< "conn=" of the log
  asio::ip::address peer;
  bool private_line = false;  ///< TLS, or from this machine: a token may be shown
  net::TlsEnds ends;
  std::size_t most_refusals = HttpOptions().refusals;

  bool proved = false;       ///< somebody has been, on this connection
  std::size_t refusals = 0;  ///< what came of requests that proved nobody, since
};

/// Whether the caller shows anything by which somebody could be known: a bearer token (RFC 6750 §2.1), a
/// client certificate, a pre-shared key.
bool ShowsProof(const Call& call);

/// Whom the caller proves to be, acting for `act_as` (as typed; empty: for itself). Who may act for whom is
/// the Authenticator's to say.
asio::awaitable<auth::Login> WhoCalls(Call& call, Services& services, std::string_view act_as);

/// The same for resources that are for those alone, and whose query they may then be told is wrong; nullopt:
/// already answered.
asio::awaitable<std::optional<auth::Login>> Identify(Call& call, Services& services, std::string_view act_as);

/// The answer to whom nothing is told: 401, the same whatever was asked for.
asio::awaitable<void> AskForProof(Call& call);
/// 404, the same for all that is not to be had.
asio::awaitable<void> NothingHere(Call& call);

/// What a PF has done is written down, if it was in an account of another.
void Audit(const Call& call, Services& services, const auth::Login& login, std::string command,
           std::string folder, std::string messages, std::string outcome);

}  // namespace server::http
