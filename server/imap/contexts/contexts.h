#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/imap/contexts/context.h"
#include "server/net/stream.h"

namespace server::imap {
class Session;
}

namespace server::imap::contexts {

/// The searches of one session whose results it has updated in its folder (RFC 5267 §4.3). Session::Sync()
/// tells what has become of them together with its other news.
///
/// Lifetime   the selected folder's.
/// Thread     the session's.
class Contexts {
 public:
  bool Has(std::string_view tag) const;
  /// Takes a search on: `sort` as Context has it, its program not frozen yet. Else why not.
  std::optional<std::string> Begin(std::string_view tag, const protocol::command::Sort& sort,
                                   std::vector<Uid> result, MailboxView& view);
  /// Passes over a tag that it does not have.
  void End(std::string_view tag, MailboxView& view);

  /// There is something to take in.
  bool Concerned(const MailboxView& view) const { return !contexts_.empty() && view.touched(); }
  /// Searches what the news were about, and tells what is in the results no longer. After the news were
  /// absorbed, before they are reported.
  asio::awaitable<void> BeforeReport(Session& session, MailboxView& view);
  /// Tells what is in them from now on, new messages too, which have numbers now.
  asio::awaitable<void> AfterReport(Session& session, MailboxView& view);
  /// What those that hold the message ask for of a new one (RFC 5465 §7), each item once, added to `items`.
  void AddItems(Uid uid, std::vector<protocol::FetchItem>& items) const;

 private:
  void TellAdded(const MailboxView& view, std::string& out);
  /// Those that are left decide what the view notes.
  void Attend(MailboxView& view) const;

  std::vector<Context> contexts_;
};

}  // namespace server::imap::contexts
