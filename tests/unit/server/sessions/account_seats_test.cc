#include "server/sessions/account_seats.h"

#include <gtest/gtest.h>

namespace server_test {
namespace {

using server::sessions::AccountSeats;
using server::sessions::Seat;
using storage::AccountId;

TEST(AccountSeatsTest, AnAccountHasAsManyAsItMayAndGetsThemBack) {
  AccountSeats seats(2);
  auto first = seats.Take(AccountId{1}, AccountId{1});
  auto second = seats.Take(AccountId{1}, AccountId{1});
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(seats.Take(AccountId{1}, AccountId{1}));
  EXPECT_TRUE(seats.Take(AccountId{2}, AccountId{2}));
  Seat moved = *std::move(first);
  first.reset();
  EXPECT_FALSE(seats.Take(AccountId{1}, AccountId{1}));
  moved = *std::move(second);
  EXPECT_TRUE(seats.Take(AccountId{1}, AccountId{1}));
  moved.Leave();
  moved.Leave();
  EXPECT_TRUE(seats.Take(AccountId{1}, AccountId{1}));
}

TEST(AccountSeatsTest, WhoeverActsForAnAccountTakesNoneOfItsOwn) {
  AccountSeats seats(1);
  const AccountId user{1};
  const AccountId other{2};
  const AccountId pf{3};
  const auto first = seats.Take(user, pf);
  EXPECT_TRUE(first);
  EXPECT_FALSE(seats.Take(user, pf)) << "it has its own limit";
  EXPECT_TRUE(seats.Take(user, user));
  EXPECT_TRUE(seats.Take(other, pf));
}

TEST(AccountSeatsTest, NoneIsAnyNumber) {
  AccountSeats seats(0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(seats.Take(AccountId{1}, AccountId{1}));
}

}  // namespace
}  // namespace server_test
