#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/clock.h"
#include "server/imap/list/all_names.h"
#include "server/imap/list/list_query.h"
#include "server/imap/services.h"
#include "storage/store/mail_store.h"
#include "storage/store/rights.h"

namespace server::imap {
class Session;
}

namespace server::imap::list {

/// One LIST or LSUB at work: all it tells is read from one view of the store, then written in portions, when
/// the view is no longer held.
///
/// Lifetime   one command; session and query outlive it.
/// Thread     the pool's during Slice(), and during Write() if WriteReads(), while the session waits for it;
///            the session's otherwise.
class ListRun {
 public:
  ListRun(const Session& session, const Query& query);
  ListRun(const ListRun&) = delete;

  /// Reads for about kSlice, so that no command keeps a thread of the pool for long; true when done.
  storage::Result<bool> Slice();

  /// Appends lines until `out` has `enough` octets; true when all are written. METADATA is read for each name
  /// as it is written, so that no command holds the values of many mailboxes: then it blocks (WriteReads()).
  storage::Result<bool> Write(std::string& out, std::size_t enough);
  bool WriteReads() const { return !query_.returns.metadata.empty(); }

 private:
  using FolderName = storage::FolderName;
  /// One mailbox, and who the session is to the account that it is in.
  struct Mailbox {
    storage::FolderRef ref;
    storage::Actor actor;
  };
  static constexpr std::chrono::milliseconds kSlice{30};

  /// What the criteria say of a name (RFC 5258 §3.5).
  struct Verdict {
    bool matches = false;       ///< a pattern
    bool meets = false;         ///< the selection criteria
    bool meets_below = false;   ///< an inferior does
    bool hidden_below = false;  ///< an inferior does, and matches no pattern
  };
  /// One name that is told.
  struct Listed {
    std::uint32_t name = 0;  ///< index
    bool meets = false;
    bool meets_below = false;
    std::optional<std::uint32_t> status;  ///< index
  };

  storage::Result<> ReadNames();
  const std::vector<FolderName>& names() const { return all_ ? all_->names() : names_->names(); }
  Mailbox MailboxOf(std::uint32_t name) const;
  /// REQUIRES: it has a mailbox.
  storage::Rights RightsOf(std::uint32_t name) const;
  storage::Result<> ReadForeignStatus();
  void Judge(std::size_t first, std::size_t last);
  void Select();
  storage::Result<> ReadStatuses();
  void WriteList(std::string& out, const Listed& listed) const;
  storage::Result<> WriteMetadata(std::string& out, std::uint32_t name) const;
  void WriteLsub(std::string& out, const Listed& listed) const;

  const Session& session_;
  storage::MailStore& store_;
  const Query& query_;
  const ImapOptions& options_;
  const Clock& clock_;

  std::optional<storage::FolderNames> names_;
  std::unique_ptr<const AllNames> all_;  ///< nullptr: the own names are all
  std::vector<storage::Rights> rights_;  ///< of the own names, if asked for
  std::vector<Verdict> verdicts_;        ///< of the names judged so far
  bool selected_ = false;
  std::vector<Listed> listed_;
  std::vector<std::uint32_t>
      by_folder_;                       ///< indices into `listed_` of those with a STATUS line, by folder id
  std::vector<std::uint32_t> foreign_;  ///< likewise, in other accounts: after them
  std::vector<storage::FolderStatus> statuses_;  ///< of the first of these
  std::size_t written_ = 0;
};

}  // namespace server::imap::list
