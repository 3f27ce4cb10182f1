#include "server/imap/commands/search_answer.h"

namespace server::imap {

void WriteExtended(std::string& out, std::string_view tag, const protocol::command::Search& cmd,
                   const std::vector<protocol::NumberRange>& ranges, std::uint64_t count,
                   std::optional<storage::ModSeq> modseq) {
  const protocol::SearchReturn& want = *cmd.returns;
  // SAVE alone has no answer (RFC 5182 §2.1).
  if (!want.min && !want.max && !want.all && !want.count) return;
  protocol::write::EsearchResult result{.tag = tag, .numbers = cmd.numbers, .modseq = modseq};
  if (want.count) result.count = static_cast<std::uint32_t>(count);
  if (!ranges.empty()) {
    if (want.min) result.min = ranges.front().first;
    if (want.max) result.max = ranges.back().last;
    if (want.all) result.all = ranges;
  }
  protocol::write::EsearchLine(out, result);
}

UidSet ToSave(const protocol::SearchReturn& want, const UidSet& found, Uid first, Uid last) {
  if (found.empty() || want.all || want.count || (!want.min && !want.max)) return found;
  UidSet saved;
  if (want.min) saved.Add(first);
  if (want.max) saved.Add(last);
  return saved;
}

}  // namespace server::imap
