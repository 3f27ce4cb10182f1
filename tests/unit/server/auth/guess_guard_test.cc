#include "server/auth/guess_guard.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace server_test {
namespace {

using boost::asio::ip::make_address;
using server::auth::GuessGuard;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""ms;

class GuessGuardTest : public testing::Test {
 protected:
  void Fail(const char* peer, std::string_view name, int times) {
    for (int i = 0; i < times; ++i) guard_.Failed(make_address(peer), name);
  }
  bool Locked(const char* peer, std::string_view name) {
    return guard_.LockedFor(make_address(peer), name).has_value();
  }
  void Succeed(const char* peer, std::string_view name) { guard_.Succeeded(make_address(peer), name); }

  server::FakeClock clock_;
  GuessGuard guard_{clock_,
                    {.per_name = 5, .per_customer = 20, .per_network = 50, .counts = 300, .known = 10}};
};

TEST_F(GuessGuardTest, AnswersAreHeldBackLongerAndLonger) {
  std::vector<std::chrono::milliseconds> delays;
  for (int i = 0; i < 9; ++i) delays.push_back(guard_.Failed(make_address("192.0.2.1"), std::to_string(i)));
  EXPECT_EQ(delays, (std::vector<std::chrono::milliseconds>{0s, 0s, 1s, 2s, 4s, 8s, 10s, 10s, 10s}));
  EXPECT_EQ(guard_.Failed(make_address("192.0.2.2"), "0"), 0s) << "another address of the network";
  for (int i = 0; i < 2; ++i) guard_.Failed(make_address("2001:db8::1"), "0");
  EXPECT_EQ(guard_.Failed(make_address("2001:db8::2"), "0"), 1s) << "the same customer";
  EXPECT_EQ(guard_.Failed(make_address("2001:db8:0:1::2"), "0"), 0s);
  clock_.Advance(3000s);
  EXPECT_EQ(guard_.Failed(make_address("192.0.2.1"), "x"), 0s) << "forgotten";
}

TEST_F(GuessGuardTest, ANameIsLockedFromThereAndNowhereElse) {
  Fail("192.0.2.1", "a", 4);
  EXPECT_FALSE(Locked("192.0.2.1", "a"));
  Fail("192.0.2.1", "a", 1);
  EXPECT_TRUE(Locked("192.0.2.1", "a"));
  EXPECT_FALSE(Locked("192.0.2.1", "b"));
  EXPECT_FALSE(Locked("192.0.2.2", "a"));
  EXPECT_EQ(guard_.locks(), 1U);
  clock_.Advance(299s);
  EXPECT_EQ(guard_.LockedFor(make_address("192.0.2.1"), "a"), 1s);
  clock_.Advance(1s);
  EXPECT_FALSE(Locked("192.0.2.1", "a"));
  // Half of it is forgotten.
  Fail("192.0.2.1", "a", 1);
  EXPECT_FALSE(Locked("192.0.2.1", "a"));
  Fail("192.0.2.1", "a", 1);
  EXPECT_TRUE(Locked("192.0.2.1", "a"));
}

TEST_F(GuessGuardTest, AnAddressIsLockedForNamesThatDidNotLogInFromIt) {
  Succeed("192.0.2.1", "known");
  for (int i = 0; i < 20; ++i) Fail("192.0.2.1", std::to_string(i), 1);
  EXPECT_TRUE(Locked("192.0.2.1", "new"));
  EXPECT_FALSE(Locked("192.0.2.1", "known"));
  EXPECT_TRUE(Locked("192.0.2.1", "7"));
  EXPECT_FALSE(Locked("192.0.2.2", "new"));
  Fail("192.0.2.1", "known", 5);
  EXPECT_TRUE(Locked("192.0.2.1", "known")) << "by failures with that very name";
  clock_.Advance(300s);
  EXPECT_FALSE(Locked("192.0.2.1", "new"));
  clock_.Advance(25 * 3600s);
  for (int i = 0; i < 20; ++i) Fail("192.0.2.1", std::to_string(i), 1);
  EXPECT_TRUE(Locked("192.0.2.1", "known")) << "too long ago";
}

TEST_F(GuessGuardTest, ANetworkIsLockedAsAWhole) {
  Succeed("192.0.2.200", "known");
  for (int i = 0; i < 50; ++i) Fail(("192.0.2." + std::to_string(i)).c_str(), "a", 1);
  EXPECT_TRUE(Locked("192.0.2.99", "b"));
  EXPECT_FALSE(Locked("192.0.2.200", "known"));
  EXPECT_FALSE(Locked("192.0.3.99", "b"));
}

TEST_F(GuessGuardTest, ASuccessForgivesItsOwnNameOnly) {
  Fail("192.0.2.1", "a", 4);
  Fail("192.0.2.1", "b", 4);
  Succeed("192.0.2.1", "a");
  Fail("192.0.2.1", "a", 4);
  EXPECT_FALSE(Locked("192.0.2.1", "a"));
  Fail("192.0.2.1", "b", 1);
  EXPECT_TRUE(Locked("192.0.2.1", "b"));
}

TEST_F(GuessGuardTest, AFloodOfAddressesDoesNotClearTheGuilty) {
  Fail("192.0.2.1", "a", 5);
  for (std::uint32_t i = 0; i < 5000; ++i) {
    guard_.Failed(boost::asio::ip::address_v4(0x0a000000U + i * 256), "x");
    ASSERT_LE(guard_.counts(), 300U);
  }
  EXPECT_TRUE(Locked("192.0.2.1", "a"));
}

TEST_F(GuessGuardTest, WhoIsKnownIsBounded) {
  for (int i = 0; i < 30; ++i) Succeed("192.0.2.1", std::to_string(i));
  EXPECT_EQ(guard_.known(), 10U);
  for (int i = 0; i < 20; ++i) Fail("192.0.2.1", "x" + std::to_string(i), 1);
  EXPECT_FALSE(Locked("192.0.2.1", "29"));
  EXPECT_TRUE(Locked("192.0.2.1", "3")) << "the oldest has gone";
}

}  // namespace
}  // namespace server_test
