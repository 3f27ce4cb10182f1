#include "storage/store/account_txn.h"

#include <utility>

namespace storage {
namespace {

using kv::Table;

/// The rows of `batch` in [first, end) replace those in `overlay`.
void Lay(const kv::Batch& batch, Table table, std::string_view first, std::string_view end,
         std::map<std::string_view, const kv::Batch::Write*>& overlay) {
  const auto& writes = batch.writes(table);
  for (auto at = writes.lower_bound(first); at != writes.end() && (end.empty() || at->first < end); ++at) {
    overlay[at->first] = &at->second;
  }
}

}  // namespace

Result<std::optional<std::string>> AccountTxn::Get(Table table, std::string_view key) const {
  for (const kv::Batch* batch : {&batch_, static_cast<const kv::Batch*>(&commit_.batch)}) {
    if (const auto* write = batch->Find(table, key)) return write->value;
  }
  return engine_.Get(table, key);
}

Result<> AccountTxn::Scan(Table table, std::string_view first, std::string_view end,
                          const kv::View::Visitor& visit) const {
  std::map<std::string_view, const kv::Batch::Write*> overlay;
  Lay(commit_.batch, table, first, end, overlay);
  Lay(batch_, table, first, end, overlay);

  auto next = overlay.begin();
  bool more = true;
  const auto give = [&](std::string_view key, const kv::Batch::Write& write) {
    if (write.value) more = visit(key, *write.value);
  };
  const auto view = engine_.OpenView();
  RETURN_IF_ERROR(view->Scan(table, first, end, [&](std::string_view key, std::string_view value) {
    while (more && next != overlay.end() && next->first < key) {
      give(next->first, *next->second);
      ++next;
    }
    if (!more) return false;
    if (next != overlay.end() && next->first == key) {
      give(key, *next->second);
      ++next;
    } else {
      more = visit(key, value);
    }
    return more;
  }));
  for (; more && next != overlay.end(); ++next) give(next->first, *next->second);
  return {};
}

Result<schema::AccountRow> AccountTxn::Account(bool even_deleting) {
  if (!row_) {
    if (!commit_.account) {
      ASSIGN_OR_RETURN(const auto value,
                       engine_.Get(Table::kAccounts, schema::AccountKey{account_}.Encode()));
      if (!value) return Fail(Errc::kNoSuchAccount);
      ASSIGN_OR_RETURN(commit_.account, schema::AccountRow::Decode(*value));
    }
    row_ = commit_.account;
  }
  if (row_->status == static_cast<std::uint8_t>(AccountStatus::kDeleting) && !even_deleting)
    return Fail(Errc::kNoSuchAccount);
  return *row_;
}

void AccountTxn::PutAccount(schema::AccountRow row) {
  // The modseq is NextModSeq's alone, the marks are Announce's.
  if (modseq_) {
    row.modseq = *modseq_;
    if (!row.marks && (names_changed_ || annotations_changed_)) row.marks = {*modseq_, *modseq_};
    if (names_changed_) row.marks->names = *modseq_;
    if (annotations_changed_) row.marks->annotations = *modseq_;
  }
  Put(Table::kAccounts, schema::AccountKey{account_}.Encode(), row.Encode());
  row_ = std::move(row);
}

Result<schema::FolderRow> AccountTxn::Folder(FolderId folder) const {
  ASSIGN_OR_RETURN(const auto value, Get(Table::kFolders, schema::FolderKey{account_, folder}.Encode()));
  if (!value) return Fail(Errc::kNoSuchFolder);
  return schema::FolderRow::Decode(*value);
}

void AccountTxn::PutFolder(FolderId folder, const schema::FolderRow& row) {
  Put(Table::kFolders, schema::FolderKey{account_, folder}.Encode(), row.Encode());
}

Result<ModSeq> AccountTxn::NextModSeq() {
  if (!modseq_) {
    ASSIGN_OR_RETURN(auto row, Account());
    modseq_ = ModSeq{row.modseq.value + 1};
    PutAccount(std::move(row));
  }
  return *modseq_;
}

Result<ModSeq> AccountTxn::ComingModSeq() {
  if (modseq_) return *modseq_;
  ASSIGN_OR_RETURN(const auto row, Account());
  return ModSeq{row.modseq.value + 1};
}

void AccountTxn::Announce(Origin origin, decltype(Change::what) what) {
  const bool names =
      std::holds_alternative<FolderCreated>(what) || std::holds_alternative<FolderRenamed>(what) ||
      std::holds_alternative<FolderDeleted>(what) || std::holds_alternative<SubscriptionChanged>(what);
  const bool annotations = std::holds_alternative<AnnotationsChanged>(what);
  if ((names && !std::exchange(names_changed_, true)) ||
      (annotations && !std::exchange(annotations_changed_, true)))
    PutAccount(*row_);
  changes_.push_back(
      std::make_shared<const Change>(Change{account_, modseq_.value_or(ModSeq{}), origin, std::move(what)}));
}

void AccountTxn::Join() {
  if (!batch_.empty() && must_sync_) commit_.must_sync = true;
  commit_.batch.Merge(std::move(batch_));
  if (row_) commit_.account = std::move(row_);
  if (first_due_) commit_.first_due = std::min(*first_due_, commit_.first_due.value_or(*first_due_));
  std::move(pages_.begin(), pages_.end(), std::back_inserter(commit_.pages));
  commit_.left.insert(commit_.left.end(), left_.begin(), left_.end());
  std::move(changes_.begin(), changes_.end(), std::back_inserter(commit_.changes));
}

}  // namespace storage
