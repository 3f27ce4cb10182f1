// GETMETADATA, SETMETADATA (RFC 5464). Which entries there are and who may set them is the store's to say.
#include "protocol/imap/write/metadata.h"

#include "server/imap/commands/handlers.h"

namespace server::imap {

using protocol::Ok;
using protocol::ResponseCode;

asio::awaitable<Reply> Handle(const command::GetMetadata& cmd, AuthenticatedContext& ctx) {
  const storage::AnnotationQuery query{cmd.entries, cmd.depth, cmd.max_size};
  auto read = [&]() -> storage::Result<storage::AnnotationAnswer> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.GetAnnotations(place->account, place->path, query, ctx.account, place->actor);
  };
  const auto answer = co_await ctx.storage.Run(read);
  if (!answer) co_return ctx.Failed(answer.error());
  if (!answer->found.empty()) {
    protocol::write::MetadataLine line(ctx.out, cmd.mailbox);
    for (const auto& annotation : answer->found) {
      line.Add(annotation.entry, annotation.value);
      if (!ctx.wire.out.Full()) continue;
      const bool flushed = co_await ctx.wire.out.Flush();
      if (!flushed) break;
    }
    line.End();
  }
  if (answer->longest_left_out == 0) co_return Ok("GETMETADATA completed");
  co_return Ok(ResponseCode::MetadataLongEntries{answer->longest_left_out},
               "GETMETADATA completed, without the longer values");
}

asio::awaitable<Reply> Handle(const command::SetMetadata& cmd, AuthenticatedContext& ctx) {
  std::vector<storage::AnnotationChange> changes;
  for (const auto& [entry, value] : cmd.entries) changes.push_back({entry, value});
  auto set = [&]() -> storage::Result<> {
    const auto place = ctx.Find(cmd.mailbox);
    if (!place) return tl::unexpected(place.error());
    return ctx.store.SetAnnotations(place->account, place->path, changes, ctx.account, place->actor);
  };
  const auto done = co_await ctx.storage.Run(set);
  if (!done) co_return ctx.Failed(done.error());
  co_return Ok("SETMETADATA completed");
}

}  // namespace server::imap
