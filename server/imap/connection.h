#pragma once

#include "server/imap/services.h"
#include "server/net/listener.h"
#include "server/net/stream.h"

namespace server::imap {

/// One IMAP connection from greeting to goodbye. Its frame owns everything the connection uses; nothing is
/// detached.
///
/// To run it in a test, without a network and without time:
///
///   FakeClock clock;
///   net::Reactor reactor(clock);                    // declared before whatever holds streams
///   net::StorageExecutor storage, passwords;        // destroyed before the reactor
///   auth::Authenticator authenticator(store, storage, passwords, clock);
///   Services services{store, storage, authenticator, clock, log, options, /*tls=*/nullptr};
///   socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
///   net::Stream stream(reactor, net::UniqueFd(fds[0]), "test");
///   net::ConnectionInfo info{.id = 1, .loopback = true};   // with options.plaintext_login_on_loopback
///   asio::co_spawn(reactor.context(), ServeConnection(std::move(stream), info, services), asio::detached);
///   // write to fds[1], reactor.context().run_one() until the expected line is there; clock.Advance() and
///   // reactor.Sweep() for deadlines; reactor.Shutdown() for the goodbye.
///
/// `info.id` is unique among the connections of a store: it is the Origin of their changes. `services`
/// outlives the connection.
asio::awaitable<void> ServeConnection(net::Stream stream, net::ConnectionInfo info, const Services& services);

}  // namespace server::imap
