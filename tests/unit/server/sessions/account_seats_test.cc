#include "server/sessions/account_seats.h"

#include <gtest/gtest.h>

namespace server_test {
namespace {

using server::sessions::AccountSeats;
using server::sessions::Seat;
using storage::AccountId;

TEST(AccountSeatsTest, AnAccountHasAsManyAsItMayAndGetsThemBack) {
  AccountSeats seats(2);
  auto first = seats.Take(AccountId{1});
  auto second = seats.Take(AccountId{1});
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(seats.Take(AccountId{1}));
  EXPECT_TRUE(seats.Take(AccountId{2}));
  Seat moved = *std::move(first);
  first.reset();
  EXPECT_FALSE(seats.Take(AccountId{1}));
  moved = *std::move(second);
  EXPECT_TRUE(seats.Take(AccountId{1}));
  moved.Leave();
  moved.Leave();
  EXPECT_TRUE(seats.Take(AccountId{1}));
}

TEST(AccountSeatsTest, NoneIsAnyNumber) {
  AccountSeats seats(0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(seats.Take(AccountId{1}));
}

}  // namespace
}  // namespace server_test
