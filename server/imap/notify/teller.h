#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/imap/notify/filters.h"
#include "server/imap/notify/waiting.h"
#include "storage/store/mail_store.h"

namespace server::imap {
class Session;
}

namespace server::imap::notify {

/// The STATUS of a watched mailbox (RFC 5465 §3.1, §5.1 to §5.3): UIDVALIDITY, UIDNEXT and MESSAGES;
/// HIGHESTMODSEQ for who knows CONDSTORE, and where flags are watched, with UNSEEN.
void WriteStatus(std::string& out, const storage::FolderSummary& now, NotifyEvents watched, bool condstore);

/// Tells what waits, as it is now: LIST, then STATUS, then METADATA. What of it is watched is decided once
/// more here, because subscriptions are known here, and a mailbox may have another name by now.
///
/// Lifetime   one call.
class Teller {
 public:
  Teller(const Session& session, const Filters& filters, std::string& out)
      : session_(session), filters_(filters), out_(out) {}

  /// Blocks if there are names, or the filters ask for subscriptions. After an error some of it was told.
  storage::Result<> Tell(const Waiting& waiting);
  /// Of those that the filters name, the mailboxes that may be seen, but not read (RFC 5465 §3.1). Blocks.
  storage::Result<> TellNoAccess();

 private:
  /// What the session sees of a name.
  struct Seen {
    bool there = false;     ///< a mailbox that may be seen
    bool readable = false;  ///< and read
    bool has_children = false;
    bool subscribed = false;
    protocol::SpecialUse use = protocol::SpecialUse::kNone;
  };

  storage::Result<> TellName(const Waiting::Name& name);
  storage::Result<bool> WatchesRename(std::string_view to, std::string_view from);
  storage::Result<Watched> WatchedOf(std::string_view path);
  storage::Result<Seen> Look(std::string_view path);
  storage::Result<const storage::SharedFolder*> FindShared(std::string_view path);
  storage::Result<> LookForeign(std::string_view path, Seen& seen);
  void WriteList(const Waiting::Name& name, const Seen& seen, bool names_watched);

  const Session& session_;
  const Filters& filters_;
  std::string& out_;
  /// Others' mailboxes, by name; nullopt: not read yet.
  std::optional<std::map<std::string, storage::SharedFolder, std::less<>>> shared_;
};

}  // namespace server::imap::notify
