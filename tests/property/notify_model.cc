#include "tests/property/notify_model.h"

#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tests {

bool IsBelow(const std::string& path, const std::string& superior) {
  return path.size() > superior.size() && path.starts_with(superior) && path[superior.size()] == '/';
}

std::string StatusLine(const Box& box, const std::set<std::string>& events, bool condstore) {
  const auto& status = box.status;
  const bool flags = events.contains("FlagChange");
  return fmt::format("* STATUS {} (MESSAGES {} UIDNEXT {} UIDVALIDITY {}{}{})", box.path, status.messages,
                     status.uid_next.value, status.uid_validity.value,
                     flags ? fmt::format(" UNSEEN {}", status.unseen) : "",
                     flags || condstore ? fmt::format(" HIGHESTMODSEQ {}", status.highest_modseq.value) : "");
}

std::string ListLine(const World& world, const std::string& path, const std::string& old) {
  const bool children =
      std::ranges::any_of(world.names, [&](const std::string& name) { return IsBelow(name, path); });
  return fmt::format("* LIST ({}{}{}) \"/\" {}{}", world.Find(path) == nullptr ? "\\NonExistent " : "",
                     children ? "\\HasChildren" : "\\HasNoChildren",
                     world.subscribed.contains(path) ? " \\Subscribed" : "", path,
                     old.empty() ? "" : fmt::format(" (\"OLDNAME\" ({}))", old));
}

std::map<std::uint64_t, std::set<std::string>> MessageEvents(const World& before, const World& after) {
  std::map<std::uint64_t, std::set<std::string>> out;
  for (const auto& [id, box] : after.boxes) {
    const auto was = before.boxes.find(id);
    if (was == before.boxes.end()) continue;
    auto& events = out[id];
    for (const auto& [uid, flags] : box.messages) {
      const auto old = was->second.messages.find(uid);
      if (old == was->second.messages.end()) {
        events.insert("MessageNew");
      } else if (old->second != flags) {
        events.insert("FlagChange");
      }
    }
    for (const auto& [uid, flags] : was->second.messages) {
      if (!box.messages.contains(uid)) events.insert("MessageExpunge");
    }
  }
  return out;
}

namespace {

std::string Superior(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

/// Names of entries that are not what they were, in the order in which they are told.
std::vector<std::string> Changed(const std::map<std::string, std::string>& before,
                                 const std::map<std::string, std::string>& after) {
  std::vector<std::string> out;
  for (const auto* name : {"/private/comment", "/shared/comment"}) {
    const auto value = [&](const auto& entries) {
      const auto at = entries.find(name);
      return at == entries.end() ? std::string("NIL") : at->second;
    };
    if (value(before) != value(after)) out.emplace_back(name);
  }
  return out;
}

}  // namespace

Lines Expected(const Wish& wish, const World& before, const World& after, const Renamed& renamed,
               std::uint64_t selected, bool condstore) {
  Lines lines;
  const auto watches = [&](const std::string& path, const std::string& event) {
    return wish.EventsOf(after, path).contains(event);
  };
  for (const auto& [id, happened] : MessageEvents(before, after)) {
    const Box& box = after.boxes.at(id);
    const auto events = wish.EventsOf(after, box.path);
    const bool told =
        std::ranges::any_of(happened, [&](const auto& event) { return events.contains(event); });
    if (id != selected && told) lines.insert(StatusLine(box, events, condstore));
  }
  std::set<std::string> affected;
  for (const auto& [id, box] : after.boxes) {
    if (before.boxes.contains(id)) continue;
    affected.insert({box.path, Superior(box.path)});
    const auto events = wish.EventsOf(after, box.path);
    if (events.contains("FlagChange") || (events.contains("MessageNew") && !box.messages.empty()))
      lines.insert(StatusLine(box, events, condstore));
  }
  for (const auto& [id, box] : before.boxes) {
    if (!after.boxes.contains(id)) affected.insert({box.path, Superior(box.path)});
  }
  for (const auto& path : affected) {
    if (!path.empty() && watches(path, "MailboxName")) lines.insert(ListLine(after, path));
  }
  if (renamed) {
    const auto& [from, to] = *renamed;
    const bool told = watches(from, "MailboxName") || watches(to, "MailboxName");
    if (told) lines.insert(ListLine(after, to, from));
    for (const auto& [id, box] : after.boxes) {
      const auto was = before.boxes.find(id);
      if (was == before.boxes.end() || was->second.path == box.path) continue;
      const auto events = wish.EventsOf(after, box.path);
      if (box.path == to && id != selected && events.contains("FlagChange"))
        lines.insert(StatusLine(box, events, condstore));
      if (box.path != to && !told &&
          (watches(was->second.path, "MailboxName") || watches(box.path, "MailboxName")))
        lines.insert(ListLine(after, box.path, was->second.path));
    }
  }
  std::set<std::string> subscriptions;
  std::ranges::set_symmetric_difference(before.subscribed, after.subscribed,
                                        std::inserter(subscriptions, subscriptions.end()));
  for (const auto& path : subscriptions) {
    if (wish.EventsOf(after, path, true).contains("SubscriptionChange") ||
        wish.EventsOf(after, path, false).contains("SubscriptionChange"))
      lines.insert(ListLine(after, path));
  }
  for (const auto& [id, box] : after.boxes) {
    const auto was = before.boxes.find(id);
    if (was == before.boxes.end() || !watches(box.path, "MailboxMetadataChange")) continue;
    const auto changed = Changed(was->second.entries, box.entries);
    if (!changed.empty()) lines.insert(fmt::format("* METADATA {} {}", box.path, fmt::join(changed, " ")));
  }
  const auto changed = Changed(before.server, after.server);
  if (!changed.empty() && wish.WatchesServer())
    lines.insert(fmt::format("* METADATA \"\" {}", fmt::join(changed, " ")));
  return lines;
}

}  // namespace tests
