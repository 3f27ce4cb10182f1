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
  explicit Armed(Session& session) : folder_(session.selected()), metadata_(session.metadata()) {}
  Armed(const Armed&) = delete;
  ~Armed() {
    if (folder_ != nullptr) folder_->inbox.Disarm();
    if (metadata_ != nullptr) metadata_->Disarm();
  }
  /// True: there are news already.
  bool Arm() {
    if (folder_ != nullptr && folder_->inbox.Arm()) return true;
    return metadata_ != nullptr && metadata_->Arm();
  }

 private:
  SelectedFolder* const folder_;
  MetadataNews* const metadata_;
};

}  // namespace

asio::awaitable<Reply> Handle(const command::Idle&, AuthenticatedContext& ctx) {
  protocol::WriteContinuation(ctx.out, "idling");
  ctx.wire.reader.ExpectLine();
  Armed armed(ctx.session);
  const auto deadline = ctx.services.clock.Now() + ctx.services.options.idle_limit;
  for (;;) {
    auto step = ctx.wire.reader.Next();
    if (const auto* line = std::get_if<protocol::Line>(&step)) {
      if (protocol::ascii::EqualNoCase(line->text, "DONE")) co_return Ok("IDLE completed");
      co_return Bad("Expected DONE");
    }
    if (auto* bad = std::get_if<protocol::BadCommand>(&step)) {
      if (bad->fatal) co_return Bye(bad->reply.text);
      co_return std::move(bad->reply);
    }
    if (auto bye = ctx.session.AccountGone()) co_return *std::move(bye);
    // A push is made at once, whatever the reader holds.
    if (!ctx.session.SyncFromMemory(ExpungePolicy::kAllowed, false)) {
      co_await ctx.session.Sync(ExpungePolicy::kAllowed, false);
    }
    if (armed.Arm()) continue;
    const auto event = co_await ctx.wire.More(deadline);
    if (event == Wire::Event::kInput || event == Wire::Event::kNotified) continue;
    co_return EndOf(event);
  }
}

}  // namespace server::imap
