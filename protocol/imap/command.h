#pragma once

#include <string>
#include <variant>

#include "protocol/imap/command/acl.h"
#include "protocol/imap/command/append.h"
#include "protocol/imap/command/auth.h"
#include "protocol/imap/command/cancel_update.h"
#include "protocol/imap/command/copy.h"
#include "protocol/imap/command/enable.h"
#include "protocol/imap/command/expunge.h"
#include "protocol/imap/command/fetch.h"
#include "protocol/imap/command/id.h"
#include "protocol/imap/command/list.h"
#include "protocol/imap/command/mailbox.h"
#include "protocol/imap/command/metadata.h"
#include "protocol/imap/command/notify.h"
#include "protocol/imap/command/quota.h"
#include "protocol/imap/command/search.h"
#include "protocol/imap/command/simple.h"
#include "protocol/imap/command/sort.h"
#include "protocol/imap/command/status.h"
#include "protocol/imap/command/store.h"
#include "protocol/imap/command/urlauth.h"

namespace protocol {

/// Every command but APPEND, which streams (command/append.h).
using Command = std::variant<
    command::Capability, command::Noop, command::Logout, command::Id,  // any state
    command::StartTls, command::Authenticate, command::Login,          // before login
    command::Unauthenticate, command::Enable, command::Compress, command::Select, command::Examine,
    command::Create,  // after login
    command::Delete, command::Rename, command::Subscribe, command::Unsubscribe, command::List, command::Lsub,
    command::Namespace, command::Status, command::Idle, command::GetMetadata, command::SetMetadata,
    command::Notify, command::ResetKey, command::GenUrlAuth, command::UrlFetch, command::SetAcl,
    command::DeleteAcl, command::GetAcl, command::ListRights, command::MyRights, command::GetQuota,
    command::GetQuotaRoot, command::SetQuota, command::Check, command::Close, command::Unselect,
    command::Expunge,  // selected
    command::Search, command::Sort, command::Thread, command::Fetch, command::Store, command::Copy,
    command::Move, command::CancelUpdate>;

struct TaggedCommand {
  std::string tag;
  Command command;

  friend bool operator==(const TaggedCommand&, const TaggedCommand&) = default;
};

}  // namespace protocol
