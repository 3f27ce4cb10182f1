#include "server/imap/view/sequence_map.h"

#include <algorithm>

namespace server::imap {

using protocol::UidRange;

Uid SequenceMap::last_uid() const { return runs_.empty() ? Uid{0} : Uid{LastUid(runs_.size() - 1)}; }

std::size_t SequenceMap::RunOfSeq(std::uint32_t seq) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), seq,
                                      [](std::uint32_t s, const Run& run) { return s < run.seq; });
  return static_cast<std::size_t>(after - runs_.begin()) - 1;
}

std::size_t SequenceMap::RunAtOrAfter(std::uint32_t uid) const {
  const auto after = std::upper_bound(runs_.begin(), runs_.end(), uid,
                                      [](std::uint32_t u, const Run& run) { return u < run.uid; });
  auto run = static_cast<std::size_t>(after - runs_.begin());
  if (run > 0 && LastUid(run - 1) >= uid) --run;
  return run;
}

Uid SequenceMap::UidOf(SeqNum seq) const {
  const Run& run = runs_[RunOfSeq(seq.value)];
  return Uid{run.uid + (seq.value - run.seq)};
}

std::optional<SeqNum> SequenceMap::SeqOf(Uid uid) const {
  const std::size_t at = RunAtOrAfter(uid.value);
  if (at == runs_.size() || runs_[at].uid > uid.value) return std::nullopt;
  return SeqNum{runs_[at].seq + (uid.value - runs_[at].uid)};
}

std::optional<Uid> SequenceMap::LastTrueOf(SeqNum first, Uid uid, std::uint32_t count) const {
  // The distance between UID and number grows from run to run, so at most one run has that of the pairs.
  const std::int64_t wanted = std::int64_t{uid.value} - first.value;
  const auto run = std::partition_point(runs_.begin(), runs_.end(),
                                        [&](const Run& r) { return std::int64_t{r.uid} - r.seq < wanted; });
  if (run == runs_.end() || std::int64_t{run->uid} - run->seq != wanted) return std::nullopt;
  const std::uint64_t run_last = LastUid(static_cast<std::size_t>(run - runs_.begin()));
  const std::uint64_t last = std::min(run_last, std::uint64_t{uid.value} + count - 1);
  if (last < std::max(uid.value, run->uid)) return std::nullopt;
  return Uid{static_cast<std::uint32_t>(last)};
}

std::optional<SeqNum> SequenceMap::Cursor::SeqOf(Uid uid) {
  const auto& runs = map_->runs_;
  while (run_ + 1 < runs.size() && runs[run_ + 1].uid <= uid.value) ++run_;
  if (run_ >= runs.size() || runs[run_].uid > uid.value || map_->LastUid(run_) < uid.value)
    return std::nullopt;
  return SeqNum{runs[run_].seq + (uid.value - runs[run_].uid)};
}

void SequenceMap::AddUids(SeqNum first, SeqNum last, UidSet& to) const {
  for (std::size_t at = RunOfSeq(first.value); at < runs_.size() && runs_[at].seq <= last.value; ++at) {
    const std::uint32_t begin = std::max(first.value, runs_[at].seq);
    const std::uint32_t end = std::min(last.value, runs_[at].seq + Length(at) - 1);
    to.Add(Uid{runs_[at].uid + (begin - runs_[at].seq)}, Uid{runs_[at].uid + (end - runs_[at].seq)});
  }
}

std::vector<SeqRange> SequenceMap::SeqRanges(const UidSet& uids) const {
  std::vector<SeqRange> out;
  for (const UidRange& range : uids.ranges()) {
    for (std::size_t at = RunAtOrAfter(range.first.value);
         at < runs_.size() && runs_[at].uid <= range.last.value; ++at) {
      const std::uint32_t first = std::max(range.first.value, runs_[at].uid);
      const std::uint32_t last = std::min(range.last.value, LastUid(at));
      const SeqRange numbers{SeqNum{runs_[at].seq + (first - runs_[at].uid)},
                             SeqNum{runs_[at].seq + (last - runs_[at].uid)}};
      // Neighbours by number may be apart by UID.
      if (!out.empty() && out.back().last.value + 1 == numbers.first.value) {
        out.back().last = numbers.last;
      } else {
        out.push_back(numbers);
      }
    }
  }
  return out;
}

UidSet SequenceMap::Uids() const {
  UidSet out;
  for (std::size_t at = 0; at < runs_.size(); ++at) out.Add(Uid{runs_[at].uid}, Uid{LastUid(at)});
  return out;
}

std::uint32_t SequenceMap::CountFrom(Uid uid) const {
  const std::size_t at = RunAtOrAfter(uid.value);
  if (at == runs_.size()) return 0;
  const std::uint32_t before = uid.value > runs_[at].uid ? uid.value - runs_[at].uid : 0;
  return size_ - (runs_[at].seq - 1 + before);
}

UidSet SequenceMap::Known(const UidSet& uids) const {
  UidSet out;
  for (const UidRange& range : uids.ranges()) {
    for (std::size_t at = RunAtOrAfter(range.first.value);
         at < runs_.size() && runs_[at].uid <= range.last.value; ++at) {
      out.Add(Uid{std::max(range.first.value, runs_[at].uid)}, Uid{std::min(range.last.value, LastUid(at))});
    }
  }
  return out;
}

void SequenceMap::Append(const UidSet& uids) {
  for (const UidRange& range : uids.ranges()) {
    if (runs_.empty() || LastUid(runs_.size() - 1) + 1 != range.first.value) {
      runs_.push_back({range.first.value, size_ + 1});
    }
    size_ += range.last.value - range.first.value + 1;
  }
}

void SequenceMap::Remove(const UidSet& uids) {
  if (uids.empty() || runs_.empty()) return;
  UidSet left;
  auto gone = uids.ranges().begin();
  const auto end = uids.ranges().end();
  for (std::size_t at = 0; at < runs_.size(); ++at) {
    std::uint64_t uid = runs_[at].uid;
    const std::uint64_t last = LastUid(at);
    while (uid <= last) {
      while (gone != end && gone->last.value < uid) ++gone;
      if (gone == end || gone->first.value > last) {
        left.Add(Uid{static_cast<std::uint32_t>(uid)}, Uid{static_cast<std::uint32_t>(last)});
        break;
      }
      if (gone->first.value > uid) left.Add(Uid{static_cast<std::uint32_t>(uid)}, Uid{gone->first.value - 1});
      uid = std::uint64_t{gone->last.value} + 1;
    }
  }
  runs_.clear();
  size_ = 0;
  Append(left);
}

}  // namespace server::imap
