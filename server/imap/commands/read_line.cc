#include "server/imap/commands/read_line.h"

namespace server::imap {

using protocol::Bye;
using protocol::Reply;

Reply EndOf(Wire::Event event) {
  if (event == Wire::Event::kShutdown) {
    return Bye(protocol::ResponseCode::kUnavailable, "Server is shutting down");
  }
  return Bye("Waited too long");  // or the client has gone and will not read it
}

asio::awaitable<LineRead> ReadLine(Session& session) {
  Wire& wire = session.wire();
  wire.reader.ExpectLine();
  const auto since = session.services().clock.Now();
  for (;;) {
    auto step = wire.reader.Next();
    if (const auto* line = std::get_if<protocol::Line>(&step))
      co_return LineRead{std::string(line->text), {}};
    if (auto* bad = std::get_if<protocol::BadCommand>(&step)) {
      if (bad->fatal) co_return LineRead{std::nullopt, Bye(bad->reply.text)};
      co_return LineRead{std::nullopt, std::move(bad->reply)};
    }
    const auto event = co_await wire.More(session.ReadDeadline(since));
    if (event == Wire::Event::kInput || event == Wire::Event::kNotified) continue;
    co_return LineRead{std::nullopt, EndOf(event)};
  }
}

}  // namespace server::imap
