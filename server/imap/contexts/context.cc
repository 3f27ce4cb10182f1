#include "server/imap/contexts/context.h"

#include <algorithm>
#include <span>

#include "protocol/imap/write/search.h"
#include "server/imap/commands/resolve.h"

namespace server::imap::contexts {

using protocol::write::ContextChange;

namespace {

/// Where `order` holds messages of `uids`, as stretches of neighbours: position and length, from the front.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
};
std::vector<Stretch> Find(const UidSet& uids, const std::vector<Uid>& order) {
  std::vector<Stretch> found;
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (!uids.Contains(order[i])) continue;
    if (!found.empty() && found.back().end == i) {
      ++found.back().end;
    } else {
      found.push_back({i, i + 1});
    }
  }
  return found;
}

}  // namespace

Context::Context(std::string tag, protocol::command::Sort sort, std::vector<Uid> result)
    : tag_(std::move(tag)), sort_(std::move(sort)), messages_(SetOf(result)) {
  if (sorted()) order_ = std::move(result);
}

void Context::Remove(const UidSet& uids, const MailboxView& view, std::string& out) {
  if (uids.empty()) return;
  const auto kind = sort_.search.numbers;
  std::vector<ContextChange> changes;
  if (sorted()) {
    // From the end, so that the places before are as they were.
    const auto stretches = Find(uids, order_);
    for (auto at = stretches.rbegin(); at != stretches.rend(); ++at) {
      const auto gone = std::span(order_).subspan(at->begin, at->end - at->begin);
      changes.push_back({static_cast<std::uint32_t>(at->begin + 1), Ranges(Numbers(view, kind, gone))});
    }
    std::erase_if(order_, [&](Uid uid) { return uids.Contains(uid); });
  } else {
    changes.push_back({0, Named(view, kind, uids)});
  }
  messages_ = messages_.Minus(uids);
  protocol::write::RemoveFromLine(out, tag_, kind, changes);
}

void Context::Add(const UidSet& uids, std::vector<Uid> order) {
  for (const auto& range : uids.ranges()) messages_.Add(range.first, range.last);
  added_ = uids;
  order_ = std::move(order);
}

void Context::TellAdded(const MailboxView& view, std::string& out) {
  if (added_.empty()) return;
  const auto kind = sort_.search.numbers;
  std::vector<ContextChange> changes;
  if (sorted()) {
    // From the front: all that stands before is there already when the client inserts one.
    for (const auto& stretch : Find(added_, order_)) {
      const auto come = std::span(order_).subspan(stretch.begin, stretch.end - stretch.begin);
      changes.push_back({static_cast<std::uint32_t>(stretch.begin + 1), Ranges(Numbers(view, kind, come))});
    }
  } else {
    changes.push_back({0, Named(view, kind, added_)});
  }
  added_ = {};
  protocol::write::AddToLine(out, tag_, kind, changes);
}

}  // namespace server::imap::contexts
