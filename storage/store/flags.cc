#include "storage/store/core.h"
#include "storage/store/deferred.h"
#include "storage/store/folder_edit.h"
#include "storage/store/guest_seen.h"
#include "storage/store/rights.h"

namespace storage {
namespace {

using protocol::FlagChange;
using schema::StatePage;

/// `bits` are changeable.
void Apply(FlagChange::Op op, const FlagBits& bits, const FlagBits& changeable, StatePage::State& state) {
  switch (op) {
    case FlagChange::Op::kReplace:
      state.system = (state.system & ~changeable.system) | bits.system;
      state.keywords = (state.keywords & ~changeable.keywords) | bits.keywords;
      break;
    case FlagChange::Op::kAdd:
      state.system |= bits.system;
      state.keywords |= bits.keywords;
      break;
    case FlagChange::Op::kRemove:
      state.system &= ~bits.system;
      state.keywords &= ~bits.keywords;
      break;
  }
}

/// RFC 4314 §4: what may not be changed is left out, and a change is refused only if nothing is left of it.
Result<protocol::FlagSet> Let(const FlagChange& change, Rights rights) {
  RETURN_IF_ERROR(Demand(rights, Right::kRead));
  constexpr Rights kAll = Right::kSeen | Right::kWrite | Right::kDeleteMessages;
  if (rights.HasAll(kAll)) return change.flags;
  protocol::FlagSet flags = ChangeableAmong(change.flags, rights);
  if (!flags.empty() || (change.op == FlagChange::Op::kReplace && rights.HasAny(kAll))) return flags;
  if (change.flags.empty() && change.op != FlagChange::Op::kReplace) return flags;
  return Fail(Errc::kNoPermission, "You lack the right to change any of these flags in this mailbox");
}

/// RFC 7162 §3.1.3. `since` 0 asks that none of the named items exists: the five system flags always do, a
/// keyword does where it is set.
bool MayChange(const StatePage::State& state, const FlagChange& change, const FlagBits& bits, ModSeq since) {
  if (since.value != 0) return state.modseq <= since.value;
  return change.op != FlagChange::Op::kReplace && bits.system == 0 && (state.keywords & bits.keywords) == 0;
}

}  // namespace

Result<StoreResult> MailStore::UpdateFlags(FolderRef folder, const UidSet& uids, const FlagChange& change,
                                           Actor actor, std::optional<ModSeq> unchanged_since) {
  StoreResult out;
  RETURN_IF_ERROR(core_->lanes.Run(folder.account, [&](AccountTxn& txn) -> Result<> {
    out = {};
    ASSIGN_OR_RETURN(auto edit, FolderEdit::Load(txn, folder.folder));
    ASSIGN_OR_RETURN(const Rights rights, RightsOf(txn, folder, edit.row(), actor));
    ASSIGN_OR_RETURN(const protocol::FlagSet let, Let(change, rights));
    const protocol::FlagSet flags = WithoutDeferred(let);
    const FlagBits changeable = ChangeableFlags(rights);
    FlagBits bits = edit.KnownBitsOf(flags);
    // To remove a keyword nobody has needs no place in the table.
    if (change.op != FlagChange::Op::kRemove) {
      ASSIGN_OR_RETURN(bits, edit.BitsOf(flags));
    }
    const Marks marks = MarksOf(edit.row().keywords);
    const bool drop = change.op == FlagChange::Op::kRemove && let.Contains(kDeferredKeyword);
    const auto viewer = ViewerOf(actor);
    std::optional<GuestSeen> seen;
    if (viewer) seen.emplace(txn, folder.folder, *viewer);
    std::vector<MessageState> changed;
    FlagsChanged news{.folder = folder.folder, .states = {}, .keywords = nullptr};
    bool any_permanent = false;
    Result<> bad;
    RETURN_IF_ERROR(edit.ForEach(uids, [&](Uid uid, const StatePage::State& in_page) {
      StatePage::State old = in_page;
      if (seen && bad.has_value()) {
        const auto has = seen->Has(uid);
        if (!has) bad = tl::unexpected<Error>(has.error());
        old.system = WithSeen(old.system, has.value_or(false));
      }
      if (unchanged_since && !MayChange(old, change, bits, *unchanged_since)) {
        out.modified.push_back({uid, {old.system, old.keywords}, {old.modseq}});
        return;
      }
      StatePage::State state = old;
      Apply(change.op, bits, changeable, state);
      state.keywords = KeywordsAfter(old, state, marks, actor, drop);
      any_permanent = any_permanent || (old.keywords & ~state.keywords & marks.deferred) != 0;
      if (state != old) {
        changed.push_back({uid, {state.system, state.keywords}, {}});
        const std::uint32_t to_others =
            seen ? WithSeen(state.system, (in_page.system & kSeenBit) != 0) : state.system;
        news.states.push_back({uid, {to_others, state.keywords}, {}});
        if ((state.system ^ old.system) == kSeenBit && state.keywords == old.keywords)
          news.only_seen.Add(uid);
        if (seen && (state.system & kSeenBit) != 0) news.seen.Add(uid);
      } else if (unchanged_since) {
        out.unchanged.push_back({uid, {state.system, state.keywords}, {state.modseq}});
      }
    }));
    RETURN_IF_ERROR(bad);
    if (changed.empty()) {
      ASSIGN_OR_RETURN(auto row, txn.Folder(folder.folder));
      out.keywords = std::make_shared<const KeywordTable>(std::move(row.keywords));
      return {};
    }
    ASSIGN_OR_RETURN(const ModSeq modseq, txn.NextModSeq());
    for (std::size_t i = 0; i < changed.size(); ++i) {
      MessageState& in_page = news.states[i];
      changed[i].modseq = in_page.modseq = modseq;
      edit.SetState(in_page.uid, {in_page.flags.system, in_page.flags.keywords, modseq.value});
      if (seen) RETURN_IF_ERROR(seen->Set(in_page.uid, changed[i].flags.Has(protocol::SystemFlag::kSeen)));
    }
    if (seen) seen->Save();
    edit.Save(modseq);
    out.keywords = edit.Keywords();
    news.viewer = viewer.value_or(AccountId{});
    news.keywords = out.keywords;
    news.now = edit.Summary();
    // Who made a message permanent without asking for it has to be told as others are.
    txn.Announce(any_permanent ? Origin{} : actor.origin, std::move(news));
    out.changed = std::move(changed);
    return {};
  }));
  return out;
}

}  // namespace storage
