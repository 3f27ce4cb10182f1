#pragma once

#include <cstdint>
#include <vector>

#include "server/http/byte_range.h"
#include "server/http/call.h"
#include "server/references/part_reader.h"

namespace server::http {

using references::kMaxSkipped;
/// One step of reading or of skipping: short, because others wait for the thread; long beside the two turns
/// of threads that it costs.
inline constexpr std::uint64_t kStep = 1024 * 1024;

/// Some of a part's octets, as they came.
class Pieces {
 public:
  std::uint64_t size() const { return size_; }
  /// False: they cannot all be sent.
  asio::awaitable<bool> Send(Call& call) const;

 private:
  friend class PartRange;
  std::vector<protocol::mime::Octets> octets_;
  std::uint64_t size_ = 0;
};

/// The octets of a part that are sent: all, or a range. What has a transfer encoding cannot be begun in its
/// middle: it is decoded from where the part began and what is before the range is dropped, in steps.
///
/// Lifetime   the part outlives it. Calls block, but for FillAtOnce() and those that are const.
class PartRange {
 public:
  using Form = references::PartReader::Form;
  using Begun = references::PartReader::Begun;

  /// All of a part that has begun in `form`.
  PartRange(references::PartReader& part, Form form)
      : part_(part), form_(form), left_(part.left()), size_(left_) {}

  /// Whether the range is too far from where the part begins to be come to.
  bool IsFar(const ByteRange& range) const { return Decodes() && range.first > kMaxSkipped; }
  /// The range, of which IsFar() is false, in place of all; once. Skip() then until nothing is left to skip.
  Begun Narrow(const ByteRange& range);
  std::uint64_t to_skip() const { return to_skip_; }
  /// One step. False: the octets cannot be had.
  bool Skip();
  /// Adds to `pieces` until they are a step, or all. False: the octets cannot be had; what is there stays,
  /// and the next call goes on.
  bool Fill(Pieces& pieces);
  /// The same with what is in memory and has not to be decoded (storage::MemoryOnly). False: there is more.
  bool FillAtOnce(Pieces& pieces);
  /// Octets to be filled in yet, and of all that are sent.
  std::uint64_t left() const { return left_; }
  std::uint64_t size() const { return size_; }

 private:
  bool Decodes() const;

  references::PartReader& part_;
  Form form_;
  std::uint64_t to_skip_ = 0;
  std::uint64_t left_;
  std::uint64_t size_;
  protocol::mime::Octets kept_;  ///< what came with the last that was skipped
};

}  // namespace server::http
