#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "storage/schema/state_page.h"
#include "tests/support/hex.h"

namespace tests {
namespace {

using protocol::Uid;
using storage::schema::StatePage;
using State = StatePage::State;
using Model = std::map<std::uint32_t, State>;

Model ModelOf(const StatePage& page) {
  Model out;
  page.ForEach([&](std::uint32_t slot, const State& state) { out[slot] = state; });
  return out;
}

std::string Encoded(const Model& model) {
  StatePage page;
  for (const auto& [slot, state] : model) page.Put(slot, state);
  return page.Encode();
}

Model Decoded(const std::string& bytes) {
  StatePage page;
  page.Put(17, {1, 2, 3});  // what was there before must not shine through
  const auto decoded = StatePage::Decode(bytes, page);
  EXPECT_TRUE(decoded) << Hex(bytes);
  return ModelOf(page);
}

bool Decodes(const std::string& hex) {
  StatePage page;
  return StatePage::Decode(FromHex(hex), page).has_value();
}

TEST(StatePageTest, UidsMapToPagesAndBack) {
  for (const std::uint32_t uid : {0U, 1U, 511U, 512U, 513U, 65535U, 65536U, 0xfffffe00U, 0xffffffffU}) {
    EXPECT_EQ(StatePage::UidAt(StatePage::PageOf(Uid{uid}), StatePage::SlotOf(Uid{uid})), Uid{uid});
    EXPECT_LT(StatePage::SlotOf(Uid{uid}), StatePage::kUids);
  }
}

TEST(StatePageTest, EncodingIsFrozen) {
  // version, highest modseq, runs (gap, length), flag runs (system, keywords, length), modseq runs (step,
  // length)
  EXPECT_EQ(Hex(Encoded({})),
            "01"
            "0000000000000000"
            "00");
  EXPECT_EQ(Hex(Encoded({{1, {0, 0, 5}}})),
            "01"
            "0000000000000005"
            "01"
            "0101"
            "000001"
            "0001");
  EXPECT_EQ(Hex(Encoded({{0, {8, 0, 4}}, {1, {8, 0, 5}}, {511, {8, 3, 5}}})),
            "01"
            "0000000000000005"
            "02"
            "0002"
            "fd0301"
            "080002"
            "080301"
            "0101"
            "0202");
}

TEST(StatePageTest, AWholePageOfEqualMessagesTakesAFewOctets) {
  Model appended_one_by_one;
  Model stored_at_once;
  for (std::uint32_t slot = 0; slot < 512; ++slot) {
    appended_one_by_one[slot] = {0, 0, 1000 + slot};
    stored_at_once[slot] = {8, 0, 2000};
  }
  EXPECT_EQ(Encoded(stored_at_once).size(), 20U);
  EXPECT_LE(Encoded(appended_one_by_one).size(), 9 + 2 * 512 + 25U);
  EXPECT_EQ(Decoded(Encoded(appended_one_by_one)), appended_one_by_one);
  EXPECT_EQ(Decoded(Encoded(stored_at_once)), stored_at_once);
}

TEST(StatePageTest, RunsCrossWordBoundaries) {
  for (const std::uint32_t first : {0U, 1U, 63U, 64U, 65U, 127U, 448U, 511U}) {
    for (const std::uint32_t length : {1U, 2U, 63U, 64U, 65U, 128U, 512U}) {
      if (first + length > 512) continue;
      StatePage page;
      for (std::uint32_t slot = first; slot < first + length; ++slot) page.Put(slot, {0, 0, 1});
      std::vector<std::pair<std::uint32_t, std::uint32_t>> runs;
      page.ForEachRun([&](std::uint32_t at, std::uint32_t n) { runs.emplace_back(at, n); });
      EXPECT_EQ(runs, (std::vector{std::pair{first, length}}));
      EXPECT_EQ(page.Count(), length);
    }
  }
}

TEST(StatePageTest, HighestModSeqNeedsNoDecoding) {
  const auto bytes = Encoded({{3, {0, 0, 7}}, {9, {0, 0, std::uint64_t{1} << 62}}, {10, {0, 0, 1}}});
  EXPECT_EQ(StatePage::HighestModSeq(bytes)->value, std::uint64_t{1} << 62);
  EXPECT_EQ(StatePage::HighestModSeq(bytes.substr(0, 9))->value, std::uint64_t{1} << 62);
  EXPECT_FALSE(StatePage::HighestModSeq(bytes.substr(0, 8)));
  EXPECT_FALSE(StatePage::HighestModSeq("\2" + bytes.substr(1)));
}

TEST(StatePageTest, WhatWeNeverWriteIsRefused) {
  const std::string head = "01 0000000000000005 ";
  EXPECT_TRUE(Decodes(head + "01 0101 000001 0001"));
  EXPECT_FALSE(Decodes(head + "01 0100")) << "a run of none";
  EXPECT_FALSE(Decodes(head + "01 008104 000001 0001")) << "513 slots";
  EXPECT_FALSE(Decodes(head + "01 ff0302 000002 0002")) << "beyond slot 511";
  EXPECT_FALSE(Decodes(head + "01 ffffffffffffffffff01 ffffffffffffffffff01 000001 0001")) << "sum overflows";
  EXPECT_FALSE(Decodes(head + "01 0101 000000 0001")) << "a flag run of none";
  EXPECT_FALSE(Decodes(head + "01 0101 000002 0001")) << "more flags than messages";
  EXPECT_FALSE(Decodes(head + "01 0101 808080801000 01 0001")) << "system flags over 32 bits";
  EXPECT_FALSE(Decodes(head + "01 0101 000001 0000")) << "a modseq run of none";
  EXPECT_FALSE(Decodes(head + "01 0101 000001 0002")) << "more modseqs than messages";
  EXPECT_FALSE(Decodes(head + "01 0101 000001 0201")) << "above the highest";
  EXPECT_FALSE(Decodes(head + "01 0101 000001 0b01")) << "below zero";
  EXPECT_FALSE(Decodes(head + "01 0101 000001 0001 00")) << "something follows";
  EXPECT_FALSE(Decodes(head + "02 0101 000001 0001")) << "fewer runs than said";
}

State AnyState() {
  // Few different values, so that runs arise; sometimes any value.
  if (*rc::gen::weightedElement<bool>({{4, true}, {1, false}}))
    return {*rc::gen::element(0U, 8U), *rc::gen::element<std::uint64_t>(0, 1),
            *rc::gen::inRange<std::uint64_t>(1, 4)};
  return {*rc::gen::arbitrary<std::uint32_t>(), *rc::gen::arbitrary<std::uint64_t>(),
          *rc::gen::arbitrary<std::uint64_t>() >> 1};
}

RC_GTEST_PROP(StatePageProperty, BehavesLikeAMapOfSlots, ()) {
  StatePage page;
  Model model;
  for (int step = *rc::gen::inRange(0, 40); step > 0; --step) {
    const auto first = *rc::gen::inRange<std::uint32_t>(0, 512);
    const auto last = std::min<std::uint32_t>(511, first + *rc::gen::inRange<std::uint32_t>(0, 130));
    const State state = AnyState();
    const bool put = *rc::gen::weightedElement<bool>({{3, true}, {1, false}});
    for (std::uint32_t slot = first; slot <= last; ++slot) {
      if (put) {
        page.Put(slot, state);
        model[slot] = state;
      } else {
        page.Remove(slot);
        model.erase(slot);
      }
    }
  }
  RC_ASSERT(ModelOf(page) == model);
  RC_ASSERT(page.Count() == model.size());
  RC_ASSERT(page.Empty() == model.empty());
  for (std::uint32_t slot = 0; slot < 512; ++slot) RC_ASSERT(page.Has(slot) == model.contains(slot));

  const std::string bytes = page.Encode();
  RC_ASSERT(Decoded(bytes) == model);
  std::uint64_t highest = 0;
  for (const auto& [slot, state] : model) highest = std::max(highest, state.modseq);
  RC_ASSERT(StatePage::HighestModSeq(bytes)->value == highest);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    StatePage cut;
    RC_ASSERT(!StatePage::Decode(bytes.substr(0, n), cut));
  }
}

}  // namespace
}  // namespace tests
