#include "server/imap/view/mailbox_view.h"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace server::imap {

using storage::MessageState;

MailboxView::MailboxView(const storage::OpenedFolder& opened, bool read_only, storage::Origin own,
                         ChangeInbox& inbox)
    : folder_(opened.status.ref),
      own_(own),
      recent_from_(opened.recent_from),
      inbox_(inbox),
      read_only_(read_only),
      told_recent_(0),
      told_keywords_(static_cast<std::uint32_t>(opened.keywords->size())),
      modseq_(opened.status.highest_modseq),
      read_at_(modseq_),
      settled_(modseq_),
      told_(modseq_),
      map_(opened.uids),
      keywords_(opened.keywords) {
  told_recent_ = recent();  // SELECT's answer tells both
}

void MailboxView::Learn(const std::shared_ptr<const storage::KeywordTable>& keywords) {
  if (keywords != nullptr && keywords->size() > keywords_->size()) keywords_ = keywords;
}

void MailboxView::ReportKeywords(ViewReports& out) {
  if (keywords_->size() <= told_keywords_) return;
  told_keywords_ = static_cast<std::uint32_t>(keywords_->size());
  out.Keywords(*keywords_);
}

bool MailboxView::Absorb() {
  const ChangeInbox::News news = inbox_.Take();
  lost_ = (lost_ || news.lost) && !deleted_;
  if (lost_) return true;  // what the inbox held is part of what will be read
  for (const auto& change : news.changes) Apply(*change);
  return false;
}

void MailboxView::Apply(const storage::Change& change) {
  // The folder was read after the subscription began, so the first news may be part of it already. What came
  // as news is no measure: a MOVE within the folder is two pieces of news with one modseq.
  if (change.modseq <= read_at_ || deleted_) return;
  modseq_ = change.modseq;
  if (!AnythingUntold()) told_ = settled_;
  settled_ = modseq_;
  std::visit(
      [&](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, storage::MessagesAdded>) {
          AddUids(what.uids);
        } else if constexpr (std::is_same_v<What, storage::MessagesExpunged>) {
          RemoveUids(what.uids);
          expunged_ = true;
        } else if constexpr (std::is_same_v<What, storage::FlagsChanged>) {
          Learn(what.keywords);
          MergeStates(what.states, change.origin == own_);
        } else if constexpr (std::is_same_v<What, storage::FolderDeleted>) {
          DropFolder();
        }
      },
      change.what);
}

void MailboxView::AddUids(const UidSet& uids) {
  for (const auto& range : uids.ranges()) {
    const Uid first = std::max(range.first, Uid{map_.last_uid().value + 1});
    if (first <= range.last) added_.Add(first, range.last);
  }
}

void MailboxView::RemoveUids(const UidSet& uids) {
  const UidSet known = map_.Known(uids);
  for (const auto& range : known.ranges()) gone_.Add(range.first, range.last);
  // What comes and goes between two reports was never there for this client.
  added_ = added_.Minus(uids);
}

void MailboxView::MergeStates(const std::vector<MessageState>& states, bool own) {
  std::vector<MessageState> merged;
  merged.reserve(changed_.size() + (own ? 0 : states.size()));
  auto old = changed_.begin();
  for (const MessageState& state : states) {
    while (old != changed_.end() && old->uid < state.uid) merged.push_back(*old++);
    const bool known = old != changed_.end() && old->uid == state.uid;
    // The session's own STORE told its result, or was silent because the client knows; but if another's
    // change is waiting to be told, it is told as it became.
    if (known || !own) merged.push_back(state);
    if (known) ++old;
  }
  merged.insert(merged.end(), old, changed_.end());
  changed_ = std::move(merged);
}

void MailboxView::DropFolder() {
  deleted_ = true;
  gone_ = map_.Uids();
  added_ = {};
  changed_ = {};
}

void MailboxView::Adopt(const FolderPicture& now) {
  lost_ = false;
  if (now.deleted) return DropFolder();
  if (now.modseq < modseq_) return;
  if (!AnythingUntold()) told_ = settled_;
  modseq_ = read_at_ = settled_ = now.modseq;
  Learn(now.keywords);
  gone_ = map_.Uids().Minus(now.uids);
  expunged_ = expunged_ || !gone_.empty();
  added_ = {};
  AddUids(now.uids);
  MergeStates(now.changed, /*own=*/false);
}

void MailboxView::NoteTold(const std::vector<MessageState>& told) {
  auto at = told.begin();
  std::erase_if(changed_, [&](const MessageState& state) {
    while (at != told.end() && at->uid < state.uid) ++at;
    return at != told.end() && at->uid == state.uid && state.modseq <= at->modseq;
  });
}

bool MailboxView::Report(ExpungePolicy policy, ViewReports& out) {
  ReportKeywords(out);
  if (policy == ExpungePolicy::kAllowed && !ReportExpunges(out)) return false;
  ReportCounts(out);
  return ReportFlags(out);
}

void MailboxView::ReportArrivals(ViewReports& out) {
  ReportKeywords(out);
  ReportCounts(out);
}

bool MailboxView::ReportExpunges(ViewReports& out) {
  if (gone_.empty()) return true;
  if (out.expunges_by_uid()) {
    out.Vanished(gone_);
    map_.Remove(gone_);
    saved_ = saved_.Minus(gone_);
    gone_ = {};
    return true;
  }
  UidSet told;
  std::uint32_t before = 0;
  bool done = true;
  for (const auto& range : gone_.ranges()) {
    for (std::uint64_t uid = range.first.value; done && uid <= range.last.value; ++uid) {
      if (out.Full()) {
        done = false;
        break;
      }
      const Uid gone{static_cast<std::uint32_t>(uid)};
      out.Expunge(SeqNum{map_.SeqOf(gone)->value - before});
      told.Add(gone);
      ++before;
    }
    if (!done) break;
  }
  map_.Remove(told);
  gone_ = gone_.Minus(told);
  saved_ = saved_.Minus(told);
  return done;
}

void MailboxView::ReportCounts(ViewReports& out) {
  if (!added_.empty()) {
    map_.Append(added_);
    added_ = {};
    has_grown_ = true;
    out.Exists(map_.size());
  }
  if (const std::uint32_t now = recent(); now != told_recent_) {
    told_recent_ = now;
    out.Recent(now);
  }
}

bool MailboxView::ReportFlags(ViewReports& out) {
  auto at = changed_.begin();
  for (; at != changed_.end() && !out.Full(); ++at) {
    const auto seq = map_.SeqOf(at->uid);
    if (!seq || gone_.Contains(at->uid)) continue;
    NoteShown(at->modseq);
    out.FetchFlags(*seq, *at, IsRecent(at->uid));
  }
  const bool done = at == changed_.end();
  changed_.erase(changed_.begin(), at);
  return done;
}

}  // namespace server::imap
