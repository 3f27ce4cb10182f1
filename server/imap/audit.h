#pragma once

#include <string>
#include <string_view>

#include "protocol/imap/command.h"
#include "protocol/imap/reply.h"
#include "server/auth/audit_log.h"
#include "server/imap/view/mailbox_view.h"

namespace server::imap {

/// Writes down what a Participating Function does in a user's account, command by command. A session has one
/// from the login on, if it is such a session and there is an audit log.
///
/// Thread: the session's.
class Audit {
 public:
  /// `who` holds all but the command and what it is about. `log` outlives it.
  Audit(auth::AuditLog& log, auth::Act who) : log_(log), who_(std::move(who)) {}

  /// Before the command runs, while its message numbers mean what the client meant. `view`: of the selected
  /// folder; nullptr: none is.
  void Begin(const protocol::Command& command, const MailboxView* view);
  /// APPEND and REPLACE, which are no protocol::Command.
  void Begin(const protocol::command::AppendBegin& append, const MailboxView* view);
  /// `name`: of the command. One line.
  void End(std::string_view name, const protocol::Reply& reply);

 private:
  auth::AuditLog& log_;
  const auth::Act who_;
  std::string selected_;  ///< the path
  std::string selecting_;
  bool leaves_ = false;  ///< CLOSE, UNSELECT: nothing is selected after it
  bool uids_ = false;
  std::string folder_;
  std::string messages_;
};

}  // namespace server::imap
