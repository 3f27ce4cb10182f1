#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "protocol/imap/command.h"
#include "protocol/imap/reply.h"
#include "server/auth/audit_log.h"
#include "server/imap/view/mailbox_view.h"

namespace server::imap {

/// Writes down what a Participating Function does in others' accounts, command by command: one line for each
/// account that the command is about. That is the user's whom it acts for, whatever the command, and the
/// owner's of each mailbox of another that it names, or that is selected, and of each URL that it redeems. A
/// LIST or a NOTIFY that may reach any of these is one line, of its own account. What else it does there is
/// its own business. A session has one from the login on, if it is a PF's and there is an audit log.
///
/// Thread: the session's.
class Audit {
 public:
  /// `who` holds all but the command and what it is about. `log` outlives it.
  Audit(auth::AuditLog& log, auth::Act who)
      : log_(log), who_(std::move(who)), as_itself_(who_.actor == who_.account) {}

  /// Before the command runs, while its message numbers mean what the client meant. `view`: of the selected
  /// folder; nullptr: none is.
  void Begin(const protocol::Command& command, const MailboxView* view);
  /// APPEND and REPLACE, which are no protocol::Command.
  void Begin(const protocol::command::AppendBegin& append, const MailboxView* view);
  /// The command has got a message of `owner`, which it did not name by its mailbox: a URL did.
  void Reads(std::string owner, std::string folder, storage::Uid uid);
  /// `name`: of the command.
  void End(std::string_view name, const protocol::Reply& reply);

 private:
  struct Part {
    std::string owner;
    std::string folder;
    std::string uid;
  };

  void Concerns(std::string_view owner);

  auth::AuditLog& log_;
  const auth::Act who_;
  const bool as_itself_;
  std::string selected_;  ///< the path
  std::string selecting_;
  bool leaves_ = false;  ///< CLOSE, UNSELECT: nothing is selected after it
  bool uids_ = false;
  std::string folder_;
  std::string messages_;
  std::vector<std::string> owners_;  ///< whom the command concerns, but for a user whom it acts for
  std::vector<Part> parts_;          ///< that URLs named
};

}  // namespace server::imap
