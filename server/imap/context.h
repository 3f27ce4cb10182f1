#pragma once

#include "server/imap/mailbox_place.h"
#include "server/imap/session.h"

namespace server::imap {

using protocol::Reply;

/// In which states a command is legal (RFC 3501 §6).
enum class Needs : std::uint8_t { kAnything, kNoLogin, kLogin, kFolder };

/// What a handler gets. A context exists only in the states that its kNeeds names: the check is a type.
struct AnyContext {
  static constexpr Needs kNeeds = Needs::kAnything;
  explicit AnyContext(Session& s)
      : session(s), wire(s.wire()), out(s.wire().out.text()), services(s.services()) {}

  Reply Failed(const storage::Error& error, Folder folder = Folder::kNamed) const {
    return session.Failed(error, folder);
  }

  Session& session;
  Wire& wire;
  std::string& out;  ///< untagged lines
  const Services& services;
};

struct NotAuthenticatedContext : AnyContext {
  static constexpr Needs kNeeds = Needs::kNoLogin;
  using AnyContext::AnyContext;
};

struct AuthenticatedContext : AnyContext {
  static constexpr Needs kNeeds = Needs::kLogin;
  explicit AuthenticatedContext(Session& s) : AuthenticatedContext(s, s.actor()) {}
  AuthenticatedContext(Session& s, storage::Actor who)
      : AnyContext(s),
        account(s.account()),
        actor(std::move(who)),
        store(s.services().store),
        storage(s.services().storage) {}

  /// Where a mailbox's name leads. Blocks.
  storage::Result<MailboxPlace> Find(std::string_view name) const { return FindPlace(store, session, name); }

  const storage::AccountId account;  ///< the session's own
  const storage::Actor actor;        ///< in `account`; in a SelectedContext: in the selected folder's
  storage::MailStore& store;         ///< to be called within storage.Run() only
  net::StorageExecutor& storage;
};

struct SelectedContext : AuthenticatedContext {
  static constexpr Needs kNeeds = Needs::kFolder;
  explicit SelectedContext(Session& s)
      : AuthenticatedContext(s, s.selected()->view->actor()), view(*s.selected()->view) {}

  MailboxView& view;
};

}  // namespace server::imap
