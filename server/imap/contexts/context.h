#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "protocol/imap/command/sort.h"
#include "server/imap/view/mailbox_view.h"

namespace server::imap::contexts {

/// One search whose result a client has updated (RFC 5267 §4.3), and that result as the client knows it.
///
/// Messages go and come in two steps, as the protocol asks: Remove() before EXPUNGE may renumber them, and
/// TellAdded() when all numbers are as they will be.
///
/// Invariant  every message of the result has a number in the view.
class Context {
 public:
  /// `sort` is the searching command, its program frozen; without criteria the result is in mailbox order.
  Context(std::string tag, protocol::command::Sort sort, std::vector<Uid> result);

  const std::string& tag() const { return tag_; }
  const protocol::command::Sort& sort() const { return sort_; }
  /// To be sent of new messages in it.
  const std::vector<protocol::FetchItem>& items() const { return sort_.search.returns->update_items; }
  bool sorted() const { return !sort_.criteria.empty(); }
  const UidSet& messages() const { return messages_; }
  /// The same in their order; empty if that is mailbox order.
  const std::vector<Uid>& order() const { return order_; }

  /// Takes them out and tells the client. REQUIRES: they are of the result.
  void Remove(const UidSet& uids, const MailboxView& view, std::string& out);
  /// They have numbers, and will be told by TellAdded(), before anything else is removed. `order`: the whole
  /// result with them, if it is sorted.
  void Add(const UidSet& uids, std::vector<Uid> order);
  void TellAdded(const MailboxView& view, std::string& out);

 private:
  std::string tag_;
  protocol::command::Sort sort_;
  UidSet messages_;
  std::vector<Uid> order_;
  UidSet added_;  ///< not yet told
};

}  // namespace server::imap::contexts
