#include "server/imap/view/metadata_news.h"

#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace server::imap {
namespace {

using storage::AccountId;
using storage::FolderId;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr AccountId kAccount{1};
constexpr storage::Origin kSelf{1};
constexpr storage::Origin kOther{2};

class MetadataNewsTest : public testing::Test {
 protected:
  void Change(std::uint64_t folder, std::string path, std::vector<std::string> entries,
              storage::Origin origin = kOther, AccountId viewer = kAccount) {
    Happen(origin,
           storage::AnnotationsChanged{FolderId{folder}, std::move(path), std::move(entries), viewer});
  }
  template <class What>
  void Happen(storage::Origin origin, What what) {
    feed_.Publish(std::make_shared<const storage::Change>(
        storage::Change{kAccount, storage::ModSeq{1}, origin, std::move(what)}));
  }
  /// "path entry entry" a mailbox.
  std::vector<std::string> Taken() {
    std::vector<std::string> out;
    for (const auto& changed : news_.Take())
      out.push_back(fmt::format("{} {}", changed.path, fmt::join(changed.entries, " ")));
    return out;
  }

  int wakes_ = 0;
  storage::ChangeFeed feed_;
  MetadataNews news_{feed_, kAccount, kSelf, [this] { ++wakes_; }, {.names = 4, .octets = 60}};
};

TEST_F(MetadataNewsTest, NamesAreToldOnceAMailboxAndTheServersFirst) {
  Change(7, "INBOX", {"/shared/b", "/private/a"});
  Change(0, "", {"/shared/c"});
  Change(7, "INBOX", {"/SHARED/B"});
  EXPECT_THAT(Taken(), ElementsAre(" /shared/c", "INBOX /private/a /shared/b"));
  EXPECT_THAT(Taken(), IsEmpty());
}

TEST_F(MetadataNewsTest, OwnChangesAndOthersPrivateOnesAreNotTold) {
  Change(7, "INBOX", {"/shared/a"}, kSelf);
  Change(7, "INBOX", {"/private/a"}, kOther, AccountId{2});
  EXPECT_THAT(Taken(), IsEmpty());
  Change(7, "INBOX", {"/private/a", "/shared/b"}, kOther, AccountId{2});
  Change(7, "INBOX", {"/shared/c"}, storage::Origin{}, AccountId{});
  EXPECT_THAT(Taken(), ElementsAre("INBOX /shared/b /shared/c"));
}

TEST_F(MetadataNewsTest, ARenamedMailboxIsToldByItsNewNameAndADeletedOneNot) {
  Change(7, "a", {"/shared/a"});
  Change(8, "b", {"/shared/a"});
  Happen(kSelf, storage::FolderRenamed{FolderId{7}, "a", "c"});
  Happen(kOther, storage::FolderRenamed{FolderId{9}, "x", "y"});
  Happen(kOther, storage::FolderDeleted{FolderId{8}, "b"});
  EXPECT_THAT(Taken(), ElementsAre("c /shared/a"));
}

TEST_F(MetadataNewsTest, WhatDoesNotFitIsLeftOut) {
  Change(7, "a", {"/shared/1", "/shared/2", "/shared/3", "/shared/4", "/shared/5"});
  Change(8, "b", {"/shared/6"});
  EXPECT_THAT(Taken(), ElementsAre("a /shared/1 /shared/2 /shared/3 /shared/4"));
  Change(7, "a", {"/shared/" + std::string(60, 'x'), "/shared/1"});
  EXPECT_THAT(Taken(), ElementsAre("a /shared/1"));
  // What ends makes room.
  Change(7, "a", {"/shared/1", "/shared/2", "/shared/3", "/shared/4"});
  Happen(kOther, storage::FolderDeleted{FolderId{7}, "a"});
  Change(8, "b", {"/shared/1", "/shared/2", "/shared/3", "/shared/4"});
  EXPECT_THAT(Taken(), ElementsAre("b /shared/1 /shared/2 /shared/3 /shared/4"));
}

TEST_F(MetadataNewsTest, WakesOnceAnArming) {
  EXPECT_FALSE(news_.Arm());
  Change(7, "a", {"/shared/a"}, kSelf);
  Happen(kOther, storage::AccountClosed{});
  EXPECT_EQ(wakes_, 0);
  Change(7, "a", {"/shared/a"});
  Change(7, "a", {"/shared/b"});
  EXPECT_EQ(wakes_, 1);
  EXPECT_TRUE(news_.Arm());
  EXPECT_EQ(Taken().size(), 1U);
  EXPECT_FALSE(news_.Arm());
  news_.Disarm();
  Change(7, "a", {"/shared/a"});
  EXPECT_EQ(wakes_, 1);
}

}  // namespace
}  // namespace server::imap
