#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "server/clock.h"
#include "server/imap/fetch/uid_batches.h"
#include "server/imap/search/program.h"
#include "storage/store/mail_store.h"

namespace server::imap::search {

/// How much of a long command is done, in messages.
struct WorkDone {
  std::uint64_t done = 0;
  std::uint64_t of = 0;
};

/// Which messages are to be found.
struct SearchScope {
  std::optional<UidSet> among = {};          ///< nullopt: all that have a number in the view
  std::optional<std::uint64_t> enough = {};  ///< the first so many; others need not be
};

/// One SEARCH at work, cheap keys first: numbers and flags from state pages, then rows for the messages that
/// remain, then text for those that still do.
///
/// Lifetime   one command; store, view, command and clock outlive it.
/// Thread     the pool's during Slice(), while the session waits for it.
class SearchRun {
 public:
  SearchRun(storage::MailStore& store, MailboxView& view, const protocol::command::Search& cmd,
            const Clock& clock, SearchScope scope = {})
      : store_(store), view_(view), cmd_(cmd), clock_(clock), scope_(std::move(scope)) {}
  SearchRun(const SearchRun&) = delete;

  /// Works for about kSlice, so that no command keeps a thread of the pool for long; true when done.
  storage::Result<bool> Slice();

  /// How many messages are searched, of how many.
  WorkDone progress() const { return {taken_ - undecided_.size(), candidates_.size()}; }

  /// The program was refused: nothing was searched.
  const std::optional<protocol::Reply>& refusal() const { return refusal_; }
  const UidSet& found() const { return found_; }
  /// Of found().
  storage::ModSeq highest_modseq() const { return highest_modseq_; }

 private:
  static constexpr std::chrono::milliseconds kSlice{30};

  /// A message that only its text can decide.
  struct Undecided {
    storage::MessageState state;
    storage::MessageRow row;  ///< its views are dead
  };

  bool Finished() const;
  storage::Result<> Compile(const storage::FolderReader& reader);
  void Found(const storage::MessageState& state);
  storage::Result<> SearchBatch(const storage::FolderReader& reader);
  storage::Result<> SearchRows(const storage::FolderReader& reader, const UidSet& uids,
                               const std::vector<storage::MessageState>& states);
  storage::Result<> SearchText(const storage::FolderReader& reader, const Undecided& message);
  storage::Result<bool> ReadWhole(const storage::FolderReader& reader, const Undecided& message);

  storage::MailStore& store_;
  MailboxView& view_;
  const protocol::command::Search& cmd_;
  const Clock& clock_;
  const SearchScope scope_;
  std::optional<Program> program_;
  std::optional<protocol::Reply> refusal_;
  UidSet candidates_;
  std::optional<UidBatches> batches_;
  std::uint64_t taken_ = 0;  ///< messages in the batches so far
  std::deque<Undecided> undecided_;
  UidSet found_;
  storage::ModSeq highest_modseq_;
};

}  // namespace server::imap::search
