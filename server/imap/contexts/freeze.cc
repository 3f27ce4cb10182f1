#include "server/imap/contexts/freeze.h"

#include <algorithm>

#include "server/imap/commands/resolve.h"

namespace server::imap::contexts {

using protocol::NumberKind;
using protocol::SearchKey;
using protocol::SequenceRange;
using protocol::SequenceSet;

namespace {

SequenceSet SetOf(const UidSet& uids) {
  SequenceSet set;
  for (const auto& range : uids.ranges()) set.ranges.push_back({range.first.value, range.last.value});
  return set;
}

SequenceSet WithoutStar(const SequenceSet& set, const MailboxView& view) {
  const std::uint32_t last = view.map().last_uid().value;
  SequenceSet frozen = set;
  for (SequenceRange& range : frozen.ranges) {
    if (range.first == SequenceRange::kLargest) std::swap(range.first, range.last);
    if (range.last != SequenceRange::kLargest) continue;
    if (range.first == SequenceRange::kLargest) {
      range = {std::max(last, 1U), std::max(last, 1U)};
    } else {
      range.last = range.first <= last ? protocol::kMaxUid.value : std::max(last, 1U);
    }
  }
  return frozen;
}

}  // namespace

SearchKey Freeze(const SearchKey& key, const MailboxView& view) {
  SearchKey frozen = key;
  frozen.children.clear();
  for (const SearchKey& child : key.children) frozen.children.push_back(Freeze(child, view));
  if (key.op == SearchKey::Op::kSequenceSet || (key.op == SearchKey::Op::kUidSet && key.set.saved_result)) {
    frozen.op = SearchKey::Op::kUidSet;
    frozen.set = SetOf(Resolve(view, NumberKind::kSequence, key.set).value_or(UidSet()));
  } else if (key.op == SearchKey::Op::kUidSet) {
    frozen.set = WithoutStar(key.set, view);
  }
  return frozen;
}

bool DependsOnTime(const SearchKey& key) {
  return key.op == SearchKey::Op::kOlder || key.op == SearchKey::Op::kYounger ||
         std::ranges::any_of(key.children, DependsOnTime);
}

}  // namespace server::imap::contexts
