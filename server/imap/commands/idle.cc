// IDLE (RFC 2177).
#include "protocol/model/ascii.h"
#include "server/imap/commands/handlers.h"
#include "server/imap/commands/read_line.h"

namespace server::imap {

using protocol::Bad;
using protocol::Bye;
using protocol::Ok;

namespace {

/// What queues news wakes nobody once IDLE is over.
class Armed {
 public:
  explicit Armed(Session& session) : session_(session) {}
  Armed(const Armed&) = delete;
  ~Armed() { session_.DisarmNews(); }
  /// True: there are news already.
  bool Arm() { return session_.ArmNews(); }

 private:
  Session& session_;
};

/// What ends IDLE without a further wait: the client has said DONE or something else, or the session is over.
/// nullptr: nothing. On the heap, and not inlined: Handle()'s frame is what each session in IDLE costs.
[[gnu::noinline]] std::unique_ptr<Reply> End(AuthenticatedContext& ctx) {
  auto step = ctx.wire.reader.Next();
  if (const auto* line = std::get_if<protocol::Line>(&step)) {
    const bool done = protocol::ascii::EqualNoCase(line->text, "DONE");
    return std::make_unique<Reply>(done ? Ok("IDLE completed") : Bad("Expected DONE"));
  }
  if (auto* bad = std::get_if<protocol::BadCommand>(&step))
    return std::make_unique<Reply>(bad->fatal ? Bye(bad->reply.text) : std::move(bad->reply));
  if (auto bye = ctx.session.Dismissal()) return std::make_unique<Reply>(*std::move(bye));
  return nullptr;
}

}  // namespace

asio::awaitable<Reply> Handle(const command::Idle&, AuthenticatedContext& ctx) {
  protocol::WriteContinuation(ctx.out, "idling");
  ctx.wire.reader.ExpectLine();
  Armed armed(ctx.session);
  const auto deadline = ctx.services.clock.Now() + ctx.services.options.idle_limit;
  for (;;) {
    if (const auto end = End(ctx)) co_return std::move(*end);
    // A push is made at once, whatever the reader holds.
    if (!ctx.session.PushFromMemory(ExpungePolicy::kAllowed)) {
      co_await ctx.session.Push(ExpungePolicy::kAllowed);
    }
    if (armed.Arm()) continue;
    const auto event = co_await ctx.wire.More(deadline);
    if (event == Wire::Event::kInput || event == Wire::Event::kNotified) continue;
    co_return EndOf(event);
  }
}

}  // namespace server::imap
