#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol/imap/command/notify.h"

namespace server::imap::notify {

using protocol::NotifyEvent;
using protocol::NotifyEvents;

/// What is watched of one mailbox.
struct Watched {
  NotifyEvents events;
  bool snapshot = false;  ///< its state is told once, by NOTIFY SET STATUS

  friend bool operator==(const Watched&, const Watched&) = default;
};

/// The event groups of a NOTIFY but for the selected mailbox's, in little memory: what is watched is decided
/// here, name by name, when something happens. The groups that match a mailbox add up (RFC 5465 §6); one with
/// NONE ends that, so that what follows it does not hold for its mailboxes.
///
/// Thread     never changes: any.
class Filters {
 public:
  explicit Filters(const std::vector<protocol::NotifyGroup>& groups);

  /// `subscribed`: whether the name is.
  Watched Of(std::string_view path, bool subscribed) const;
  /// Whether Of() depends on it for some name.
  bool ask_subscriptions() const { return ask_subscriptions_; }
  /// ServerMetadataChange; it is about no mailbox, so any group will do.
  bool server_metadata() const { return server_metadata_; }
  bool empty() const { return groups_.empty(); }
  /// Whether other users' mailboxes may be among what is watched.
  bool may_watch_others() const { return may_watch_others_; }
  /// Whether a mailbox of this name, or below it, is named.
  bool Names(std::string_view name) const;
  /// The mailboxes that are named, each once.
  std::vector<std::string> named() const;

 private:
  struct Group {
    protocol::NotifyFilter filter;
    NotifyEvents events;
    std::vector<std::string> names;  ///< sorted
  };
  static bool Matches(const Group& group, std::string_view path, bool subscribed);

  std::vector<Group> groups_;
  bool ask_subscriptions_ = false;
  bool server_metadata_ = false;
  bool may_watch_others_ = false;
};

}  // namespace server::imap::notify
