#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/clock.h"
#include "server/imap/notify/filters.h"
#include "storage/store/mail_store.h"

namespace server::imap {
class Session;
}

namespace server::imap::notify {

/// The STATUS lines of NOTIFY SET STATUS: every watched mailbox but the selected one, read from one view of
/// the store in one pass over the folders' rows, then written in portions, when the view is no longer held.
/// Other users' mailboxes come after the own ones, read one by one.
///
/// Lifetime   one command; session and filters outlive it.
/// Thread     the pool's during Slice(), while the session waits for it; the session's otherwise.
class SnapshotRun {
 public:
  SnapshotRun(const Session& session, const Filters& filters);
  SnapshotRun(const SnapshotRun&) = delete;

  /// Reads for about kSlice, so that no command keeps a thread of the pool for long; true when done.
  storage::Result<bool> Slice();
  /// Appends lines until `out` has `enough` octets; true when all are written.
  bool Write(std::string& out, std::size_t enough);

  /// Up to where the client knows a mailbox now; 0 of what it was not told of.
  storage::ModSeq Told(storage::FolderRef folder) const;

 private:
  static constexpr std::chrono::milliseconds kSlice{30};

  /// What is kept of a mailbox: of an account with many there are as many.
  struct Mailbox {
    storage::FolderId id;
    std::uint32_t name = 0;  ///< index
    NotifyEvents events;
    storage::UidValidity uid_validity;
    storage::Uid uid_next;
    std::uint32_t messages = 0;
    std::uint32_t unseen = 0;
    storage::ModSeq highest_modseq;
    bool readable = true;
  };
  /// One of another user's.
  struct Foreign {
    storage::FolderRef ref;
    NotifyEvents events;
    storage::FolderSummary now;  ///< its path is the session's name for it
    bool there = false;          ///< still
  };

  storage::Result<> ReadNames();
  storage::Result<> ReadStatuses();
  storage::Result<> ReadForeign();
  void Select();
  storage::Result<> SelectForeign();

  const Session& session_;
  storage::MailStore& store_;
  const Filters& filters_;
  const storage::FolderRef selected_;  ///< of account 0 for none
  const Clock& clock_;

  std::optional<storage::FolderNames> names_;
  std::vector<Mailbox> mailboxes_;  ///< in the order of their ids
  std::size_t read_ = 0;            ///< so many of them
  std::vector<std::uint32_t> by_name_;
  std::vector<Foreign> foreign_;
  std::size_t foreign_read_ = 0;  ///< so many of them
  std::size_t written_ = 0;       ///< of all
};

}  // namespace server::imap::notify
