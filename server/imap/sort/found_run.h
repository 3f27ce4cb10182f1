#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <utility>

#include "server/clock.h"
#include "server/imap/fetch/uid_batches.h"
#include "server/imap/search/search_run.h"

namespace server::imap::sort {

/// A SEARCH, and then something with each message that it found: what SORT and THREAD have in common. A
/// message that is expunged in between is left out.
///
/// Lifetime   one command; store, view, command and clock outlive it.
/// Thread     the pool's during Slice(), while the session waits for it.
class FoundRun {
 public:
  FoundRun(const FoundRun&) = delete;
  virtual ~FoundRun() = default;

  /// Works for about kSlice, so that no command keeps a thread of the pool for long; true when done. The
  /// arranging at the end is one step: kSortMemory bounds it.
  storage::Result<bool> Slice();

  /// Both parts count the same: each message is to be searched, and then arranged if it is found.
  search::WorkDone progress() const;

  /// The program was refused, or what it found is too much: there is no result.
  const std::optional<protocol::Reply>& refusal() const { return refusal_; }
  const UidSet& found() const { return search_.found(); }

 protected:
  FoundRun(storage::MailStore& store, MailboxView& view, const protocol::command::Search& cmd,
           const Clock& clock, std::uint32_t batch, search::SearchScope scope = {})
      : store_(store),
        view_(view),
        clock_(clock),
        search_(store, view, cmd, clock, std::move(scope)),
        batch_(batch) {}

  /// Reads and keeps what the result depends on, of some messages in UID order.
  virtual storage::Result<> Take(const storage::FolderReader& reader, const UidSet& uids) = 0;
  /// Everything is taken.
  virtual void Arrange() = 0;
  /// Octets kept by now.
  virtual std::size_t memory() const = 0;

 private:
  static constexpr std::chrono::milliseconds kSlice{30};

  storage::MailStore& store_;
  MailboxView& view_;
  const Clock& clock_;
  search::SearchRun search_;
  const std::uint32_t batch_;
  std::optional<UidBatches> batches_;
  std::uint64_t taken_ = 0;  ///< of what was found
  std::optional<protocol::Reply> refusal_;
};

}  // namespace server::imap::sort
