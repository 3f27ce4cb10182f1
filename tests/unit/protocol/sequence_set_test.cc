#include "protocol/model/sequence_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace protocol
