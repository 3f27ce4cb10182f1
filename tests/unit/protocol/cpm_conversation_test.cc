// Which notification belongs to which message, and what replies to what.

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/cpm/conversation.h"
#include "protocol/cpm/limits.h"

namespace protocol::cpm {
namespace {

using Items = std::vector<ConversationItem>;
using Status = Imdn::Status;

ConversationItem Message(std::int64_t time, Direction direction, std::string imdn_id) {
  return {.time = time, .direction = direction, .imdn_message_id = std::move(imdn_id), .notice = {}};
}

ConversationItem Notice(std::int64_t time, Direction direction, std::string about, Status status,
                        std::string by) {
  return {.time = time,
          .direction = direction,
          .imdn_message_id = "notice-" + std::to_string(time),
          .notice = ConversationItem::Notice{std::move(about), status, std::move(by)}};
}

ConversationItem Of(std::int64_t time, std::string contribution, std::string reply_to = {}) {
  return {.time = time,
          .direction = Direction::kSent,
          .contribution_id = std::move(contribution),
          .in_reply_to_contribution_id = std::move(reply_to),
          .notice = {}};
}

TEST(Receipts, AreThoseOfTheNoticesWithTheMessagesId) {
  const Items items{Message(1, Direction::kSent, "a"), Message(2, Direction::kSent, "b"),
                    Notice(4, Direction::kReceived, "a", Status::kDisplayed, "tel:+2"),
                    Notice(3, Direction::kReceived, "a", Status::kDelivered, "tel:+2")};
  const auto receipts = ReceiptsOf(items);
  EXPECT_EQ(receipts[0], (std::vector<Receipt>{{"tel:+2", Status::kDelivered, 3, 3},
                                               {"tel:+2", Status::kDisplayed, 4, 2}}));
  EXPECT_TRUE(receipts[1].empty());
}

TEST(Receipts, ANoticeStoredBeforeItsMessageCounts) {
  const auto receipts = ReceiptsOf({Notice(1, Direction::kReceived, "a", Status::kDelivered, "tel:+2"),
                                    Message(1, Direction::kSent, "a")});
  EXPECT_EQ(receipts[1].size(), 1U);
}

TEST(Receipts, WhatTheOwnerSendsIsNotAboutWhatTheOwnerSent) {
  const Items items{Message(1, Direction::kSent, "a"), Message(1, Direction::kReceived, "b"),
                    Notice(2, Direction::kSent, "a", Status::kDisplayed, "tel:+1"),
                    Notice(2, Direction::kSent, "b", Status::kDisplayed, "tel:+1")};
  const auto receipts = ReceiptsOf(items);
  EXPECT_TRUE(receipts[0].empty());
  EXPECT_EQ(receipts[1].size(), 1U);
}

TEST(Receipts, WithoutADirectionTheIdDecides) {
  auto message = Message(1, Direction::kSent, "a");
  message.direction.reset();
  EXPECT_EQ(ReceiptsOf({message, Notice(2, Direction::kSent, "a", Status::kDisplayed, "x")})[0].size(), 1U);
}

TEST(Receipts, NoticesHaveNoReceipts) {
  auto notice = Notice(1, Direction::kReceived, "x", Status::kDelivered, "tel:+2");
  notice.imdn_message_id = "a";
  const auto receipts = ReceiptsOf({notice, Notice(2, Direction::kSent, "a", Status::kDisplayed, "tel:+1")});
  EXPECT_TRUE(receipts[0].empty());
}

TEST(Receipts, TheSameIsSaidOnce) {
  const Items items{Message(1, Direction::kSent, "a"),
                    Notice(2, Direction::kReceived, "a", Status::kDelivered, "tel:+2"),
                    Notice(3, Direction::kReceived, "a", Status::kDelivered, "tel:+2"),
                    Notice(4, Direction::kReceived, "a", Status::kDelivered, "tel:+3")};
  const auto receipts = ReceiptsOf(items);
  EXPECT_EQ(receipts[0], (std::vector<Receipt>{{"tel:+2", Status::kDelivered, 2, 1},
                                               {"tel:+3", Status::kDelivered, 4, 3}}));
}

TEST(Receipts, AMessageWithoutAnIdHasNone) {
  EXPECT_TRUE(ReceiptsOf({Message(1, Direction::kSent, ""),
                          Notice(2, Direction::kReceived, "", Status::kDelivered, "tel:+2")})[0]
                  .empty());
}

TEST(Receipts, AreBounded) {
  Items items{Message(1, Direction::kSent, "a")};
  for (std::size_t i = 0; i < kMaxReceipts + 10; ++i)
    items.push_back(Notice(2, Direction::kReceived, "a", Status::kDelivered, std::to_string(i)));
  EXPECT_EQ(ReceiptsOf(items)[0].size(), kMaxReceipts);
}

TEST(Receipts, TheBestCounts) {
  const auto reached = [](std::vector<Status> statuses) {
    std::vector<Receipt> receipts;
    for (const auto status : statuses) receipts.push_back({"x", status, 0, 0});
    return ReachedBy(receipts);
  };
  EXPECT_EQ(reached({}), Reached::kUnknown);
  EXPECT_EQ(reached({Status::kProcessed, Status::kStored}), Reached::kUnknown);
  EXPECT_EQ(reached({Status::kFailed}), Reached::kFailed);
  EXPECT_EQ(reached({Status::kForbidden}), Reached::kFailed);
  EXPECT_EQ(reached({Status::kError}), Reached::kFailed);
  EXPECT_EQ(reached({Status::kDelivered, Status::kFailed}), Reached::kDelivered);
  EXPECT_EQ(reached({Status::kDisplayed, Status::kDelivered}), Reached::kDisplayed);
}

TEST(Threads, GatherContributionsByTime) {
  const auto threads = ThreadsOf({Of(3, "b"), Of(1, "a"), Of(2, "a"), Of(2, ""), Of(2, "")});
  ASSERT_EQ(threads.size(), 4U);
  EXPECT_EQ(threads[0], (Thread{"a", {}, 0, {1, 2}}));
  EXPECT_EQ(threads[1], (Thread{"", {}, 0, {3}}));
  EXPECT_EQ(threads[2], (Thread{"", {}, 0, {4}}));
  EXPECT_EQ(threads[3], (Thread{"b", {}, 0, {0}}));
}

TEST(Threads, RepliesStandBehindWhatTheyReplyTo) {
  const auto threads = ThreadsOf({Of(1, "a"), Of(2, "b"), Of(3, "c", "a"), Of(4, "d", "c"), Of(5, "e", "a")});
  ASSERT_EQ(threads.size(), 5U);
  EXPECT_EQ(threads[0], (Thread{"a", {}, 0, {0}}));
  EXPECT_EQ(threads[1], (Thread{"c", 0, 1, {2}}));
  EXPECT_EQ(threads[2], (Thread{"d", 1, 2, {3}}));
  EXPECT_EQ(threads[3], (Thread{"e", 0, 1, {4}}));
  EXPECT_EQ(threads[4], (Thread{"b", {}, 0, {1}}));
}

TEST(Threads, AReplyOlderThanItsParentStillStandsBehindIt) {
  const auto threads = ThreadsOf({Of(1, "reply", "late"), Of(2, "late")});
  ASSERT_EQ(threads.size(), 2U);
  EXPECT_EQ(threads[0].contribution_id, "late");
  EXPECT_EQ(threads[1].parent, 0U);
}

TEST(Threads, AReplyToNothingOrToItselfIsNone) {
  const auto threads = ThreadsOf({Of(1, "a", "gone"), Of(2, "b", "b"), Of(3, "", "")});
  ASSERT_EQ(threads.size(), 3U);
  for (const auto& thread : threads) EXPECT_FALSE(thread.parent);
}

TEST(Threads, CirclesAreCut) {
  const auto threads = ThreadsOf({Of(1, "a", "c"), Of(2, "b", "a"), Of(3, "c", "b")});
  ASSERT_EQ(threads.size(), 3U) << "nothing is lost";
  EXPECT_EQ(std::ranges::count_if(threads, [](const Thread& t) { return !t.parent; }), 1);
}

TEST(Threads, EveryItemStandsOnceHoweverLongTheChain) {
  constexpr std::size_t kLong = 20'000;
  Items items;
  for (std::size_t i = 0; i < kLong; ++i)
    items.push_back(Of(static_cast<std::int64_t>(i), std::to_string(i), i == 0 ? "" : std::to_string(i - 1)));
  const auto threads = ThreadsOf(items);
  ASSERT_EQ(threads.size(), kLong);
  EXPECT_EQ(threads.back().depth, kMaxThreadDepth);
  EXPECT_EQ(threads.back().items, std::vector<std::size_t>{kLong - 1});
}

}  // namespace
}  // namespace protocol::cpm
