#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/ids.h"
#include "storage/error.h"

namespace storage::schema {

/// Value in `states`: presence, flags and modseq of 512 consecutive UIDs, run-length coded.
///
///   version u8 | highest_modseq u64 be | presence | flag runs | modseq runs
///   presence    = n, (gap, length) * n            gaps and lengths of runs of present messages
///   flag runs   = (system, keywords, length) *    in UID order, until every present message is covered
///   modseq runs = (step signed, length) *         the first step is from highest_modseq, each other from the
///   run before
///
/// highest_modseq has a fixed place, so that a resync passes over the page without decoding it. A page in
/// which all messages have the same flags, appended one after the other, takes 9 octets and about 2 a
/// message; one after a STORE of all, some 25 in all.
struct StatePage {
  static constexpr std::uint32_t kUids = 512;

  struct State {
    std::uint32_t system = 0;
    std::uint64_t keywords = 0;
    std::uint64_t modseq = 0;
    friend bool operator==(const State&, const State&) = default;
  };

  static std::uint32_t PageOf(protocol::Uid uid) { return uid.value / kUids; }
  static std::uint32_t SlotOf(protocol::Uid uid) { return uid.value % kUids; }
  static protocol::Uid UidAt(std::uint32_t page, std::uint32_t slot) { return {page * kUids + slot}; }

  bool Has(std::uint32_t slot) const { return (present[slot / 64] >> (slot % 64) & 1) != 0; }
  void Put(std::uint32_t slot, const State& state) {
    present[slot / 64] |= std::uint64_t{1} << (slot % 64);
    states[slot] = state;
  }
  void Remove(std::uint32_t slot) { present[slot / 64] &= ~(std::uint64_t{1} << (slot % 64)); }
  std::uint32_t Count() const;
  bool Empty() const { return Count() == 0; }

  /// Visits runs of present slots in order: visit(first slot, length).
  template <class F>
  void ForEachRun(F&& visit) const;
  /// Visits present slots in order.
  template <class F>
  void ForEach(F&& visit) const {
    ForEachRun([&](std::uint32_t first, std::uint32_t length) {
      for (std::uint32_t slot = first; slot < first + length; ++slot) visit(slot, states[slot]);
    });
  }

  std::string Encode() const;
  /// `out` is overwritten; on an error its content is unspecified.
  static Result<> Decode(std::string_view value, StatePage& out);
  /// Without decoding the rest.
  static Result<protocol::ModSeq> HighestModSeq(std::string_view value);

  std::array<std::uint64_t, kUids / 64> present{};
  std::array<State, kUids> states;  ///< meaningless where not present
};

template <class F>
void StatePage::ForEachRun(F&& visit) const {
  std::uint32_t slot = 0;
  while (slot < kUids) {
    const std::uint64_t ahead = present[slot / 64] >> (slot % 64);
    if (ahead == 0) {
      slot = (slot / 64 + 1) * 64;
      continue;
    }
    slot += static_cast<std::uint32_t>(std::countr_zero(ahead));
    const std::uint32_t first = slot;
    while (slot < kUids) {
      const std::uint64_t rest = present[slot / 64] >> (slot % 64);
      const auto ones = static_cast<std::uint32_t>(std::countr_one(rest));
      slot += ones;
      // A run that reaches the end of its word may go on in the next.
      if (ones == 0 || slot % 64 != 0) break;
    }
    visit(first, slot - first);
  }
}

}  // namespace storage::schema
