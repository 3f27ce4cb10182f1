#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "protocol/model/ids.h"
#include "protocol/model/uid_set.h"

namespace server::imap {

using protocol::SeqNum;
using protocol::Uid;
using protocol::UidSet;

/// Inclusive.
struct SeqRange {
  SeqNum first;
  SeqNum last;
  friend bool operator==(const SeqRange&, const SeqRange&) = default;
};

/// Message sequence numbers and UIDs of one session's folder, both ways (RFC 3501 §2.3.1.2).
///
/// Kept as runs of consecutive UIDs: 100,000 messages without gaps are one run of 8 octets, the worst case
/// (every other UID gone) is 8 octets a message.
class SequenceMap {
 public:
  SequenceMap() = default;
  explicit SequenceMap(const UidSet& uids) { Append(uids); }

  std::uint32_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// Zero if empty.
  Uid last_uid() const;

  /// REQUIRES: 1 <= seq <= size().
  Uid UidOf(SeqNum seq) const;
  /// nullopt: no message here has this UID.
  std::optional<SeqNum> SeqOf(Uid uid) const;

  /// SeqOf() for UIDs asked in ascending order, in constant time on average. Valid until the map changes.
  class Cursor {
   public:
    explicit Cursor(const SequenceMap& map) : map_(&map) {}
    std::optional<SeqNum> SeqOf(Uid uid);

   private:
    const SequenceMap* map_;
    std::size_t run_ = 0;
  };

  /// The last UID of the pairs (first + i, uid + i), i < count, that are true of this map: then the messages
  /// up to it are as they were when the pair was noted, because none can have come between them (RFC 7162
  /// §3.2.5.2). nullopt: none is.
  std::optional<Uid> LastTrueOf(SeqNum first, Uid uid, std::uint32_t count) const;

  /// The UIDs of the messages first..last. REQUIRES: 1 <= first <= last <= size().
  void AddUids(SeqNum first, SeqNum last, UidSet& to) const;
  /// The messages with these UIDs, as ranges of sequence numbers.
  std::vector<SeqRange> SeqRanges(const UidSet& uids) const;
  UidSet Uids() const;
  /// How many messages have this UID or a higher one.
  std::uint32_t CountFrom(Uid uid) const;
  /// Which of `uids` have a number here.
  UidSet Known(const UidSet& uids) const;

  /// REQUIRES: all UIDs are above last_uid().
  void Append(const UidSet& uids);
  /// Passes over what is not here. Linear in runs and ranges.
  void Remove(const UidSet& uids);

 private:
  struct Run {
    std::uint32_t uid;  ///< of its first message
    std::uint32_t seq;  ///< of its first message
  };
  std::uint32_t Length(std::size_t run) const {
    const std::uint32_t next = run + 1 < runs_.size() ? runs_[run + 1].seq : size_ + 1;
    return next - runs_[run].seq;
  }
  std::uint32_t LastUid(std::size_t run) const { return runs_[run].uid + Length(run) - 1; }
  std::size_t RunOfSeq(std::uint32_t seq) const;
  /// The first run that ends at or after `uid`; runs_.size() if there is none.
  std::size_t RunAtOrAfter(std::uint32_t uid) const;

  std::vector<Run> runs_;
  std::uint32_t size_ = 0;
};

}  // namespace server::imap
