#include "server/imap/sort/thread_order.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace server::imap::sort {

std::vector<std::uint32_t> ByDate(std::span<const std::int64_t> dates) {
  std::vector<std::uint32_t> order(dates.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, {}, [&](std::uint32_t i) { return std::pair(dates[i], i); });
  return order;
}

std::vector<ThreadMember> InThreadOrder(std::span<const std::uint32_t> parents,
                                        std::span<const std::int64_t> dates) {
  // The children of all nodes one after the other, those of node i from begins[i] on. Messages come by date,
  // so each set of siblings is in order, and a dummy is met where its first child is.
  std::vector<std::uint32_t> begins(parents.size() + 1);
  for (std::size_t i = 0; i < dates.size(); ++i) {
    if (parents[i] != kNoParent) ++begins[parents[i] + 1];
  }
  std::partial_sum(begins.begin(), begins.end(), begins.begin());
  std::vector<std::uint32_t> filled(begins.begin(), begins.end() - 1);
  std::vector<std::uint32_t> children(begins.back());
  std::vector<std::uint32_t> roots;
  for (const std::uint32_t i : ByDate(dates)) {
    const std::uint32_t parent = parents[i];
    if (parent == kNoParent) {
      roots.push_back(i);
      continue;
    }
    if (parent >= dates.size() && filled[parent] == begins[parent]) roots.push_back(parent);
    children[filled[parent]++] = i;
  }

  struct Waiting {
    std::uint32_t node;
    std::uint32_t parent;  ///< place in the answer
  };
  std::vector<ThreadMember> members;
  members.reserve(dates.size() + 16);
  std::vector<Waiting> waiting;  // what comes next is last
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) waiting.push_back({*root, kNoParent});
  while (!waiting.empty()) {
    const auto [node, parent] = waiting.back();
    waiting.pop_back();
    const auto place = static_cast<std::uint32_t>(members.size());
    members.push_back({.number = node < dates.size() ? node + 1 : 0, .parent = parent});
    for (std::uint32_t i = begins[node + 1]; i-- > begins[node];) waiting.push_back({children[i], place});
  }
  return members;
}

}  // namespace server::imap::sort
