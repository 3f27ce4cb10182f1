#include "protocol/cpm/conversation.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "protocol/cpm/limits.h"

namespace protocol::cpm {
namespace {

using Index = std::unordered_map<std::string_view, std::size_t>;

/// Item numbers by time; those of the same second in the order they came.
template <class Items>
std::vector<std::size_t> ByTime(const Items& items) {
  std::vector<std::size_t> order(items.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t i) { return std::pair(items[i].time, i); });
  return order;
}

bool IsAbout(const ConversationItem& notice, const ConversationItem& message) {
  if (message.notice) return false;
  return !notice.direction || !message.direction || *notice.direction != *message.direction;
}

/// The threads by the time of their first item, without parents.
std::vector<Thread> Group(std::span<const ThreadItem> items) {
  std::vector<Thread> threads;
  Index known;
  for (const std::size_t i : ByTime(items)) {
    const std::string_view id = items[i].contribution_id;
    const auto [found, fresh] = id.empty() ? std::pair(known.end(), true) : known.emplace(id, threads.size());
    if (fresh) {
      threads.push_back({.contribution_id = std::string(id), .parent = {}, .items = {i}});
    } else {
      threads[found->second].items.push_back(i);
    }
  }
  return threads;
}

/// The thread that each replies to; circles are cut where they close.
std::vector<std::optional<std::size_t>> Parents(std::span<const ThreadItem> items,
                                                const std::vector<Thread>& threads) {
  Index known;
  for (std::size_t t = 0; t < threads.size(); ++t)
    if (!threads[t].contribution_id.empty()) known.emplace(threads[t].contribution_id, t);

  std::vector<std::optional<std::size_t>> parents(threads.size());
  std::vector<std::size_t> root(threads.size());  // of each thread, paths halved as they are walked
  std::iota(root.begin(), root.end(), std::size_t{0});
  const auto root_of = [&](std::size_t t) {
    while (root[t] != t) t = root[t] = root[root[t]];
    return t;
  };
  for (std::size_t t = 0; t < threads.size(); ++t) {
    for (const std::size_t i : threads[t].items) {
      const auto found = known.find(items[i].in_reply_to_contribution_id);
      if (found == known.end() || root_of(found->second) == t) continue;
      parents[t] = found->second;
      root[t] = found->second;
      break;
    }
  }
  return parents;
}

}  // namespace

std::vector<std::vector<Receipt>> ReceiptsOf(const std::vector<ConversationItem>& items) {
  std::unordered_map<std::string_view, std::vector<std::size_t>> messages;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!items[i].imdn_message_id.empty() && !items[i].notice)
      messages[items[i].imdn_message_id].push_back(i);

  std::vector<std::vector<Receipt>> receipts(items.size());
  for (const std::size_t n : ByTime(items)) {
    const auto& notice = items[n].notice;
    if (!notice) continue;
    const auto about = messages.find(notice->message_id);
    if (about == messages.end()) continue;
    for (const std::size_t m : about->second) {
      if (receipts[m].size() == kMaxReceipts) continue;
      const bool said = std::any_of(receipts[m].begin(), receipts[m].end(), [&](const Receipt& other) {
        return other.by == notice->by && other.status == notice->status;
      });
      if (!said && IsAbout(items[n], items[m]))
        receipts[m].push_back({notice->by, notice->status, items[n].time, n});
    }
  }
  return receipts;
}

Reached ReachedBy(const std::vector<Receipt>& receipts) {
  Reached best = Reached::kUnknown;
  for (const auto& receipt : receipts) {
    switch (receipt.status) {
      case Imdn::Status::kDisplayed: best = std::max(best, Reached::kDisplayed); break;
      case Imdn::Status::kDelivered: best = std::max(best, Reached::kDelivered); break;
      case Imdn::Status::kFailed:
      case Imdn::Status::kForbidden:
      case Imdn::Status::kError: best = std::max(best, Reached::kFailed); break;
      case Imdn::Status::kProcessed:
      case Imdn::Status::kStored: break;  // on its way
    }
  }
  return best;
}

std::vector<Thread> ThreadsOf(const std::vector<ConversationItem>& items) {
  std::vector<ThreadItem> views;
  views.reserve(items.size());
  for (const auto& item : items)
    views.push_back({item.time, item.contribution_id, item.in_reply_to_contribution_id});
  return ThreadsOf(std::span<const ThreadItem>(views));
}

std::vector<Thread> ThreadsOf(std::span<const ThreadItem> items) {
  auto threads = Group(items);
  const auto parents = Parents(items, threads);
  std::vector<std::vector<std::size_t>> replies(threads.size());
  std::vector<std::size_t> waiting;
  for (std::size_t t = threads.size(); t-- > 0;) {
    if (parents[t]) {
      replies[*parents[t]].push_back(t);  // the last one first
    } else {
      waiting.push_back(t);
    }
  }
  std::vector<Thread> out;
  std::vector<std::size_t> place(threads.size());
  std::vector<std::size_t> depth(threads.size());
  while (!waiting.empty()) {
    const std::size_t t = waiting.back();
    waiting.pop_back();
    place[t] = out.size();
    if (parents[t]) {
      depth[t] = std::min(depth[*parents[t]] + 1, kMaxThreadDepth);
      threads[t].parent = place[*parents[t]];
    }
    threads[t].depth = depth[t];
    out.push_back(std::move(threads[t]));
    waiting.insert(waiting.end(), replies[t].begin(), replies[t].end());
  }
  return out;
}

}  // namespace protocol::cpm
