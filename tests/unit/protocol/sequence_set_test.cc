#include "protocol/model/sequence_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocol/model/partial_range.h"

namespace protocol {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
constexpr auto kStar = SequenceRange::kLargest;

TEST(SequenceSetTest, ResolvesToSortedDisjointRanges) {
  const SequenceSet set{.ranges = {{9, 7}, {2, 2}, {3, 4}, {kStar, kStar}, {8, 12}}};
  EXPECT_THAT(set.Resolve(20), ElementsAre(NumberRange{2, 4}, NumberRange{7, 12}, NumberRange{20, 20}));
}

TEST(SequenceSetTest, StarIsTheLargestNumberEvenBelowTheOtherEnd) {
  const SequenceSet set{.ranges = {{559, kStar}}};
  EXPECT_THAT(set.Resolve(100), ElementsAre(NumberRange{100, 559}));
}

TEST(SequenceSetTest, NumbersAboveTheLargestStay) {
  const SequenceSet set{.ranges = {{1, 4294967295U}, {4294967295U, 4294967295U}}};
  EXPECT_THAT(set.Resolve(3), ElementsAre(NumberRange{1, 4294967295U}));
}

TEST(SequenceSetTest, InAnEmptyMailboxStarIsANumberThatIsNotThere) {
  EXPECT_THAT((SequenceSet{.ranges = {{kStar, kStar}}}.Resolve(0)), ElementsAre(NumberRange{1, 1}));
  EXPECT_THAT(SequenceSet{}.Resolve(0), IsEmpty());
}

TEST(SequenceSetTest, ToStringIsWhatTheClientSent) {
  EXPECT_EQ((SequenceSet{.ranges = {{2, 4}, {7, 7}, {9, kStar}, {kStar, kStar}, {5, 3}}}.ToString()),
            "2:4,7,9:*,*,5:3");
  EXPECT_EQ((SequenceSet{.ranges = {}, .saved_result = true}.ToString()), "$");
}

// RFC 9394 §3.1, §4.
TEST(PartialRangeTest, NamesPlacesAsFarAsThereAreResults) {
  using Window = PartialRange::Window;
  EXPECT_EQ((PartialRange{1, 500}.Among(23764)), (Window{0, 500}));
  EXPECT_EQ((PartialRange{500, 1}.Among(23764)), (Window{0, 500}));
  EXPECT_EQ((PartialRange{23500, 24000}.Among(23764)), (Window{23499, 23764}));
  EXPECT_EQ((PartialRange{24000, 24500}.Among(23764)), (Window{23764, 23764}));
  EXPECT_EQ((PartialRange{1, 100, true}.Among(23764)), (Window{23664, 23764}));
  EXPECT_EQ((PartialRange{2, 2, true}.Among(3)), (Window{1, 2}));
  EXPECT_EQ((PartialRange{2, 9, true}.Among(3)), (Window{0, 2}));
  EXPECT_EQ((PartialRange{4, 9, true}.Among(3)), (Window{0, 0}));
  EXPECT_EQ((PartialRange{4294967295U, 4294967295U}.Among(0)), (Window{0, 0}));
}

TEST(PartialRangeTest, PicksFromRangesOfUids) {
  UidSet uids(Uid{10}, Uid{12});
  uids.Add(Uid{20});
  uids.Add(Uid{30}, Uid{39});
  EXPECT_EQ(PartOf(uids, {1, 2}).ToString(), "10:11");
  EXPECT_EQ(PartOf(uids, {3, 6}).ToString(), "12,20,30:31");
  EXPECT_EQ(PartOf(uids, {1, 3, true}).ToString(), "37:39");
  EXPECT_EQ(PartOf(uids, {10, 12, true}).ToString(), "12,20,30");
  EXPECT_EQ(PartOf(uids, {1, 100}).ToString(), uids.ToString());
  EXPECT_TRUE(PartOf(uids, {15, 16}).empty());
  EXPECT_TRUE(PartOf({}, {1, 1}).empty());
}

TEST(PartialRangeTest, ToStringIsWhatTheClientSent) {
  EXPECT_EQ((PartialRange{500, 1}.ToString()), "500:1");
  EXPECT_EQ((PartialRange{1, 100, true}.ToString()), "-1:-100");
}

}  // namespace
}  // namespace protocol
