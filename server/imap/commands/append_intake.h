#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/imap/command/append.h"
#include "protocol/imap/reply.h"
#include "server/imap/mailbox_place.h"
#include "server/imap/session.h"
#include "server/references/part_reader.h"

namespace server::imap {

/// The messages of one APPEND while they arrive. A short one stays in memory and needs no hop before the
/// commit; a longer one goes to the store chunk by chunk. After a failure the octets are taken and dropped,
/// to stay in step.
///
/// Lifetime   one command; session and mailbox name outlive it.
/// Thread     the session's, or the pool's while the session waits.
class AppendIntake {
 public:
  /// Octets of finished messages of one command that may be in memory; beyond it they go to the store.
  static constexpr std::size_t kHeldAtMost = 32U << 20;

  AppendIntake(Session& session, const std::string& mailbox)
      : session_(session), store_(session.services().store), mailbox_(mailbox) {}

  void Begin(const protocol::command::AppendMessage& message);

  /// What a URL of CATENATE names, which is one of the session's or is authorised for it (RFC 4469 §3);
  /// nullptr: Fail() was called, with [BADURL]. Blocks.
  std::unique_ptr<references::PartReader> Open(const std::string& url);
  /// Octets of CPIMs that Open() has looked into. Those it copies from are another matter.
  std::uint64_t looked_into() const { return looked_into_; }
  /// Some of its octets to the message under way. Blocks.
  void Copy(references::PartReader& reader);
  std::uint64_t octets() const;  ///< of the message under way

  /// False: the octets were not taken, TakeBlocking() must.
  bool TakeInMemory(std::string_view octets);
  void TakeBlocking(std::string_view octets);

  /// Now that all is there. The references that were copied from are counted as fetched, and if nothing comes
  /// of it, they have not been. Fail() was called if one is good no more. `replaced`: of the selected folder,
  /// goes in the same change. Blocks.
  storage::Result<storage::AppendResult> Commit(std::optional<storage::Uid> replaced);

  /// Where the mailbox's name leads; looked up once. Blocks.
  storage::Result<MailboxPlace> FindPlace();

  /// What went wrong, as the client will be told.
  const std::optional<protocol::Reply>& failure() const { return failure_; }
  void Fail(protocol::Reply reply);

 private:
  struct Incoming {
    protocol::FlagSet flags;
    std::optional<protocol::InternalDate> date;
    std::string held;                         ///< not yet in `body`
    std::optional<storage::StagedBody> body;  ///< once there is more than a chunk
  };
  /// Who reads it, too, and by whose right.
  struct Target {
    references::Named named;
    storage::Actor actor;
    storage::Actor right;
  };
  storage::Result<std::optional<Target>> Resolve(const std::string& url);
  void Fail(const storage::Error& error);
  references::UrlAuthority Authority();
  storage::Result<storage::AppendResult> Store(std::optional<storage::Uid> replaced);
  storage::Result<> Stage(Incoming& message, std::string_view octets);
  storage::Result<> SealFinished();

  Session& session_;
  storage::MailStore& store_;
  const std::string& mailbox_;
  std::optional<MailboxPlace> place_;
  std::vector<Incoming> messages_;
  std::size_t first_unsealed_ = 0;          ///< index in messages_
  std::size_t finished_in_memory_ = 0;      ///< octets of those before the last that are not sealed
  std::vector<references::Named> fetched_;  ///< what was copied from and is on record, or temporary
  std::vector<std::string> fetched_by_;     ///< the URL of each
  references::CpimInsidePtr inside_;        ///< that the last URL into one led to
  std::uint64_t looked_into_ = 0;
  std::optional<protocol::Reply> failure_;
};

}  // namespace server::imap
