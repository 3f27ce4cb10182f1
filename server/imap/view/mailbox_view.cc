#include "server/imap/view/mailbox_view.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "storage/store/rights.h"

namespace server::imap {

using storage::MessageState;

namespace {

void AddAll(const UidSet& uids, UidSet& to) {
  for (const auto& range : uids.ranges()) to.Add(range.first, range.last);
}

}  // namespace

MailboxView::MailboxView(const storage::OpenedFolder& opened, bool examined, storage::Actor actor,
                         ChangeInbox& inbox)
    : folder_(opened.status.ref),
      actor_(std::move(actor)),
      recent_from_(opened.recent_from),
      inbox_(inbox),
      examined_(examined),
      rights_(opened.rights),
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
  if (keywords_->size() <= told_keywords_ && !rights_untold_) return;
  rights_untold_ = false;
  told_keywords_ = static_cast<std::uint32_t>(keywords_->size());
  out.Keywords(*keywords_);
}

bool MailboxView::Absorb() {
  const ChangeInbox::News news = inbox_.Take();
  // What was skipped is wanted after all.
  const bool skipped = flags_skipped_ && wanted_ == Wanted::kEverything;
  lost_ = (lost_ || news.lost || skipped) && !deleted_;
  if (lost_) return true;  // what the inbox held is part of what will be read
  for (const auto& change : news.changes) Apply(*change);
  lost_ = flags_unread_ && wanted_ == Wanted::kEverything && !deleted_;
  return lost_;
}

/// No part of the folder's state, so no mod-sequence tells whether it is known already.
void MailboxView::ApplyRights(const storage::AclChanged& change) {
  const storage::Rights now = storage::RightsAfter(change, actor_);
  if (!now.Has(storage::Right::kRead)) {
    BeginUntold();
    return DropFolder();
  }
  rights_untold_ = rights_untold_ || storage::ChangeableFlags(now) != storage::ChangeableFlags(rights_);
  rights_ = now;
}

void MailboxView::Apply(const storage::Change& change) {
  if (deleted_) return;
  if (const auto* acl = std::get_if<storage::AclChanged>(&change.what)) return ApplyRights(*acl);
  if (std::holds_alternative<storage::AccountClosed>(change.what)) {
    BeginUntold();
    return DropFolder();
  }
  // The folder was read after the subscription began, so the first news may be part of it already. What came
  // as news is no measure: a MOVE within the folder is two pieces of news with one modseq.
  if (change.modseq <= read_at_) return;
  if (std::holds_alternative<storage::UrlKeysReset>(change.what)) {  // of no message
    // RFC 4467 §7: told to sessions "logged in as the user".
    keys_reset_ = keys_reset_ || (!actor_.guest && change.origin != actor_.origin);
    return;
  }
  // Its HIGHESTMODSEQ stays, so a folder that is read anew would seem to be older than what came.
  if (std::holds_alternative<storage::FolderRenamed>(change.what)) return;
  modseq_ = change.modseq;
  BeginUntold();
  settled_ = modseq_;
  const bool own = change.origin == actor_.origin;
  others_untold_ = others_untold_ || !own;
  std::visit(
      [&](const auto& what) {
        using What = std::decay_t<decltype(what)>;
        if constexpr (std::is_same_v<What, storage::MessagesAdded>) {
          AddUids(what.uids);
          Touch(what.uids);
          if (own) AddAll(what.uids, own_added_);
          own_untold_ = own_untold_ || own;
        } else if constexpr (std::is_same_v<What, storage::MessagesExpunged>) {
          RemoveUids(what.uids);
          Touch(what.uids);
          expunged_ = true;
          own_untold_ = own_untold_ || own;
        } else if constexpr (std::is_same_v<What, storage::FlagsChanged>) {
          Learn(what.keywords);
          TakeFlags(what, own);
        } else if constexpr (std::is_same_v<What, storage::FolderDeleted>) {
          DropFolder();
          own_untold_ = own_untold_ || own;
        }
      },
      change.what);
}

/// Before something is added to what is untold.
void MailboxView::BeginUntold() {
  if (AnythingUntold()) return;
  told_ = settled_;
  others_untold_ = own_untold_ = false;
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
  own_added_ = own_added_.Minus(uids);
  arrived_ = arrived_.Minus(uids);
}

/// \Seen is each guest's own. Of others' nothing is told; with what else they change in a message a guest's
/// own must be read.
void MailboxView::TakeFlags(const storage::FlagsChanged& what, bool own) {
  const storage::AccountId viewer = storage::ViewerOf(actor_).value_or(storage::AccountId{});
  std::vector<MessageState> states = what.states;
  if (what.viewer != viewer) {
    std::erase_if(states, [&](const MessageState& state) { return what.only_seen.Contains(state.uid); });
    if (states.empty()) return;
    if (viewer.value != 0) {
      flags_skipped_ = flags_unread_ = true;
      if (watched_) {
        for (const MessageState& state : states) touched_.Add(state.uid);
      }
      return;
    }
  } else if (viewer.value != 0) {
    for (MessageState& state : states)
      state.flags.system = storage::WithSeen(state.flags.system, what.seen.Contains(state.uid));
  }
  MergeStates(states, own);
  if (!watched_) return;
  for (const MessageState& state : states) touched_.Add(state.uid);
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
  Touch(map_.Uids());
  gone_ = map_.Uids();
  added_ = own_added_ = arrived_ = {};
  changed_ = {};
  others_untold_ = true;
  flags_skipped_ = false;
}

void MailboxView::Adopt(const FolderPicture& now) {
  lost_ = false;
  if (now.deleted) return DropFolder();
  if (now.modseq < modseq_) return;
  BeginUntold();
  others_untold_ = true;
  modseq_ = read_at_ = settled_ = now.modseq;
  rights_untold_ =
      rights_untold_ || storage::ChangeableFlags(now.rights) != storage::ChangeableFlags(rights_);
  rights_ = now.rights;
  Learn(now.keywords);
  gone_ = map_.Uids().Minus(now.uids);
  expunged_ = expunged_ || !gone_.empty();
  added_ = {};
  AddUids(now.uids);
  Touch(map_.Uids());
  Touch(now.uids);
  MergeStates(now.changed, /*own=*/false);
  flags_skipped_ = flags_unread_ = false;
}

void MailboxView::Watch(bool on) {
  watched_ = on;
  if (on) {
    Touch(added_);
  } else {
    touched_ = {};
  }
}

void MailboxView::Touch(const UidSet& uids) {
  if (!watched_) return;
  for (const auto& range : uids.ranges()) touched_.Add(range.first, range.last);
}

UidSet MailboxView::TakeTouched() {
  const UidSet waiting = touched_.Intersect(added_);
  return std::exchange(touched_, waiting).Minus(waiting);
}

void MailboxView::NoteTold(const std::vector<MessageState>& told) {
  auto at = told.begin();
  std::erase_if(changed_, [&](const MessageState& state) {
    while (at != told.end() && at->uid < state.uid) ++at;
    return at != told.end() && at->uid == state.uid && state.modseq <= at->modseq;
  });
}

bool MailboxView::Report(ExpungePolicy policy, ViewReports& out) {
  if (TellsCounts()) {
    ReportKeywords(out);
    if (policy == ExpungePolicy::kAllowed && !ReportExpunges(out)) return false;
    ReportCounts(out);
    own_untold_ = own_untold_ && !gone_.empty();
  }
  if (wanted_ == Wanted::kEverything) return ReportFlags(out);
  flags_skipped_ = flags_skipped_ || !changed_.empty();
  changed_ = {};
  return true;
}

void MailboxView::ReportArrivals(ViewReports& out) {
  if (!TellsCounts()) return;
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
    if (of_new_ != WantedOfNew::kNothing || collects_new_) AddAll(added_.Minus(own_added_), arrived_);
    added_ = own_added_ = {};
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
    // Its flags are sent with it.
    if (of_new_ == WantedOfNew::kItemsWithFlags && arrived_.Contains(at->uid)) continue;
    NoteShown(at->modseq);
    out.FetchFlags(*seq, *at, IsRecent(at->uid));
  }
  const bool done = at == changed_.end();
  changed_.erase(changed_.begin(), at);
  return done;
}

}  // namespace server::imap
