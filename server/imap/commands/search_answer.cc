#include "server/imap/commands/search_answer.h"

#include <algorithm>

namespace server::imap {

std::optional<Reply> TagInUse(SelectedContext& ctx, const protocol::command::Search& cmd) {
  if (!cmd.returns || !cmd.returns->update) return std::nullopt;
  if (!ctx.session.selected()->contexts.Has(ctx.session.tag())) return std::nullopt;
  return protocol::Bad("A search with this tag has updates: use another tag, or CANCELUPDATE it first");
}

void BeginUpdates(SelectedContext& ctx, const protocol::command::Sort& cmd, std::vector<Uid> result) {
  const auto tag = ctx.session.tag();
  auto refusal = ctx.session.selected()->contexts.Begin(tag, cmd, std::move(result), ctx.view);
  if (!refusal) return;
  const protocol::ResponseCode::NoUpdate code{std::string(tag)};
  protocol::WriteUntagged(ctx.out, protocol::No(code, *std::move(refusal)));
}

void WriteExtended(std::string& out, std::string_view tag, const protocol::command::Search& cmd,
                   const SearchResult& found) {
  const protocol::SearchReturn& want = *cmd.returns;
  // SAVE alone has no answer (RFC 5182 §2.1). CONTEXT or UPDATE alone has one that tells nothing, as the
  // result of RETURN is an ESEARCH (RFC 4466 §2.6.2).
  const bool tells = want.min || want.max || want.all || want.count || want.partial;
  if (!tells && !want.context && !want.update) return;
  protocol::write::EsearchResult result{.tag = tag, .numbers = cmd.numbers, .modseq = found.modseq};
  if (want.count) result.count = static_cast<std::uint32_t>(found.count);
  if (want.partial) result.partial = protocol::write::EsearchResult::Partial{*want.partial, found.part};
  if (!found.all.empty()) {
    if (want.min) result.min = found.all.front().first;
    if (want.max) result.max = found.all.back().last;
    if (want.all) result.all = found.all;
  }
  protocol::write::EsearchLine(out, result);
}

UidSet Answered(const protocol::SearchReturn& want, const UidSet& found, Uid first, Uid last,
                const UidSet& part) {
  if (found.empty() || want.all || want.count || (!want.min && !want.max && !want.partial)) return found;
  UidSet answered;
  if (want.partial) answered = part;
  if (want.min) answered.Add(first);
  if (want.max) answered.Add(last);
  return answered;
}

storage::Result<storage::ModSeq> HighestModSeq(const SelectedContext& ctx, const UidSet& answered) {
  const auto reader = ctx.store.Read(ctx.view.folder(), ctx.actor);
  if (!reader) return tl::unexpected(reader.error());
  storage::ModSeq highest;
  const auto read = reader->States(
      answered, [&](const storage::MessageState& state) { highest = std::max(highest, state.modseq); });
  if (!read) return tl::unexpected(read.error());
  return highest;
}

}  // namespace server::imap
