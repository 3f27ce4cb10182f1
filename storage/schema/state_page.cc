#include "storage/schema/state_page.h"

#include <algorithm>

#include "storage/schema/bytes.h"

namespace storage::schema {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeader = 1 + 8;

bool SameFlags(const StatePage::State& a, const StatePage::State& b) {
  return a.system == b.system && a.keywords == b.keywords;
}

}  // namespace

std::uint32_t StatePage::Count() const {
  int n = 0;
  for (const auto word : present) n += std::popcount(word);
  return static_cast<std::uint32_t>(n);
}

std::string StatePage::Encode() const {
  std::array<std::uint16_t, kUids> slots;
  std::size_t count = 0;
  std::uint64_t highest = 0;
  Writer presence;
  std::uint64_t runs = 0;
  std::uint32_t end = 0;
  ForEachRun([&](std::uint32_t first, std::uint32_t length) {
    presence.Varint(first - end).Varint(length);
    end = first + length;
    ++runs;
    for (std::uint32_t slot = first; slot < end; ++slot) {
      slots[count++] = static_cast<std::uint16_t>(slot);
      highest = std::max(highest, states[slot].modseq);
    }
  });

  Writer out;
  out.U8(kVersion).U64(highest).Varint(runs).Raw(presence.Take());
  for (std::size_t i = 0; i < count;) {
    std::size_t j = i + 1;
    while (j < count && SameFlags(states[slots[i]], states[slots[j]])) ++j;
    out.Varint(states[slots[i]].system).Varint(states[slots[i]].keywords).Varint(j - i);
    i = j;
  }
  std::uint64_t previous = highest;
  for (std::size_t i = 0; i < count;) {
    const std::uint64_t modseq = states[slots[i]].modseq;
    std::size_t j = i + 1;
    while (j < count && states[slots[j]].modseq == modseq) ++j;
    out.Signed(static_cast<std::int64_t>(modseq - previous)).Varint(j - i);
    previous = modseq;
    i = j;
  }
  return out.Take();
}

Result<protocol::ModSeq> StatePage::HighestModSeq(std::string_view value) {
  Reader in(value);
  if (in.U8() != kVersion) return Fail(Errc::kCorruption, "state page has an unknown version");
  const protocol::ModSeq highest{in.U64()};
  if (!in.ok()) return Fail(Errc::kCorruption, "state page is too short");
  return highest;
}

Result<> StatePage::Decode(std::string_view value, StatePage& out) {
  const auto highest = HighestModSeq(value);
  if (!highest) return tl::unexpected<Error>(highest.error());
  Reader in(value.substr(kHeader));
  std::array<std::uint16_t, kUids> slots;
  std::size_t count = 0;

  out.present.fill(0);
  std::uint64_t end = 0;
  for (auto runs = in.Varint(); runs > 0 && in.ok(); --runs) {
    const std::uint64_t gap = in.Varint();
    const std::uint64_t length = in.Varint();
    if (gap > kUids || length == 0 || length > kUids || end + gap + length > kUids) {
      in.Fault();
      break;
    }
    for (std::uint64_t slot = end + gap; slot < end + gap + length; ++slot) {
      out.present[slot / 64] |= std::uint64_t{1} << (slot % 64);
      slots[count++] = static_cast<std::uint16_t>(slot);
    }
    end += gap + length;
  }
  for (std::size_t i = 0; i < count && in.ok();) {
    const std::uint64_t system = in.Varint();
    const std::uint64_t keywords = in.Varint();
    const std::uint64_t length = in.Varint();
    if (system > 0xffffffffU || length == 0 || length > count - i) {
      in.Fault();
      break;
    }
    for (const std::size_t stop = i + length; i < stop; ++i) {
      State& state = out.states[slots[i]];
      state.system = static_cast<std::uint32_t>(system);
      state.keywords = keywords;
    }
  }
  std::uint64_t modseq = highest->value;
  for (std::size_t i = 0; i < count && in.ok();) {
    modseq += static_cast<std::uint64_t>(in.Signed());
    const std::uint64_t length = in.Varint();
    if (length == 0 || length > count - i || modseq > highest->value) {
      in.Fault();
      break;
    }
    for (const std::size_t stop = i + length; i < stop; ++i) out.states[slots[i]].modseq = modseq;
  }
  if (!in.Done()) return Fail(Errc::kCorruption, "state page does not decode");
  return {};
}

}  // namespace storage::schema
