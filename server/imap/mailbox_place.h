#pragma once

#include <string>
#include <string_view>

#include "storage/store/mail_store.h"

namespace server::imap {

class Session;

/// What a mailbox name of the client's leads to: the account that it is in, its path there, and who the
/// session is to that account.
struct MailboxPlace {
  storage::AccountId account;
  std::string path;
  storage::Actor actor;
};

/// Other users' mailboxes (RFC 2342 §5) lie below this name: "Other Users/tel:+15550100222/Trips". The
/// address is the account's canonical one, so that each mailbox has one name.
inline constexpr std::string_view kOtherUsers = "Other Users";

/// True if the name is theirs.
bool IsForeign(std::string_view name);
/// ADDRESS of "Other Users/ADDRESS/path"; empty: there is none.
std::string_view OwnerIn(std::string_view name);
/// "Other Users/ADDRESS", "Other Users/ADDRESS/path"
std::string ForeignName(std::string_view address);
std::string ForeignName(std::string_view address, std::string_view path);

/// Every command that takes a mailbox's name asks here. Names of the session's own account cost nothing; for
/// others it blocks. kNoSuchFolder: there is no such account; it says so in the words for a mailbox that is
/// not there, or may not be seen.
storage::Result<MailboxPlace> FindPlace(storage::MailStore& store, const Session& session,
                                        std::string_view name);

}  // namespace server::imap
