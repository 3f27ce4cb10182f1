#include "storage/store/folder_edit.h"

#include <algorithm>

namespace storage {

using kv::Table;
using protocol::FlagSet;
using protocol::SystemFlag;
using schema::StatePage;

namespace {

bool IsDeleted(const StatePage::State& state) {
  return (state.system & FlagSet::Bit(SystemFlag::kDeleted)) != 0;
}

}  // namespace

FolderSummary SummaryOf(const schema::FolderRow& row) {
  return {.path = row.path,
          .uid_validity = row.uid_validity,
          .uid_next = row.uid_next,
          .messages = row.messages,
          .unseen = row.unseen,
          .highest_modseq = row.highest_modseq,
          .owner_rights = row.owner_rights};
}

Result<FolderEdit> FolderEdit::Load(AccountTxn& txn, FolderId folder) {
  ASSIGN_OR_RETURN(auto row, txn.Folder(folder));
  return FolderEdit(txn, folder, std::move(row));
}

Result<FolderEdit::Loaded*> FolderEdit::Load(std::uint32_t page_no) {
  auto& slot = pages_[page_no];
  if (!slot) {
    auto loaded = std::make_unique<Loaded>();
    ASSIGN_OR_RETURN(const auto value,
                     txn_->Get(Table::kStates, schema::StateKey{txn_->account(), id_, page_no}.Encode()));
    if (value) RETURN_IF_ERROR(StatePage::Decode(*value, loaded->page));
    slot = std::move(loaded);
  }
  return slot.get();
}

Result<const StatePage*> FolderEdit::Page(std::uint32_t page_no) {
  ASSIGN_OR_RETURN(const Loaded* loaded, Load(page_no));
  return &loaded->page;
}

void FolderEdit::Count(const StatePage::State& state, int by) {
  const auto step = static_cast<std::uint32_t>(by);  // modulo 2^32, so -1 subtracts
  row_.messages += step;
  if ((state.system & FlagSet::Bit(SystemFlag::kSeen)) == 0) row_.unseen += step;
  if (IsDeleted(state)) row_.deleted += step;
}

Result<Uid> FolderEdit::Add(const StatePage::State& state, std::uint64_t octets) {
  if (row_.uid_next == protocol::kMaxUid)
    return Fail(Errc::kTooBig, "The folder has used up its UIDs; move its messages to a new one");
  const Uid uid = row_.uid_next;
  ASSIGN_OR_RETURN(Loaded * loaded, Load(StatePage::PageOf(uid)));
  row_.uid_next = Uid{uid.value + 1};
  loaded->page.Put(StatePage::SlotOf(uid), state);
  loaded->dirty = true;
  Count(state, +1);
  if (IsDeleted(state)) newly_deleted_.Add(uid);
  row_.octets += octets;
  return uid;
}

void FolderEdit::SetState(Uid uid, const StatePage::State& state) {
  Loaded& loaded = *pages_.at(StatePage::PageOf(uid));
  const auto slot = StatePage::SlotOf(uid);
  if (IsDeleted(state) && !IsDeleted(loaded.page.states[slot])) newly_deleted_.Add(uid);
  Count(loaded.page.states[slot], -1);
  loaded.page.states[slot] = state;
  Count(state, +1);
  loaded.dirty = true;
}

void FolderEdit::Remove(Uid uid, std::uint64_t octets) {
  Loaded& loaded = *pages_.at(StatePage::PageOf(uid));
  const auto slot = StatePage::SlotOf(uid);
  Count(loaded.page.states[slot], -1);
  row_.octets -= octets;
  loaded.page.Remove(slot);
  loaded.dirty = true;
}

Result<> FolderEdit::ForEach(const UidSet& uids,
                             const std::function<void(Uid, const StatePage::State&)>& visit) {
  for (const auto& range : uids.ranges()) {
    if (range.first >= row_.uid_next) break;
    const Uid last = std::min(range.last, Uid{row_.uid_next.value - 1});
    for (std::uint32_t page_no = StatePage::PageOf(range.first); page_no <= StatePage::PageOf(last);
         ++page_no) {
      ASSIGN_OR_RETURN(const Loaded* loaded, Load(page_no));
      loaded->page.ForEach([&](std::uint32_t slot, const StatePage::State& state) {
        const Uid uid = StatePage::UidAt(page_no, slot);
        if (uid >= range.first && uid <= last) visit(uid, state);
      });
    }
  }
  return {};
}

namespace {

/// The table's entry for a keyword, its end if there is none.
template <class Table>
auto FindKeyword(Table& table, const std::string& keyword) {
  return std::find_if(table.begin(), table.end(),
                      [&](const std::string& known) { return protocol::SameKeyword(known, keyword); });
}

}  // namespace

FlagBits FolderEdit::KnownBitsOf(const FlagSet& flags) const {
  FlagBits bits{flags.system_bits(), 0};
  for (const auto& keyword : flags.keywords()) {
    const auto at = FindKeyword(row_.keywords, keyword);
    if (at != row_.keywords.end()) bits.keywords |= std::uint64_t{1} << (at - row_.keywords.begin());
  }
  return bits;
}

Result<FlagBits> FolderEdit::BitsOf(const FlagSet& flags) {
  FlagBits bits{flags.system_bits(), 0};
  for (const auto& keyword : flags.keywords()) {
    auto at = FindKeyword(row_.keywords, keyword);
    if (at == row_.keywords.end()) {
      if (row_.keywords.size() == kMaxKeywords) return Fail(Errc::kTooManyKeywords);
      at = row_.keywords.insert(at, std::string(protocol::KeywordSpelling(keyword)));
    }
    bits.keywords |= std::uint64_t{1} << (at - row_.keywords.begin());
  }
  return bits;
}

/// The reaper looks at them when the grace is over. Written here because no flag is set elsewhere.
void FolderEdit::PutDeletedRow(ModSeq modseq) {
  if (newly_deleted_.empty() || txn_->deleted_grace() == 0) return;
  txn_->PutExpiry({.account = txn_->account(),
                   .kind = schema::ExpiryKind::kDeleted,
                   .due = txn_->now() + txn_->deleted_grace(),
                   .folder = id_,
                   .id = modseq.value},
                  schema::UidsRow{newly_deleted_}.Encode());
}

void FolderEdit::Save(ModSeq modseq) {
  PagesChanged changed{ref(), row_.highest_modseq, modseq, {}};
  row_.highest_modseq = modseq;
  PutDeletedRow(modseq);
  for (auto& [page_no, loaded] : pages_) {
    if (!loaded->dirty) continue;
    const std::string key = schema::StateKey{txn_->account(), id_, page_no}.Encode();
    if (loaded->page.Empty())
      txn_->Erase(Table::kStates, key);
    else
      txn_->Put(Table::kStates, key, loaded->page.Encode());
    loaded->dirty = false;
    changed.pages.push_back(page_no);
  }
  txn_->NotePages(std::move(changed));
  txn_->PutFolder(id_, row_);
}

}  // namespace storage
