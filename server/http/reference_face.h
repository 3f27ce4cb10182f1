#pragma once

#include "server/http/http_server.h"
#include "server/net/listener.h"

namespace server::http {

/// Serves one connection of the reference service, where callers prove who they are: on the reactors, over
/// TLS, requests one after the other. `services` outlives it and has `references`.
asio::awaitable<void> ServeReferences(net::Stream stream, net::ConnectionInfo info, Services& services,
                                      const HttpOptions& options);

}  // namespace server::http
