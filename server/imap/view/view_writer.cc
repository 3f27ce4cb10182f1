#include "server/imap/view/view_writer.h"

#include "protocol/imap/reply.h"
#include "protocol/imap/write/fetch.h"
#include "protocol/imap/write/flags.h"
#include "protocol/imap/write/mailbox.h"

namespace server::imap {

namespace {

/// Those of CPM that the folder does not have yet, if it has room for them all.
void OfferKeywords(protocol::FlagSet& flags, const storage::KeywordTable& known) {
  std::vector<std::string_view> missing;
  for (const auto offered : protocol::kOfferedKeywords) {
    if (!flags.Contains(offered)) missing.push_back(offered);
  }
  if (known.size() + missing.size() > storage::kMaxKeywords) return;
  for (const auto keyword : missing) flags.Insert(keyword);
}

}  // namespace

void WriteFlagLines(std::string& out, const storage::KeywordTable& keywords, const MailboxView& view) {
  using protocol::SystemFlag;
  protocol::FlagSet flags{SystemFlag::kAnswered, SystemFlag::kFlagged, SystemFlag::kDeleted,
                          SystemFlag::kSeen, SystemFlag::kDraft};
  for (const std::string& keyword : keywords) flags.Insert(keyword);
  OfferKeywords(flags, keywords);
  protocol::write::FlagsLine(out, flags);
  protocol::ResponseCode::PermanentFlags permanent;
  if (!view.examined()) permanent.flags = storage::ChangeableAmong(flags, view.rights());
  permanent.new_keywords = !view.examined() && view.rights().Has(storage::Right::kWrite) &&
                           keywords.size() < storage::kMaxKeywords;
  const bool none = permanent.flags.empty() && !permanent.new_keywords;
  protocol::WriteUntagged(out, protocol::Ok(permanent, none ? "No flag can be changed" : "Flags"));
}

void ViewWriter::Keywords(const storage::KeywordTable& keywords) { WriteFlagLines(out_, keywords, view_); }
void ViewWriter::Exists(std::uint32_t messages) { protocol::write::ExistsLine(out_, messages); }
void ViewWriter::Recent(std::uint32_t messages) { protocol::write::RecentLine(out_, messages); }
void ViewWriter::Expunge(SeqNum seq) { protocol::write::ExpungeLine(out_, seq); }

void ViewWriter::Vanished(const UidSet& uids) {
  protocol::write::VanishedLines(out_, uids, /*earlier=*/false);
}

void ViewWriter::FetchFlags(SeqNum seq, const storage::MessageState& state, bool recent) {
  using protocol::write::FetchResponse;
  FetchResponse response = form_.uid_only ? FetchResponse(out_, state.uid) : FetchResponse(out_, seq);
  if (form_.uid) response.Uid(state.uid);
  response.Flags(state.flags.system, state.flags.keywords, view_.keywords(), recent);
  if (form_.modseq) response.ModSeq(state.modseq);
  response.End();
}

}  // namespace server::imap
