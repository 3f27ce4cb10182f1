#pragma once

#include "protocol/imap/command/search.h"
#include "server/imap/view/mailbox_view.h"

namespace server::imap::contexts {

/// The same program, with what it says of the moment made to last: message numbers and "$" are the UIDs that
/// they stand for now (RFC 5267 §4.3). In a UID key "*" is the last message as of now, and "n:*" all from n
/// on, those to come too, if n is no UID to come. REQUIRES: the program was compiled for this view.
protocol::SearchKey Freeze(const protocol::SearchKey& key, const MailboxView& view);

/// OLDER or YOUNGER is in it: time alone changes what matches.
bool DependsOnTime(const protocol::SearchKey& key);

}  // namespace server::imap::contexts
