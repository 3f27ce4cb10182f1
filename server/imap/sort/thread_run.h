#pragma once

#include <string>
#include <variant>
#include <vector>

#include "protocol/imap/command/sort.h"
#include "server/imap/sort/found_run.h"
#include "server/imap/sort/threads.h"

namespace server::imap::sort {

/// One THREAD at work. Everything comes from the messages' rows, but for References: that field is in no row,
/// so REFERENCES reads the messages' first octets too.
class ThreadRun final : public FoundRun {
 public:
  ThreadRun(storage::MailStore& store, MailboxView& view, const protocol::command::Thread& cmd,
            const Clock& clock);

  /// `number` is the message's place in uids(), plus one.
  const std::vector<ThreadMember>& members() const { return members_; }
  const std::vector<Uid>& uids() const { return uids_; }

 private:
  static constexpr std::uint32_t kRowsBatch = 256;

  storage::Result<> Take(const storage::FolderReader& reader, const UidSet& uids) override;
  void Arrange() override;
  std::size_t memory() const override;

  storage::Result<> TakeSubjects(const storage::FolderReader& reader, const UidSet& uids);
  storage::Result<> TakeReferences(const storage::FolderReader& reader, const UidSet& uids);
  storage::Result<> TakeContributions(const storage::FolderReader& reader, const UidSet& uids);

  std::variant<OrderedSubjectThreads, ReferenceThreads, ContributionThreads> threads_;
  std::vector<Uid> uids_;
  std::vector<ThreadMember> members_;
};

}  // namespace server::imap::sort
