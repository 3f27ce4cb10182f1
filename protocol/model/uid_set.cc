#include "protocol/model/uid_set.h"

#include <algorithm>

#include <fmt/format.h>

namespace protocol {
namespace {

/// First range that ends at or after `uid`.
template <class Ranges>
auto FirstNotBefore(Ranges& ranges, std::uint32_t uid) {
  return std::lower_bound(ranges.begin(), ranges.end(), uid,
                          [](const UidRange& range, std::uint32_t u) { return range.last.value < u; });
}

}  // namespace

UidSet UidSet::Of(std::vector<UidRange> ranges) {
  std::ranges::sort(ranges, {}, &UidRange::first);
  UidSet out;
  for (const UidRange& range : ranges) {
    // What the last range covers already is passed over, so that each Add() appends.
    const std::uint64_t first =
        out.empty() ? range.first.value : std::max<std::uint64_t>(range.first.value, out.back().value + 1ULL);
    if (first <= range.last.value) out.Add(Uid{static_cast<std::uint32_t>(first)}, range.last);
  }
  return out;
}

void UidSet::Add(Uid first, Uid last) {
  if (!ranges_.empty() && first.value > ranges_.back().last.value) {
    if (first.value == ranges_.back().last.value + 1) {
      ranges_.back().last = last;
    } else {
      ranges_.push_back({first, last});
    }
    return;
  }
  // Adjacent ranges merge, hence the neighbour before `first` counts too.
  auto begin = FirstNotBefore(ranges_, first.value == 0 ? 0 : first.value - 1);
  auto end = begin;
  UidRange merged{first, last};
  while (end != ranges_.end() && (end->first.value <= last.value || end->first.value == last.value + 1)) {
    merged.first = std::min(merged.first, end->first);
    merged.last = std::max(merged.last, end->last);
    ++end;
  }
  begin = ranges_.erase(begin, end);
  ranges_.insert(begin, merged);
}

void UidSet::Remove(Uid first, Uid last) {
  auto at = FirstNotBefore(ranges_, first.value);
  while (at != ranges_.end() && at->first.value <= last.value) {
    const UidRange range = *at;
    at = ranges_.erase(at);
    if (range.last.value > last.value) at = ranges_.insert(at, {Uid{last.value + 1}, range.last});
    if (range.first.value < first.value) {
      at = ranges_.insert(at, {range.first, Uid{first.value - 1}});
      ++at;
    }
    if (range.last.value > last.value) break;
  }
}

bool UidSet::Contains(Uid uid) const {
  const auto at = FirstNotBefore(ranges_, uid.value);
  return at != ranges_.end() && at->first <= uid;
}

std::uint64_t UidSet::size() const {
  std::uint64_t n = 0;
  for (const auto& range : ranges_) n += std::uint64_t{range.last.value} - range.first.value + 1;
  return n;
}

UidSet UidSet::Intersect(const UidSet& other) const {
  UidSet out;
  auto a = ranges_.begin();
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const Uid first = std::max(a->first, b->first);
    const Uid last = std::min(a->last, b->last);
    if (first <= last) out.Add(first, last);
    if (a->last < b->last)
      ++a;
    else
      ++b;
  }
  return out;
}

UidSet UidSet::Minus(const UidSet& other) const {
  UidSet out;
  auto gone = other.ranges_.begin();
  for (const auto& range : ranges_) {
    std::uint64_t first = range.first.value;
    while (first <= range.last.value) {
      while (gone != other.ranges_.end() && gone->last.value < first) ++gone;
      const bool whole = gone == other.ranges_.end() || gone->first > range.last;
      if (whole || gone->first.value > first) {
        out.Add(Uid{static_cast<std::uint32_t>(first)}, whole ? range.last : Uid{gone->first.value - 1});
      }
      if (whole) break;
      first = std::uint64_t{gone->last.value} + 1;
    }
  }
  return out;
}

std::string UidSet::ToString() const {
  std::string out;
  for (const auto& range : ranges_) {
    if (!out.empty()) out += ',';
    if (range.first == range.last)
      fmt::format_to(std::back_inserter(out), "{}", range.first.value);
    else
      fmt::format_to(std::back_inserter(out), "{}:{}", range.first.value, range.last.value);
  }
  return out;
}

}  // namespace protocol
