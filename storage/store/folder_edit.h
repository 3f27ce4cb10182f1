#pragma once

#include <map>
#include <memory>

#include "protocol/model/flags.h"
#include "storage/schema/state_page.h"
#include "storage/store/account_txn.h"

namespace storage {

FolderSummary SummaryOf(const schema::FolderRow& row);

/// A folder being changed within one transaction: its row and the state pages touched, with the row's counts
/// kept in step. The only code that writes `states`.
class FolderEdit {
 public:
  static Result<FolderEdit> Load(AccountTxn& txn, FolderId folder);

  FolderId id() const { return id_; }
  FolderRef ref() const { return {txn_->account(), id_}; }
  schema::FolderRow& row() { return row_; }
  const schema::FolderRow& row() const { return row_; }

  /// A new message at UIDNEXT, which moves on. kTooBig when the UIDs are used up.
  Result<Uid> Add(const schema::StatePage::State& state, std::uint64_t octets);
  /// A page for reading; an absent one is empty. The pointer lives as long as this edit.
  Result<const schema::StatePage*> Page(std::uint32_t page_no);
  /// REQUIRES: the page was read with Page(), the message is present.
  void SetState(Uid uid, const schema::StatePage::State& state);
  void Remove(Uid uid, std::uint64_t octets);

  /// Visits the states present among `uids`, in UID order.
  Result<> ForEach(const UidSet& uids,
                   const std::function<void(Uid, const schema::StatePage::State&)>& visit);

  /// The bits of `flags`; keywords that are missing are added to the row's table. kTooManyKeywords.
  Result<FlagBits> BitsOf(const protocol::FlagSet& flags);
  /// Those of `flags` that the folder knows; the table stays as it is.
  FlagBits KnownBitsOf(const protocol::FlagSet& flags) const;
  std::shared_ptr<const KeywordTable> Keywords() const {
    return std::make_shared<const KeywordTable>(row_.keywords);
  }

  /// For the news, after Save().
  FolderSummary Summary() const { return SummaryOf(row_); }

  /// Writes what changed, under `modseq`.
  void Save(ModSeq modseq);

 private:
  struct Loaded {
    schema::StatePage page;
    bool dirty = false;
  };
  FolderEdit(AccountTxn& txn, FolderId folder, schema::FolderRow row)
      : txn_(&txn), id_(folder), row_(std::move(row)) {}
  Result<Loaded*> Load(std::uint32_t page_no);
  void Count(const schema::StatePage::State& state, int by);
  void PutDeletedRow(ModSeq modseq);

  AccountTxn* txn_;
  FolderId id_;
  schema::FolderRow row_;
  std::map<std::uint32_t, std::unique_ptr<Loaded>> pages_;
  UidSet newly_deleted_;  ///< got \Deleted by this edit
};

}  // namespace storage
