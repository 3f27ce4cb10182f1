#pragma once

#include <vector>

#include "protocol/imap/command/sort.h"
#include "server/imap/sort/found_run.h"
#include "server/imap/sort/sort_keys.h"

namespace server::imap::sort {

/// One SORT at work.
class SortRun final : public FoundRun {
 public:
  SortRun(storage::MailStore& store, MailboxView& view, const protocol::command::Sort& cmd,
          const Clock& clock, search::SearchScope scope = {})
      : FoundRun(store, view, cmd.search, clock, kRowsBatch, std::move(scope)), keys_(cmd.criteria) {}

  const std::vector<Uid>& sorted() const { return sorted_; }

 private:
  static constexpr std::uint32_t kRowsBatch = 1024;

  storage::Result<> Take(const storage::FolderReader& reader, const UidSet& uids) override {
    return reader.Rows(uids, [&](Uid uid, const storage::MessageRow& row) {
      keys_.Add(uid, row);
      return true;
    });
  }
  void Arrange() override { sorted_ = keys_.Sorted(); }
  std::size_t memory() const override { return keys_.memory(); }

  SortKeys keys_;
  std::vector<Uid> sorted_;
};

}  // namespace server::imap::sort
