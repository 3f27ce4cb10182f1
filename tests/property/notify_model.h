#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/store/folder.h"
#include "tests/property/told_text.h"

// What NOTIFY promises (RFC 5465), said naively: from the account before and after a step, and what a session
// asked for, the lines that it must be told.

namespace tests {

using Lines = std::multiset<std::string>;

bool IsBelow(const std::string& path, const std::string& superior);

/// The account as the store's readers show it.
struct Box {
  std::string path;
  storage::FolderStatus status;
  std::map<std::uint32_t, FlagWords> messages;
  std::map<std::string, std::string> entries;
};

struct World {
  std::map<std::uint64_t, Box> boxes;  ///< by folder id
  std::set<std::string> names;
  std::set<std::string> subscribed;
  std::map<std::string, std::string> server;

  const Box* Find(const std::string& path) const {
    for (const auto& [id, box] : boxes) {
      if (box.path == path) return &box;
    }
    return nullptr;
  }
  std::uint64_t IdOf(const std::string& path) const {
    for (const auto& [id, box] : boxes) {
      if (box.path == path) return id;
    }
    return 0;
  }
};

/// What one session asked for, as a person would write it down.
struct Wish {
  struct Group {
    std::string filter;
    std::vector<std::string> names;
    std::set<std::string> events;  ///< empty: NONE
  };
  enum class Selected { kNothing, kCounts, kEverything };

  Selected selected = Selected::kNothing;
  bool delayed = false;
  bool items = false;
  std::vector<Group> groups;

  std::set<std::string> EventsOf(const World& world, const std::string& path,
                                 std::optional<bool> subscribed = {}) const {
    std::set<std::string> events;
    for (const Group& group : groups) {
      bool matches = group.filter == "personal" || group.filter == "inboxes";
      if (group.filter == "subscribed") matches = subscribed.value_or(world.subscribed.contains(path));
      for (const auto& name : group.names) {
        matches = matches || path == name || (group.filter == "subtree" && IsBelow(path, name));
      }
      if (!matches) continue;
      if (group.events.empty()) break;
      events.insert(group.events.begin(), group.events.end());
    }
    return events;
  }
  bool Snapshots(const World& world, const std::string& path) const {
    if (EventsOf(world, path).contains("MessageNew")) return true;
    Wish nothing = *this;
    for (Group& group : nothing.groups) {
      if (group.events.empty()) group.events = {"NONE"};
    }
    return nothing.EventsOf(world, path).contains("NONE");
  }
  bool WatchesServer() const {
    return std::ranges::any_of(
        groups, [](const Group& group) { return group.events.contains("ServerMetadataChange"); });
  }

  std::string Command(bool status) const {
    std::string out = status ? "NOTIFY SET STATUS" : "NOTIFY SET";
    const std::string of_new = items ? "MessageNew (uid flags)" : "MessageNew";
    if (selected == Selected::kNothing) out += " (selected NONE)";
    if (selected != Selected::kNothing)
      out += fmt::format(" ({} ({} MessageExpunge{}))", delayed ? "selected-delayed" : "selected", of_new,
                         selected == Selected::kEverything ? " FlagChange" : "");
    for (const Group& group : groups) {
      out += fmt::format(" ({}", group.filter);
      if (!group.names.empty()) out += fmt::format(" ({})", fmt::join(group.names, " "));
      out += group.events.empty() ? " NONE)" : fmt::format(" ({}))", fmt::join(group.events, " "));
    }
    return out;
  }
};

std::string StatusLine(const Box& box, const std::set<std::string>& events, bool condstore);

std::string ListLine(const World& world, const std::string& path, const std::string& old = "");

/// What has happened to each mailbox between two worlds, in the words of RFC 5465 §5.
std::map<std::uint64_t, std::set<std::string>> MessageEvents(const World& before, const World& after);

/// The renamed name, if the step was a RENAME of something other than INBOX.
using Renamed = std::optional<std::pair<std::string, std::string>>;

/// What a session with this wish is told of others' step.
Lines Expected(const Wish& wish, const World& before, const World& after, const Renamed& renamed,
               std::uint64_t selected, bool condstore);

}  // namespace tests
