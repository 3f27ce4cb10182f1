#include "storage/store/core.h"
#include "storage/store/deferred.h"
#include "storage/store/folder_edit.h"

namespace storage {
namespace {

using protocol::FlagChange;
using schema::StatePage;

void Apply(FlagChange::Op op, const FlagBits& bits, StatePage::State& state) {
  switch (op) {
    case FlagChange::Op::kReplace:
      state.system = bits.system;
      state.keywords = bits.keywords;
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
    const protocol::FlagSet flags = WithoutDeferred(change.flags);
    FlagBits bits = edit.KnownBitsOf(flags);
    // To remove a keyword nobody has needs no place in the table.
    if (change.op != FlagChange::Op::kRemove) {
      ASSIGN_OR_RETURN(bits, edit.BitsOf(flags));
    }
    const Marks marks = MarksOf(edit.row().keywords);
    const bool drop = change.op == FlagChange::Op::kRemove && change.flags.Contains(kDeferredKeyword);
    std::vector<MessageState> changed;
    bool any_permanent = false;
    RETURN_IF_ERROR(edit.ForEach(uids, [&](Uid uid, const StatePage::State& old) {
      if (unchanged_since && !MayChange(old, change, bits, *unchanged_since)) {
        out.modified.push_back({uid, {old.system, old.keywords}, {old.modseq}});
        return;
      }
      StatePage::State state = old;
      Apply(change.op, bits, state);
      state.keywords = KeywordsAfter(old, state, marks, actor, drop);
      any_permanent = any_permanent || (old.keywords & ~state.keywords & marks.deferred) != 0;
      if (state != old) {
        changed.push_back({uid, {state.system, state.keywords}, {}});
      } else if (unchanged_since) {
        out.unchanged.push_back({uid, {state.system, state.keywords}, {state.modseq}});
      }
    }));
    if (changed.empty()) {
      ASSIGN_OR_RETURN(auto row, txn.Folder(folder.folder));
      out.keywords = std::make_shared<const KeywordTable>(std::move(row.keywords));
      return {};
    }
    ASSIGN_OR_RETURN(const ModSeq modseq, txn.NextModSeq());
    for (auto& message : changed) {
      message.modseq = modseq;
      edit.SetState(message.uid, {message.flags.system, message.flags.keywords, modseq.value});
    }
    edit.Save(modseq);
    out.keywords = edit.Keywords();
    // Who made a message permanent without asking for it has to be told as others are.
    txn.Announce(any_permanent ? Origin{} : actor.origin, FlagsChanged{folder.folder, changed, out.keywords});
    out.changed = std::move(changed);
    return {};
  }));
  return out;
}

}  // namespace storage
