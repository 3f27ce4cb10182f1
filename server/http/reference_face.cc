#include "server/http/reference_face.h"

#include <exception>

#include <spdlog/spdlog.h>

#include "server/http/visitor.h"
#include "server/net/tls_ends.h"

namespace server::http {

asio::awaitable<void> ServeReferences(net::Stream stream, net::ConnectionInfo info, Services& services,
                                      const HttpOptions& options) {
  Visitor visitor;
  visitor.connection = info.id;
  visitor.peer = info.peer;
  visitor.private_line = stream.secure() || info.loopback;
  visitor.ends = stream.Ends();
  visitor.most_refusals = options.refusals;
  stream.SetWritePace({4096, options.write_stall});
  StreamWire wire(stream);
  beast::flat_buffer buffer;
  try {
    bool more = true;
    while (more && !stream.shutting_down()) {
      if (buffer.size() == 0) buffer = beast::flat_buffer();  // who is idle keeps none of what was read
      Call::Parser parser;
      // A place among the connections is kept for those who are known.
      const auto idle = visitor.proved ? options.keep_alive : options.request_limit;
      const auto error = co_await ReadHead(wire, buffer, parser, options, idle);
      const Face face{Caller::kVisitor, &visitor, options};
      more = co_await Answer(wire, buffer, parser, error, services, face);
    }
  } catch (const std::exception& e) {  // a bug or no memory: this connection ends, the server goes on
    spdlog::error("event=connection_failed conn={} what=\"{}\"", info.id, e.what());
  }
  stream.Close();
}

}  // namespace server::http
