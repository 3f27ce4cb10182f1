#include "server/http/byte_budget.h"

#include <optional>

#include <gtest/gtest.h>

namespace server::http {
namespace {

TEST(ByteBudgetTest, HasALimitForAllAndOneForEach) {
  ByteBudget budget(100, 60);
  std::optional<ByteBudget::Share> first(std::in_place, budget, 1);
  ByteBudget::Share second(budget, 1);
  ByteBudget::Share other(budget, 2);
  EXPECT_TRUE(first->Hold(40));
  EXPECT_FALSE(second.Hold(21)) << "the account's";
  EXPECT_TRUE(second.Hold(20));
  EXPECT_FALSE(other.Hold(41)) << "all";
  EXPECT_TRUE(other.Hold(40));
  EXPECT_TRUE(other.Hold(10)) << "less is always possible";
  EXPECT_TRUE(other.Hold(40));
  EXPECT_FALSE(other.Hold(41));
  first.reset();
  EXPECT_TRUE(other.Hold(60));
  EXPECT_TRUE(second.Hold(40));
  EXPECT_FALSE(second.Hold(60)) << "a request that is refused holds what it held";
  EXPECT_TRUE(other.Hold(0));
  EXPECT_TRUE(second.Hold(60));
}

}  // namespace
}  // namespace server::http
