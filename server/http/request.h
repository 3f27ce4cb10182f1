#pragma once

#include "server/http/route_table.h"

namespace server::http {

struct HttpOptions {
  /// All of a header; 4096 octets of a body; all that is read of a body when it is refused.
  std::chrono::seconds request_limit{60};
  std::chrono::seconds write_stall{60};  ///< in which who fetches by reference takes 4096 octets
  std::chrono::seconds keep_alive{300};  ///< between two requests of a connection
  /// Of a connection of the reference service, until somebody is proved; and 401 after that: the last is told
  /// that it was.
  std::size_t refusals = 8;
  std::size_t header_limit = 16 * 1024;  ///< octets of a request's header
  std::size_t connections = 256;         ///< at once
};

/// Reads a request's header; what came after it stays in `buffer`. An error of the category of
/// beast::http::error is the caller's fault, but for end_of_stream. `idle`: for so long nothing may come.
asio::awaitable<ErrorCode> ReadHead(HttpWire& wire, beast::flat_buffer& buffer, Call::Parser& parser,
                                    const HttpOptions& options, std::chrono::seconds idle);

/// On which face, and who.
struct Face {
  Caller caller = Caller::kMonitor;
  Visitor* visitor = nullptr;  ///< with kVisitor
  const HttpOptions& options;
};

/// Answers the request whose header was read with `error`. False: no other may follow on this connection.
asio::awaitable<bool> Answer(HttpWire& wire, beast::flat_buffer& buffer, Call::Parser& parser,
                             ErrorCode error, Services& services, Face face);

/// Why the header is not one that everybody between the caller and us understands alike (RFC 9112 §6.3,
/// §3.2); empty: it is.
std::string_view AmbiguityOf(const Call::Parser::value_type& request);

}  // namespace server::http
