#include "server/imap/notify/teller.h"

#include <array>

#include "protocol/imap/write/mailbox.h"
#include "protocol/imap/write/metadata.h"
#include "protocol/model/mailbox_name.h"
#include "protocol/model/special_use.h"
#include "server/imap/mailbox_place.h"
#include "server/imap/session.h"

namespace server::imap::notify {

using storage::Result;

void WriteStatus(std::string& out, const storage::FolderSummary& now, NotifyEvents watched, bool condstore) {
  using protocol::StatusItem;
  const bool flags = watched.Has(NotifyEvent::kFlagChange);
  protocol::write::StatusLine line(out, now.path);
  line.Add(StatusItem::kMessages, now.messages);
  line.Add(StatusItem::kUidNext, now.uid_next.value);
  line.Add(StatusItem::kUidValidity, now.uid_validity.value);
  if (flags) line.Add(StatusItem::kUnseen, now.unseen);
  if (flags || condstore) line.Add(StatusItem::kHighestModSeq, now.highest_modseq.value);
  line.End();
}

Result<> Teller::Tell(const Waiting& waiting) {
  for (const auto& name : waiting.names()) {
    const auto told = TellName(name);
    if (!told) return told;
  }
  for (const auto& [folder, status] : waiting.statuses()) {
    const auto watched = WatchedOf(status.now.path);
    if (!watched) return tl::unexpected(watched.error());
    if ((watched->events & status.events).empty()) continue;
    storage::FolderSummary now = status.now;
    if (IsForeign(now.path) && watched->events.Has(NotifyEvent::kFlagChange)) {
      const auto there = FindShared(now.path);
      if (!there) return tl::unexpected(there.error());
      if (*there == nullptr) continue;
      const auto own = session_.services().store.GetFolderFor((*there)->ref, session_.principal().account);
      if (!own) continue;  // gone meanwhile
      now = storage::SummaryOf(*own);
      now.path = status.now.path;
    }
    WriteStatus(out_, now, watched->events, session_.condstore());
  }
  for (const auto& changed : waiting.metadata().All()) {
    if (!changed.path.empty()) {
      const auto watched = WatchedOf(changed.path);
      if (!watched) return tl::unexpected(watched.error());
      if (!watched->events.Has(NotifyEvent::kMailboxMetadataChange)) continue;
    }
    protocol::write::MetadataChangedLine(out_, changed.path, changed.entries);
  }
  return {};
}

Result<> Teller::TellNoAccess() {
  for (const std::string& path : filters_.named()) {
    const auto seen = Look(path);
    if (!seen) return tl::unexpected(seen.error());
    if (seen->there && !seen->readable) WriteList({.path = path}, *seen, /*names_watched=*/true);
  }
  return {};
}

Result<> Teller::TellName(const Waiting::Name& name) {
  const auto now = Look(name.path);
  if (!now) return tl::unexpected(now.error());
  bool told = false;
  const NotifyEvents watched_now = filters_.Of(name.path, now->subscribed).events;
  if (name.old.empty()) {
    NotifyEvents watched = watched_now;
    // Of two names that SUBSCRIBED tells apart, this was one and is the other.
    if (name.events.Has(NotifyEvent::kSubscriptionChange) &&
        filters_.Of(name.path, !now->subscribed).events.Has(NotifyEvent::kSubscriptionChange))
      watched.Add(NotifyEvent::kSubscriptionChange);
    told = !(watched & name.events).empty();
  } else {
    const auto watched = WatchesRename(name.path, name.old);
    if (!watched) return tl::unexpected(watched.error());
    told = *watched;
    if (told && name.below > 0) {
      const auto superior =
          WatchesRename(std::string_view(name.path).substr(0, name.path.size() - name.below),
                        std::string_view(name.old).substr(0, name.old.size() - name.below));
      if (!superior) return tl::unexpected(superior.error());
      told = !*superior;
    }
  }
  // RFC 5465 §5.9: who does not watch names hears of a mailbox only that it can hear no more of it.
  const bool of_names = !name.old.empty() || watched_now.Has(NotifyEvent::kMailboxName) ||
                        name.events.Has(NotifyEvent::kSubscriptionChange);
  if (told) WriteList(name, *now, of_names);
  return {};
}

Result<bool> Teller::WatchesRename(std::string_view to, std::string_view from) {
  for (const auto path : {to, from}) {
    const auto watched = WatchedOf(path);
    if (!watched) return tl::unexpected(watched.error());
    if (watched->events.Has(NotifyEvent::kMailboxName)) return true;
  }
  return false;
}

Result<Watched> Teller::WatchedOf(std::string_view path) {
  const Watched watched = filters_.Of(path, false);
  if (!filters_.ask_subscriptions() || filters_.Of(path, true) == watched) return watched;
  const auto name = session_.services().store.FindName(session_.account(), path);
  if (!name) return tl::unexpected(name.error());
  return name->subscribed ? filters_.Of(path, true) : watched;
}

Result<Teller::Seen> Teller::Look(std::string_view path) {
  storage::MailStore& store = session_.services().store;
  const auto name = store.FindName(session_.account(), path);
  if (!name) return tl::unexpected(name.error());
  Seen seen{.subscribed = name->subscribed};
  if (IsForeign(path)) {
    if (auto looked = LookForeign(path, seen); !looked) return tl::unexpected(std::move(looked).error());
    return seen;
  }
  seen.has_children = name->has_children;
  seen.use = name->use;
  if (name->id.value == 0) return seen;
  const auto rights = store.MyRights(session_.account(), path, session_.actor());
  if (!rights && rights.error().code != storage::Errc::kNoSuchFolder) return tl::unexpected(rights.error());
  seen.there = rights.has_value();
  seen.readable = rights && rights->Has(storage::Right::kRead);
  return seen;
}

/// nullptr: there is no such mailbox, or it may not be seen.
Result<const storage::SharedFolder*> Teller::FindShared(std::string_view path) {
  if (!shared_) {
    auto list = session_.ListShared();
    if (!list) return tl::unexpected(std::move(list).error());
    shared_.emplace();
    for (auto& folder : *list) {
      std::string name = ForeignName(folder.owner, folder.path);
      shared_->emplace(std::move(name), std::move(folder));
    }
  }
  const auto at = shared_->find(path);
  return at != shared_->end() ? &at->second : nullptr;
}

Result<> Teller::LookForeign(std::string_view path, Seen& seen) {
  const auto there = FindShared(path);
  if (!there) return tl::unexpected(there.error());
  if (*there != nullptr) {
    seen.there = true;
    seen.readable = (*there)->rights.Has(storage::Right::kRead);
    seen.use = (*there)->use;
  }
  const std::string below = std::string(path) + protocol::kHierarchyDelimiter;
  const auto next = shared_->lower_bound(below);
  seen.has_children = next != shared_->end() && next->first.starts_with(below);
  return {};
}

void Teller::WriteList(const Waiting::Name& name, const Seen& seen, bool names_watched) {
  std::array<std::string_view, 4> attributes;
  std::size_t count = 0;
  if (!seen.there && names_watched)
    attributes[count++] = "\\NonExistent";
  else if (!seen.readable)
    attributes[count++] = "\\NoAccess";
  attributes[count++] = seen.has_children ? "\\HasChildren" : "\\HasNoChildren";
  if (seen.subscribed) attributes[count++] = "\\Subscribed";
  if (seen.use != protocol::SpecialUse::kNone) attributes[count++] = protocol::Name(seen.use);
  const std::span<const std::string_view> told(attributes.data(), count);
  if (name.old.empty())
    protocol::write::ListLine(out_, told, name.path);
  else
    protocol::write::ListRenamedLine(out_, told, name.path, name.old);
}

}  // namespace server::imap::notify
