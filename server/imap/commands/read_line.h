#pragma once

#include <optional>
#include <string>

#include "protocol/imap/reply.h"
#include "server/imap/session.h"

namespace server::imap {

struct LineRead {
  std::optional<std::string> text;  ///< without CRLF
  protocol::Reply instead;          ///< when there is none: end the command with it
};

/// One line that is no command, within a command: a SASL response.
asio::awaitable<LineRead> ReadLine(Session& session);

/// The reply that ends a command because the wait for input ended otherwise.
protocol::Reply EndOf(Wire::Event event);

}  // namespace server::imap
