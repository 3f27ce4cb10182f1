#include "server/imap/commands/resolve.h"

#include <algorithm>

namespace server::imap {

using protocol::Bad;
using protocol::NumberKind;
using protocol::SequenceRange;

namespace {

bool NamesNothing(const protocol::SequenceSet& set) {
  return std::all_of(set.ranges.begin(), set.ranges.end(), [](const SequenceRange& range) {
    return range.first == SequenceRange::kLargest || range.last == SequenceRange::kLargest;
  });
}

}  // namespace

tl::expected<UidSet, protocol::Reply> Resolve(const MailboxView& view, NumberKind numbers,
                                              const protocol::SequenceSet& set) {
  if (set.saved_result) return view.saved();
  const SequenceMap& map = view.map();
  UidSet uids;
  if (numbers == NumberKind::kUid) {
    for (const auto& range : set.Resolve(map.last_uid().value)) uids.Add(Uid{range.first}, Uid{range.last});
    return map.Known(uids);
  }
  if (map.empty() && NamesNothing(set)) return uids;
  for (const auto& range : set.Resolve(map.size())) {
    if (range.last > map.size()) {
      return tl::unexpected(Bad("There is no message " + std::to_string(range.last) + ", the mailbox has " +
                                std::to_string(map.size())));
    }
    map.AddUids(SeqNum{range.first}, SeqNum{range.last}, uids);
  }
  return uids;
}

std::vector<protocol::NumberRange> Named(const MailboxView& view, NumberKind numbers, const UidSet& uids) {
  std::vector<protocol::NumberRange> ranges;
  if (numbers == NumberKind::kUid) {
    for (const auto& range : uids.ranges()) ranges.push_back({range.first.value, range.last.value});
  } else {
    for (const auto& range : view.map().SeqRanges(uids))
      ranges.push_back({range.first.value, range.last.value});
  }
  return ranges;
}

std::vector<std::uint32_t> Numbers(const MailboxView& view, NumberKind kind, std::span<const Uid> uids) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(uids.size());
  for (const Uid uid : uids) {
    numbers.push_back(kind == NumberKind::kUid ? uid.value : view.map().SeqOf(uid)->value);
  }
  return numbers;
}

std::vector<protocol::NumberRange> Ranges(std::span<const std::uint32_t> numbers) {
  std::vector<protocol::NumberRange> ranges;
  for (const std::uint32_t number : numbers) {
    if (!ranges.empty() && ranges.back().last + 1 == number) {
      ranges.back().last = number;
    } else {
      ranges.push_back({number, number});
    }
  }
  return ranges;
}

UidSet SetOf(std::span<const Uid> uids) {
  std::vector<protocol::UidRange> ranges;
  ranges.reserve(uids.size());
  for (const Uid uid : uids) ranges.push_back({uid, uid});
  return UidSet::Of(std::move(ranges));
}

bool AnyGone(const MailboxView& view, const UidSet& uids) { return !view.gone().Intersect(uids).empty(); }

}  // namespace server::imap
