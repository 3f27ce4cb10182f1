#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>
#include <variant>

#include "server/imap/commands/handlers.h"

namespace server::imap {

/// When a command's answer may hold EXPUNGE (RFC 3501 §7.4.1).
enum class Expunge : std::uint8_t {
  kAlways,
  kUidFormOnly,  ///< FETCH, STORE, SEARCH, SORT, THREAD may not send it, their UID forms may
};

struct CommandRow {
  std::string_view name;
  std::size_t alternative;  ///< index into protocol::Command
  Needs needs;              ///< derived from the handler's context type
  Expunge expunge;
  Access access;  ///< in which words a failure of the store is told
  asio::awaitable<Reply> (*run)(const protocol::Command& command, Session& session);
};

namespace table {

template <class Cmd, class... All>
constexpr std::size_t IndexIn(const std::variant<All...>*) {
  std::size_t index = 0;
  static_cast<void>(((std::is_same_v<Cmd, All> ? false : (++index, true)) && ...));
  return index;
}

template <class Cmd, class Context>
asio::awaitable<Reply> Run(const protocol::Command& command, Session& session) {
  Context context(session);
  co_return co_await Handle(std::get<Cmd>(command), context);
}

template <class Cmd, class Context>
constexpr CommandRow Row(std::string_view name, Expunge expunge = Expunge::kAlways,
                         Access access = Access::kReads) {
  return {name,
          IndexIn<Cmd>(static_cast<protocol::Command*>(nullptr)),
          Context::kNeeds,
          expunge,
          access,
          &Run<Cmd, Context>};
}

/// A command that changes the store.
template <class Cmd, class Context>
constexpr CommandRow Writer(std::string_view name, Expunge expunge = Expunge::kAlways) {
  return Row<Cmd, Context>(name, expunge, Access::kWrites);
}

}  // namespace table

/// APPEND is not here: it streams (Session::ExecuteAppend).
inline constexpr std::array kCommands = {
    table::Row<command::Capability, AnyContext>("CAPABILITY"),
    table::Row<command::Noop, AnyContext>("NOOP"),
    table::Row<command::Logout, AnyContext>("LOGOUT"),
    table::Row<command::Id, AnyContext>("ID"),
    table::Row<command::StartTls, NotAuthenticatedContext>("STARTTLS"),
    table::Row<command::Authenticate, NotAuthenticatedContext>("AUTHENTICATE"),
    table::Row<command::Login, NotAuthenticatedContext>("LOGIN"),
    table::Row<command::Unauthenticate, AuthenticatedContext>("UNAUTHENTICATE"),
    table::Row<command::Enable, AuthenticatedContext>("ENABLE"),
    table::Row<command::Compress, AuthenticatedContext>("COMPRESS"),
    table::Row<command::Select, AuthenticatedContext>("SELECT"),
    table::Row<command::Examine, AuthenticatedContext>("EXAMINE"),
    table::Writer<command::Create, AuthenticatedContext>("CREATE"),
    table::Writer<command::Delete, AuthenticatedContext>("DELETE"),
    table::Writer<command::Rename, AuthenticatedContext>("RENAME"),
    table::Writer<command::Subscribe, AuthenticatedContext>("SUBSCRIBE"),
    table::Writer<command::Unsubscribe, AuthenticatedContext>("UNSUBSCRIBE"),
    table::Row<command::List, AuthenticatedContext>("LIST"),
    table::Row<command::Lsub, AuthenticatedContext>("LSUB"),
    table::Row<command::Namespace, AuthenticatedContext>("NAMESPACE"),
    table::Row<command::Status, AuthenticatedContext>("STATUS"),
    table::Row<command::Idle, AuthenticatedContext>("IDLE"),
    table::Row<command::GetMetadata, AuthenticatedContext>("GETMETADATA"),
    table::Writer<command::SetMetadata, AuthenticatedContext>("SETMETADATA"),
    table::Row<command::Notify, AuthenticatedContext>("NOTIFY"),
    table::Writer<command::ResetKey, AuthenticatedContext>("RESETKEY"),
    table::Writer<command::GenUrlAuth, AuthenticatedContext>("GENURLAUTH"),
    table::Row<command::UrlFetch, AuthenticatedContext>("URLFETCH"),
    table::Writer<command::SetAcl, AuthenticatedContext>("SETACL"),
    table::Writer<command::DeleteAcl, AuthenticatedContext>("DELETEACL"),
    table::Row<command::GetAcl, AuthenticatedContext>("GETACL"),
    table::Row<command::ListRights, AuthenticatedContext>("LISTRIGHTS"),
    table::Row<command::MyRights, AuthenticatedContext>("MYRIGHTS"),
    table::Row<command::GetQuota, AuthenticatedContext>("GETQUOTA"),
    table::Row<command::GetQuotaRoot, AuthenticatedContext>("GETQUOTAROOT"),
    table::Writer<command::SetQuota, AuthenticatedContext>("SETQUOTA"),
    table::Row<command::Check, SelectedContext>("CHECK"),
    table::Writer<command::Close, SelectedContext>("CLOSE"),
    table::Row<command::Unselect, SelectedContext>("UNSELECT"),
    table::Writer<command::Expunge, SelectedContext>("EXPUNGE"),
    table::Row<command::Search, SelectedContext>("SEARCH", Expunge::kUidFormOnly),
    table::Row<command::Sort, SelectedContext>("SORT", Expunge::kUidFormOnly),
    table::Row<command::Thread, SelectedContext>("THREAD", Expunge::kUidFormOnly),
    table::Row<command::Fetch, SelectedContext>("FETCH", Expunge::kUidFormOnly),
    table::Writer<command::Store, SelectedContext>("STORE", Expunge::kUidFormOnly),
    table::Writer<command::Copy, SelectedContext>("COPY"),
    table::Writer<command::Move, SelectedContext>("MOVE"),
    table::Row<command::CancelUpdate, SelectedContext>("CANCELUPDATE"),
};

constexpr bool RowsMatchVariant() {
  if (kCommands.size() != std::variant_size_v<protocol::Command>) return false;
  for (std::size_t i = 0; i < kCommands.size(); ++i) {
    if (kCommands[i].alternative != i) return false;
  }
  return true;
}
static_assert(RowsMatchVariant(), "one row per command, in the variant's order");

inline const CommandRow& RowOf(const protocol::Command& command) { return kCommands[command.index()]; }

/// UID FETCH and its like: answers name UIDs.
bool IsUidForm(const protocol::Command& command);

/// Whether there are message numbers in it or would be in its answer: not after ENABLE UIDONLY (RFC 9586 §3).
bool NamesNumbers(const protocol::Command& command);
/// What it is answered then.
Reply UidRequired();

/// Whether a message submission entity (role submit) may give it: it fetches what it is referred to, and has
/// no other business in mailboxes.
bool IsForSubmit(const CommandRow& row);

/// Whether EXPUNGE and VANISHED may stand in its answer.
bool MayTellExpunge(const protocol::Command& command);

}  // namespace server::imap
