#include "server/imap/notify/filters.h"

#include <algorithm>

#include "protocol/model/mailbox_name.h"
#include "server/imap/mailbox_place.h"

namespace server::imap::notify {

using protocol::NotifyFilter;

Filters::Filters(const std::vector<protocol::NotifyGroup>& groups) {
  for (const auto& group : groups) {
    if (group.filter == NotifyFilter::kSelected || group.filter == NotifyFilter::kSelectedDelayed) continue;
    Group& kept = groups_.emplace_back(Group{group.filter, group.events, group.mailboxes});
    std::ranges::sort(kept.names);
    ask_subscriptions_ = ask_subscriptions_ || group.filter == NotifyFilter::kSubscribed;
    may_watch_others_ = may_watch_others_ || group.filter == NotifyFilter::kSubscribed ||
                        std::ranges::any_of(group.mailboxes, IsForeign);
    server_metadata_ = server_metadata_ || group.events.Has(NotifyEvent::kServerMetadataChange);
  }
  groups_.shrink_to_fit();
}

bool Filters::Matches(const Group& group, std::string_view path, bool subscribed) {
  const auto named = [&](std::string_view name) { return std::ranges::binary_search(group.names, name); };
  switch (group.filter) {
    // All names of an account are its user's, other users' are not, and the network may deliver to any (RFC
    // 5465 §6.3: INBOXES is then PERSONAL).
    case NotifyFilter::kInboxes:
    case NotifyFilter::kPersonal: return !IsForeign(path);
    case NotifyFilter::kSubscribed: return subscribed;
    case NotifyFilter::kMailboxes: return named(path);
    case NotifyFilter::kSubtree:
      for (; !path.empty(); path = protocol::ParentName(path)) {
        if (named(path)) return true;
      }
      return false;
    case NotifyFilter::kSelected:
    case NotifyFilter::kSelectedDelayed: return false;
  }
  return false;
}

bool Filters::Names(std::string_view name) const {
  return std::ranges::any_of(groups_, [&](const Group& group) {
    return std::ranges::any_of(group.names, [&](std::string_view named) {
      return named.starts_with(name) &&
             (named.size() == name.size() || named[name.size()] == protocol::kHierarchyDelimiter);
    });
  });
}

std::vector<std::string> Filters::named() const {
  std::vector<std::string> all;
  for (const Group& group : groups_) all.insert(all.end(), group.names.begin(), group.names.end());
  std::ranges::sort(all);
  const auto [first, last] = std::ranges::unique(all);
  all.erase(first, last);
  return all;
}

Watched Filters::Of(std::string_view path, bool subscribed) const {
  Watched watched;
  for (const Group& group : groups_) {
    if (!Matches(group, path, subscribed)) continue;
    // RFC 5465 §5: SET STATUS ... NONE is for a picture and nothing after it.
    watched.snapshot |= group.events.empty() || !(group.events & protocol::kMessageEvents).empty();
    if (group.events.empty()) break;
    watched.events = watched.events | group.events;
  }
  return watched;
}

}  // namespace server::imap::notify
