#include "server/imap/mailbox_place.h"

#include <fmt/format.h>

#include "protocol/model/mailbox_name.h"
#include "server/imap/session.h"

namespace server::imap {

using protocol::kHierarchyDelimiter;

bool IsForeign(std::string_view name) {
  return name.starts_with(kOtherUsers) &&
         (name.size() == kOtherUsers.size() || name[kOtherUsers.size()] == kHierarchyDelimiter);
}

std::string_view OwnerIn(std::string_view name) {
  if (!IsForeign(name) || name.size() == kOtherUsers.size()) return {};
  name.remove_prefix(kOtherUsers.size() + 1);
  return name.substr(0, name.find(kHierarchyDelimiter));
}

std::string ForeignName(std::string_view address) {
  return fmt::format("{}{}{}", kOtherUsers, kHierarchyDelimiter, address);
}

std::string ForeignName(std::string_view address, std::string_view path) {
  return fmt::format("{}{}{}", ForeignName(address), kHierarchyDelimiter, path);
}

storage::Result<MailboxPlace> FindPlace(storage::MailStore& store, const Session& session,
                                        std::string_view name) {
  if (!IsForeign(name)) return MailboxPlace{session.account(), std::string(name), session.actor()};
  const auto none = storage::Fail(storage::Errc::kNoSuchFolder);
  if (name.size() == kOtherUsers.size()) return none;
  name.remove_prefix(kOtherUsers.size() + 1);
  const std::size_t end = name.find(kHierarchyDelimiter);
  if (end == std::string_view::npos || end + 1 == name.size()) return none;
  const std::string_view address = name.substr(0, end);
  const auto account = store.FindAccount(address);
  if (!account) return tl::unexpected(account.error());
  const bool there = *account && (*account)->address == address && (*account)->id != session.account() &&
                     (*account)->status == storage::AccountStatus::kActive;
  if (!there) return none;
  return MailboxPlace{(*account)->id, std::string(name.substr(end + 1)), session.guest()};
}

}  // namespace server::imap
