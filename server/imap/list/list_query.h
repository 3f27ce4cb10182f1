#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/command/list.h"
#include "protocol/model/mailbox_name.h"

namespace server::imap::list {

/// What LIST or LSUB asks for, in the words of RFC 5258 §3: names that match a pattern and meet the selection
/// criteria, and what is told of each.
struct Query {
  explicit Query(const protocol::command::List& cmd);
  explicit Query(const protocol::command::Lsub& cmd);

  /// The longest beginning that all names asked for have.
  std::string_view CommonPrefix() const;
  bool Matches(std::string_view name) const;
  /// Some name that begins so, or begins this, may match.
  bool MayMatchBelow(std::string_view name) const;
  /// Levels of hierarchy are asked for (RFC 3501 §6.3.8).
  bool AsksLevels() const;
  bool NeedsSubscriptions() const { return subscribed || returns.subscribed; }

  std::vector<protocol::ListPattern> patterns;
  bool subscribed = false;   ///< criterion: subscribed; otherwise: the name is there
  bool special_use = false;  ///< criterion: has a special use
  bool recursive = false;    ///< superiors of names that meet the criteria and match no pattern, too
  bool extended = false;     ///< tell no more than is asked for, in the words of RFC 5258
  bool lsub = false;
  protocol::ListReturn returns;
};

}  // namespace server::imap::list
