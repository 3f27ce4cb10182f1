#include "server/imap/contexts/place.h"

#include <algorithm>

#include "server/imap/sort/sort_keys.h"

namespace server::imap::contexts {

namespace {

/// Whether `a` comes before `b`; both are there.
storage::Result<bool> Before(const storage::FolderReader& reader,
                             const std::vector<protocol::SortCriterion>& criteria, Uid a, Uid b) {
  sort::SortKeys keys(criteria);
  UidSet both(a);
  both.Add(b);
  const auto rows = reader.Rows(both, [&](Uid uid, const storage::MessageRow& row) {
    keys.Add(uid, row);
    return true;
  });
  if (!rows) return tl::unexpected(rows.error());
  return keys.Sorted().front() == a;
}

}  // namespace

storage::Result<std::vector<Uid>> Place(const storage::FolderReader& reader,
                                        const std::vector<protocol::SortCriterion>& criteria,
                                        std::vector<Uid> order, const UidSet& more) {
  const auto there = reader.Uids();
  if (!there) return tl::unexpected(there.error());
  std::erase_if(order, [&](Uid uid) { return !there->Contains(uid); });
  const UidSet new_ones = more.Intersect(*there);
  for (const auto& range : new_ones.ranges()) {
    for (std::uint64_t n = range.first.value; n <= range.last.value; ++n) {
      const Uid uid{static_cast<std::uint32_t>(n)};
      std::size_t begin = 0;
      std::size_t end = order.size();
      while (begin < end) {
        const std::size_t middle = begin + (end - begin) / 2;
        const auto before = Before(reader, criteria, uid, order[middle]);
        if (!before) return tl::unexpected(before.error());
        if (*before) {
          end = middle;
        } else {
          begin = middle + 1;
        }
      }
      order.insert(order.begin() + static_cast<std::ptrdiff_t>(begin), uid);
    }
  }
  return order;
}

}  // namespace server::imap::contexts
