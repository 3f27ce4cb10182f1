// CAPABILITY, NOOP, LOGOUT, ID, ENABLE, NAMESPACE, CHECK, COMPRESS.
#include <algorithm>
#include <array>
#include <span>

#include <spdlog/spdlog.h>

#include "protocol/imap/write/server.h"
#include "protocol/model/mailbox_name.h"
#include "server/imap/commands/handlers.h"

namespace server::imap {

using protocol::Bad;
using protocol::Ok;

asio::awaitable<Reply> Handle(const command::Capability&, AnyContext& ctx) {
  protocol::write::CapabilityLine(ctx.out, protocol::CapabilityWords(ctx.session.Capabilities()));
  co_return Ok("CAPABILITY completed");
}

asio::awaitable<Reply> Handle(const command::Noop&, AnyContext&) { co_return Ok("NOOP completed"); }

asio::awaitable<Reply> Handle(const command::Logout&, AnyContext& ctx) {
  co_await ctx.session.Deselect();
  ctx.session.SayBye(protocol::Bye("Logging out"));
  co_return Ok("LOGOUT completed");
}

asio::awaitable<Reply> Handle(const command::Id&, AnyContext& ctx) {
  const auto& options = ctx.services.options;
  const std::array<std::pair<std::string_view, std::string_view>, 2> fields{
      {{"name", options.product}, {"version", options.version}}};
  protocol::write::IdLine(ctx.out, fields);
  co_return Ok("ID completed");
}

// RFC 5161 §3.1: what is unknown is ignored.
asio::awaitable<Reply> Handle(const command::Enable& cmd, AuthenticatedContext& ctx) {
  std::vector<std::string> enabled;
  const auto asked = [&](std::string_view name) {
    return std::ranges::find(cmd.capabilities, name) != cmd.capabilities.end();
  };
  if (asked("METADATA")) {
    ctx.session.EnableMetadata();
    enabled.emplace_back("METADATA");
  }
  if (asked("CONDSTORE")) {
    ctx.session.EnableCondstore();
    enabled.emplace_back("CONDSTORE");
  }
  if (asked("QRESYNC")) {
    ctx.session.EnableQresync();
    enabled.emplace_back("QRESYNC");
  }
  if (asked("UIDONLY")) {
    ctx.session.EnableUidOnly();
    enabled.emplace_back("UIDONLY");
  }
  protocol::write::EnabledLine(ctx.out, enabled);
  co_return Ok("ENABLE completed");
}

asio::awaitable<Reply> Handle(const command::Namespace&, AuthenticatedContext& ctx) {
  const std::array<protocol::write::NamespacePrefix, 1> personal{{{""}}};
  const std::string prefix = std::string(kOtherUsers) + protocol::kHierarchyDelimiter;
  const std::array<protocol::write::NamespacePrefix, 1> others{{{prefix}}};
  protocol::write::NamespaceLine(ctx.out, personal, others, {});
  co_return Ok("NAMESPACE completed");
}

asio::awaitable<Reply> Handle(const command::Compress&, AuthenticatedContext& ctx) {
  if (ctx.wire.compressed()) co_return Bad("DEFLATE is active already");
  // RFC 4978 §3: whether what follows is compressed, nobody could say.
  if (ctx.wire.reader.HasInput()) co_return Bad("Wait for the answer to COMPRESS before the next command");
  ctx.session.Request(Session::Upgrade::kCompression);
  co_return Ok("DEFLATE active");
}

// RFC 3501 §6.4.1: there is nothing to check, all that was acknowledged is on stable storage.
asio::awaitable<Reply> Handle(const command::Check&, SelectedContext&) { co_return Ok("CHECK completed"); }

}  // namespace server::imap
