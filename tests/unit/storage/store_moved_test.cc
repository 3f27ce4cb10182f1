// Conversations that their owner moved: an event finds them without a walk over the account's folders.
#include <atomic>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/store/event.h"
#include "storage/store/moved_conversations.h"
#include "tests/support/counting_engine.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

namespace cpm = protocol::cpm;
namespace kv = storage::kv;
using storage::Actor;
using storage::Errc;
using storage::FolderId;
using storage::MovedConversations;
using storage::Result;
using storage::Role;

const Actor kOwner({}, Role::kUser);
const Actor kNetwork({}, Role::kPf);

class MovedTest : public testing::Test {
 protected:
  MovedTest() {
    Must(store->CreateFolder(account, "Kept", {}, kOwner));
    Must(store->CreateFolder(account, "Other", {}, kOwner));
  }
  ~MovedTest() override {
    store->DrainJanitor();
    store.reset();
    TempStore::ExpectSound(engine, /*default_folder=*/true);
  }

  Result<storage::Recorded> Try(const std::string& peer) {
    storage::Event event;
    event.head.from = peer;
    event.head.direction = cpm::Direction::kReceived;
    event.head.conversation_id = "c";
    event.head.contribution_id = "s";
    event.head.imdn_message_id = fmt::format("m{}", ++events);
    event.what = cpm::ChatMessage{.content = {.octets = "Lunch?"}};
    return store->Record(account, std::move(event), kNetwork);
  }
  /// The path that an event of this peer came to.
  std::string Record(const std::string& peer) { return Must(Try(peer)).path; }
  void Rename(const std::string& from, const std::string& to) {
    Must(store->RenameFolder(account, from, to, kOwner));
  }
  int WalksOf(const std::function<void()>& work) {
    const int before = engine.Of(kv::Table::kFolders).scans;
    work();
    return engine.Of(kv::Table::kFolders).scans - before;
  }

  CountingEngine engine;
  std::unique_ptr<storage::MailStore> store = Must(storage::MailStore::Open(engine, {}));
  storage::AccountId account = CreateAccount(*store);
  int events = 0;
};

const std::string kBea = "tel:+15550100222";
const std::string kDan = "tel:+15550100333";

TEST_F(MovedTest, OneWalkForManyEvents) {
  Record(kBea);
  Rename("Default/" + kBea, "Kept/Bea");
  EXPECT_EQ(WalksOf([&] {
              for (int i = 0; i < 20; ++i) EXPECT_EQ(Record(kBea), "Kept/Bea");
            }),
            1);
}

TEST_F(MovedTest, NewConversationsCostNoWalkEach) {
  EXPECT_EQ(WalksOf([&] {
              for (int i = 0; i < 20; ++i) Record(fmt::format("tel:+1555020{:04}", i));
            }),
            1);
}

TEST_F(MovedTest, WhatIsInItsPlaceCostsNone) {
  Record(kBea);
  EXPECT_EQ(WalksOf([&] { Record(kBea); }), 0);
}

TEST_F(MovedTest, MovedAgainItIsFoundAgain) {
  Record(kBea);
  Record(kDan);
  Rename("Default/" + kBea, "Kept/Bea");
  EXPECT_EQ(Record(kBea), "Kept/Bea");
  Rename("Kept/Bea", "Other/Bea");
  EXPECT_EQ(Record(kBea), "Other/Bea");
  Rename("Default/" + kDan, "Kept/Dan");
  EXPECT_EQ(Record(kDan), "Kept/Dan");
  // Moved with the folder that it lies in.
  Rename("Other", "Elsewhere");
  EXPECT_EQ(WalksOf([&] { EXPECT_EQ(Record(kDan), "Kept/Dan"); }), 1);
  EXPECT_EQ(Record(kBea), "Elsewhere/Bea");
}

TEST_F(MovedTest, TheNewestOfSeveralIsMeant) {
  Record(kBea);
  Rename("Default/" + kBea, "Kept/Bea");
  EXPECT_EQ(Record(kBea), "Kept/Bea");
  Must(store->CreateFolder(account, "Default/" + kBea, {}, kOwner));
  EXPECT_EQ(Record(kBea), "Default/" + kBea) << "what is in its place comes first";
  Rename("Default/" + kBea, "Kept/Bea again");
  EXPECT_EQ(Record(kBea), "Kept/Bea again");
  Must(store->DeleteFolder(account, "Kept/Bea again", kOwner));
  EXPECT_EQ(Record(kBea), "Kept/Bea");
}

TEST_F(MovedTest, WhatIsDeletedBeginsAnew) {
  Record(kBea);
  Rename("Default/" + kBea, "Kept/Bea");
  EXPECT_EQ(Record(kBea), "Kept/Bea");
  Must(store->DeleteFolder(account, "Kept/Bea", kOwner));
  EXPECT_EQ(Record(kBea), "Default/" + kBea);
}

TEST_F(MovedTest, WhatWasRefusedIsNotRemembered) {
  Record(kBea);
  Rename("Default/" + kBea, "Kept/Bea");
  EXPECT_EQ(Record(kBea), "Kept/Bea");
  engine.refuses = true;
  EXPECT_EQ(ErrorOf(store->DeleteFolder(account, "Kept/Bea", kOwner)), Errc::kUnavailable);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "Kept/Bea", "Other/Bea", kOwner)), Errc::kUnavailable);
  EXPECT_EQ(ErrorOf(Try(kBea)), Errc::kUnavailable);
  EXPECT_EQ(ErrorOf(Try(kDan)), Errc::kUnavailable);
  engine.refuses = false;
  EXPECT_EQ(Record(kBea), "Kept/Bea");
  EXPECT_EQ(Record(kDan), "Default/" + kDan);
}

std::shared_ptr<const MovedConversations::ByIdentity> Entries(std::size_t count) {
  MovedConversations::ByIdentity out;
  for (std::size_t i = 0; i < count; ++i) out[std::to_string(i)] = FolderId{i + 1};
  return std::make_shared<const MovedConversations::ByIdentity>(std::move(out));
}

TEST(MovedConversations, HoldsNoMoreThanItsLimit) {
  MovedConversations moved;
  const storage::AccountId first{1};
  const storage::AccountId second{2};
  moved.Keep(first, Entries(MovedConversations::kMaxEntries / 2));
  moved.Keep(first, Entries(MovedConversations::kMaxEntries / 2));
  EXPECT_NE(moved.Find(first), nullptr) << "the same account counts once";
  moved.Keep(second, Entries(MovedConversations::kMaxEntries / 2));
  EXPECT_EQ(moved.Find(first), nullptr);
  EXPECT_NE(moved.Find(second), nullptr);
  moved.Forget(second);
  EXPECT_EQ(moved.Find(second), nullptr);
  moved.Keep(first, Entries(MovedConversations::kMaxEntries));
  EXPECT_EQ(moved.Find(first), nullptr) << "one that needs all is read each time";
}

}  // namespace
}  // namespace tests
