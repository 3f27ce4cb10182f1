// What NOTIFY watches, and what waits to be told (server/imap/notify).
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "server/clock.h"
#include "server/imap/notify/account_news.h"
#include "server/net/reactor.h"

namespace server::imap::notify {
namespace {

using protocol::NotifyFilter;
using protocol::NotifyGroup;
using storage::AccountId;
using storage::FolderId;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr AccountId kAccount{1};
constexpr storage::Origin kSelf{1};
constexpr storage::Origin kOther{2};
constexpr NotifyEvents kNames{NotifyEvent::kMailboxName};
constexpr NotifyEvents kArrive{NotifyEvent::kMessageNew, NotifyEvent::kMessageExpunge};

TEST(NotifyFilters, GroupsThatMatchAddUpUntilNone) {
  const Filters filters({{NotifyFilter::kMailboxes, kArrive, {"b", "a"}},
                         {NotifyFilter::kSubscribed, {}, {}},
                         {NotifyFilter::kPersonal, kNames, {}}});
  EXPECT_EQ(filters.Of("a", false), (Watched{kArrive | kNames, true}));
  EXPECT_EQ(filters.Of("a", true), (Watched{kArrive, true}));
  EXPECT_EQ(filters.Of("c", false), (Watched{kNames, false}));
  EXPECT_EQ(filters.Of("c", true), (Watched{{}, true}));
  EXPECT_TRUE(filters.ask_subscriptions());
}

TEST(NotifyFilters, SubtreeIsTheNameAndWhatIsBelowIt) {
  const Filters filters({{NotifyFilter::kSubtree, kArrive, {"x/y", "a"}}});
  for (const auto* name : {"a", "a/b", "a/b/c", "x/y", "x/y/z"})
    EXPECT_EQ(filters.Of(name, false).events, kArrive) << name;
  for (const auto* name : {"ab", "x", "x/yz", "b/a", "A"})
    EXPECT_TRUE(filters.Of(name, true).events.empty()) << name;
  EXPECT_FALSE(filters.ask_subscriptions());
}

TEST(NotifyFilters, TheSelectedMailboxIsNoneOfThem) {
  const Filters filters(
      {{NotifyFilter::kSelected, kArrive, {}}, {NotifyFilter::kSelectedDelayed, kArrive, {}}});
  EXPECT_TRUE(filters.empty());
  EXPECT_EQ(filters.Of("a", true), Watched{});
}

TEST(NotifyFilters, TheServersMetadataAreWatchedByAnyGroup) {
  EXPECT_FALSE(Filters({{NotifyFilter::kPersonal, kArrive, {}}}).server_metadata());
  EXPECT_TRUE(
      Filters({{NotifyFilter::kMailboxes, {NotifyEvent::kServerMetadataChange}, {"a"}}}).server_metadata());
}

class MetadataNamesTest : public testing::Test {
 protected:
  bool Change(std::uint64_t folder, std::string path, std::vector<std::string> entries,
              AccountId viewer = kAccount) {
    return names_.Note({FolderId{folder}, std::move(path), std::move(entries), viewer}, kAccount);
  }
  /// "path entry entry" a mailbox.
  std::vector<std::string> All() {
    std::vector<std::string> out;
    for (const auto& changed : names_.All())
      out.push_back(fmt::format("{} {}", changed.path, fmt::join(changed.entries, " ")));
    return out;
  }

  MetadataNames names_{{.names = 4, .octets = 60}};
};

TEST_F(MetadataNamesTest, NamesAreKeptOnceAMailboxAndTheServersFirst) {
  Change(7, "INBOX", {"/shared/b", "/private/a"});
  Change(0, "", {"/shared/c"});
  EXPECT_TRUE(Change(7, "INBOX", {"/SHARED/B"}));
  EXPECT_THAT(All(), ElementsAre(" /shared/c", "INBOX /private/a /shared/b"));
}

TEST_F(MetadataNamesTest, OthersPrivateOnesAreNotKept) {
  EXPECT_TRUE(Change(7, "INBOX", {"/private/a"}, AccountId{2}));
  EXPECT_TRUE(names_.empty());
  Change(7, "INBOX", {"/private/a", "/shared/b"}, AccountId{2});
  EXPECT_THAT(All(), ElementsAre("INBOX /shared/b"));
}

TEST_F(MetadataNamesTest, ARenamedMailboxHasItsNewNameAndADeletedOneNone) {
  Change(7, "a", {"/shared/a"});
  Change(8, "b", {"/shared/a"});
  names_.Rename(FolderId{7}, "c");
  names_.Rename(FolderId{9}, "y");
  names_.Forget(FolderId{8});
  EXPECT_THAT(All(), ElementsAre("c /shared/a"));
}

TEST_F(MetadataNamesTest, WhatDoesNotFitIsLeftOut) {
  EXPECT_TRUE(Change(7, "a", {"/shared/1", "/shared/2", "/shared/3", "/shared/4"}));
  EXPECT_FALSE(Change(8, "b", {"/shared/6"}));
  EXPECT_THAT(All(), ElementsAre("a /shared/1 /shared/2 /shared/3 /shared/4"));
  // What ends makes room.
  names_.Forget(FolderId{7});
  EXPECT_FALSE(Change(7, "a", {"/shared/" + std::string(60, 'x'), "/shared/1"}));
  EXPECT_THAT(All(), ElementsAre("a /shared/1"));
}

/// A listener without a session: its wakes come to a stream that nobody reads.
class AccountNewsTest : public testing::Test {
 protected:
  AccountNewsTest() { Watch({{NotifyFilter::kPersonal, kAll, {}}}); }

  static net::Stream MakeStream(net::Reactor& reactor, net::UniqueFd& other) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    other = net::UniqueFd(ends[1]);
    return {reactor, net::UniqueFd(ends[0]), "test"};
  }
  void Watch(const std::vector<NotifyGroup>& groups,
             AccountNews::WhenFull when_full = AccountNews::WhenFull::kOverflow) {
    news_.Watch(std::make_shared<const Filters>(groups), when_full);
  }
  template <class What>
  void Happen(What what, storage::Origin origin = kOther) {
    feed_.Publish(std::make_shared<const storage::Change>(
        storage::Change{kAccount, storage::ModSeq{1}, origin, std::move(what)}));
  }
  void Add(std::uint64_t folder, const std::string& path, std::uint32_t messages,
           storage::Origin origin = kOther) {
    Happen(
        storage::MessagesAdded{
            FolderId{folder},
            {},
            {.path = path, .messages = messages, .highest_modseq = storage::ModSeq{messages}}},
        origin);
  }
  static std::string InWords(const AccountNews::News& news) {
    std::string out;
    if (news.overflow) out += "overflow;";
    if (!news.waiting) return out;
    for (const auto& name : news.waiting->names())
      out += fmt::format("{}{};", name.path, name.old.empty() ? "" : " was " + name.old);
    for (const auto& [folder, status] : news.waiting->statuses())
      out += fmt::format("{} {};", status.now.path, status.now.messages);
    for (const auto& changed : news.waiting->metadata().All())
      out += fmt::format("{} {};", changed.path, fmt::join(changed.entries, " "));
    return out;
  }
  std::string Taken() { return InWords(news_.Take()); }

  static constexpr NotifyEvents kAll{NotifyEvent::kMessageNew,          NotifyEvent::kMessageExpunge,
                                     NotifyEvent::kFlagChange,          NotifyEvent::kMailboxName,
                                     NotifyEvent::kSubscriptionChange,  NotifyEvent::kMailboxMetadataChange,
                                     NotifyEvent::kServerMetadataChange};
  static constexpr Waiting::Limits kLimits{
      .entries = 3, .octets = 100, .metadata = {.names = 2, .octets = 100}};
  FakeClock clock_;
  net::Reactor reactor_{clock_};
  net::UniqueFd other_end_;
  net::Stream stream_ = MakeStream(reactor_, other_end_);
  storage::ChangeFeed feed_;
  AccountNews news_{feed_, kAccount, kSelf, stream_.waker(), kLimits};
};

TEST_F(AccountNewsTest, AMailboxHasOneStatusAsItIsNow) {
  Add(7, "a", 1);
  Add(8, "b", 5);
  Add(7, "a", 2);
  EXPECT_EQ(Taken(), "a 2;b 5;");
  EXPECT_EQ(Taken(), "");
}

TEST_F(AccountNewsTest, OwnChangesAreNoNewsButWhatWaitsIsAsTheyLeftIt) {
  Add(7, "a", 1, kSelf);
  Happen(storage::FolderCreated{FolderId{9}, "c"}, kSelf);
  EXPECT_EQ(Taken(), "");
  Add(7, "a", 2);
  Add(7, "a", 3, kSelf);
  Happen(storage::FolderRenamed{FolderId{7}, "a", "b", 0, {.path = "b", .messages = 3}}, kSelf);
  EXPECT_EQ(Taken(), "b 3;");
}

TEST_F(AccountNewsTest, OfTheSelectedMailboxNothingIsKept) {
  Add(7, "a", 1);
  news_.Select(FolderId{7});
  Add(7, "a", 2);
  EXPECT_EQ(Taken(), "");
  Happen(storage::AnnotationsChanged{FolderId{7}, "a", {"/shared/x"}, kAccount});
  EXPECT_EQ(Taken(), "a /shared/x;");
  news_.Select({});
  Add(7, "a", 3);
  EXPECT_EQ(Taken(), "a 3;");
}

TEST_F(AccountNewsTest, WhatIsDeletedHasNoStatus) {
  Add(7, "a/b", 1);
  Happen(storage::FolderDeleted{FolderId{7}, "a/b"});
  EXPECT_EQ(Taken(), "a;a/b;");
}

TEST_F(AccountNewsTest, ANameIsToldOnceUntilSomethingIsRenamed) {
  Watch({{NotifyFilter::kPersonal, kNames, {}}});
  Happen(storage::FolderCreated{FolderId{7}, "a"});
  Happen(storage::FolderDeleted{FolderId{7}, "a"});
  Happen(storage::FolderRenamed{FolderId{8}, "b", "a"});
  Happen(storage::FolderDeleted{FolderId{8}, "a"});
  EXPECT_EQ(Taken(), "a;a was b;a;");
}

TEST_F(AccountNewsTest, WhatFollowsASuperiorIsToldOnlyToWhoIsNotToldOfThat) {
  const storage::FolderRenamed follows{FolderId{8}, "a/x", "b/x", 2};
  Happen(follows);
  EXPECT_EQ(Taken(), "");
  Watch({{NotifyFilter::kMailboxes, kNames, {"a/x"}}});
  Happen(follows);
  EXPECT_EQ(Taken(), "b/x was a/x;");
}

TEST_F(AccountNewsTest, WhatDoesNotFitEndsTheWatch) {
  for (std::uint64_t i = 1; i <= 3; ++i) Add(i, std::string(10, 'a'), 1);
  EXPECT_FALSE(news_.NeedsStore());
  Add(4, "d", 1);
  EXPECT_TRUE(news_.Arm());
  EXPECT_EQ(Taken(), "overflow;");
  Add(1, "a", 2);
  EXPECT_EQ(Taken(), "") << "nothing is watched any more";
  Watch({{NotifyFilter::kPersonal, kAll, {}}});
  Add(1, std::string(101, 'a'), 2);
  EXPECT_EQ(Taken(), "overflow;");
}

TEST_F(AccountNewsTest, SomeAreLeftOutIfThatIsWanted) {
  Watch({{NotifyFilter::kPersonal, kAll, {}}}, AccountNews::WhenFull::kLeaveOut);
  Happen(storage::AnnotationsChanged{FolderId{7}, "a", {"/shared/x", "/shared/y", "/shared/z"}, kAccount});
  EXPECT_EQ(Taken(), "a /shared/x /shared/y;");
}

TEST_F(AccountNewsTest, WhatTheClientWasToldMeanwhileIsForgotten) {
  Add(7, "a", 5);
  Add(8, "b", 6);
  news_.ForgetTold([](FolderId) { return storage::ModSeq{5}; });
  EXPECT_EQ(Taken(), "b 6;");
}

TEST_F(AccountNewsTest, WatchingNothingForgetsWhatWaits) {
  Add(7, "a", 5);
  news_.Watch(nullptr, AccountNews::WhenFull::kOverflow);
  EXPECT_EQ(Taken(), "");
}

TEST_F(AccountNewsTest, WakesOnceAnArming) {
  const auto woken = [&] {
    reactor_.context().restart();
    return reactor_.context().poll() > 0;
  };
  EXPECT_FALSE(news_.Arm());
  Add(7, "a", 1, kSelf);
  EXPECT_FALSE(woken());
  Add(7, "a", 2);
  EXPECT_TRUE(woken());
  Add(7, "a", 3);
  EXPECT_FALSE(woken());
  EXPECT_TRUE(news_.Arm());
  Taken();
  EXPECT_FALSE(news_.Arm());
  news_.Disarm();
  Add(7, "a", 4);
  EXPECT_FALSE(woken());
  Happen(storage::AccountClosed{});
  EXPECT_TRUE(news_.closed());
  EXPECT_TRUE(woken()) << "whether armed or not";
}

TEST_F(AccountNewsTest, WhoGaveUpReadingHearsNothingButThatItBeganAndEnded) {
  using storage::Right;
  using storage::Rights;
  const Rights blind = Rights::All() - Right::kRead;
  const auto acl = std::make_shared<const std::vector<storage::schema::AclEntry>>();
  Add(7, "a", 1);
  Happen(storage::AclChanged{FolderId{7}, "a", blind, acl, std::nullopt});
  Happen(storage::MessagesAdded{FolderId{7}, {}, {.path = "a", .messages = 2, .owner_rights = blind}});
  Happen(storage::AnnotationsChanged{FolderId{7}, "a", {"/shared/x"}, kAccount, blind});
  EXPECT_EQ(Taken(), "a;") << "what waited is gone, too";
  Happen(storage::AclChanged{FolderId{7}, "a", blind - Right::kWrite, acl, blind});
  EXPECT_EQ(Taken(), "");
  Happen(storage::AclChanged{FolderId{7}, "a", std::nullopt, acl, blind});
  Add(7, "a", 3);
  EXPECT_EQ(Taken(), "a;a 3;");
}

/// A guest of the account, who is called sip:guest@x.
class GuestNewsTest : public AccountNewsTest {
 protected:
  GuestNewsTest() {
    guest_.Watch(std::make_shared<const Filters>(
                     std::vector<NotifyGroup>{{NotifyFilter::kSubtree, kAll, {"Other Users/o"}}}),
                 AccountNews::WhenFull::kOverflow);
  }
  void Grant(std::uint64_t folder, const std::string& path, storage::Rights rights) {
    Happen(storage::AclChanged{FolderId{folder}, path, storage::Rights::All(),
                               std::make_shared<const std::vector<storage::schema::AclEntry>>(
                                   std::vector<storage::schema::AclEntry>{{"sip:guest@x", rights}})});
  }
  std::string Taken() { return InWords(guest_.Take()); }

  static constexpr storage::Rights kReader = storage::Right::kLookup | storage::Right::kRead;
  const AccountId me_{9};
  AccountNews guest_{
      feed_,
      kAccount,
      {kSelf, std::make_shared<const storage::Principal>(me_, "sip:guest@x", std::vector<std::string>{})},
      "Other Users/o/",
      stream_.waker(),
      kLimits};
};

TEST_F(GuestNewsTest, HearsOfWhatItMayReadByItsOwnNames) {
  Add(7, "a", 1);
  EXPECT_EQ(Taken(), "") << "nothing is known of it";
  guest_.Learn({.ref = {kAccount, FolderId{7}}, .owner = "o", .path = "a", .rights = kReader}, false);
  guest_.Learn({.ref = {kAccount, FolderId{8}}, .owner = "o", .path = "b", .rights = storage::Right::kLookup},
               false);
  Add(7, "a", 2);
  Add(8, "b", 2);
  Happen(storage::AnnotationsChanged{FolderId{7}, "a", {"/shared/x", "/private/y"}, kAccount});
  Happen(storage::AnnotationsChanged{FolderId{}, "", {"/shared/x"}, kAccount});
  Happen(storage::SubscriptionChanged{"a", true});
  EXPECT_EQ(Taken(), "Other Users/o/a 2;Other Users/o/a /shared/x;");
}

TEST_F(GuestNewsTest, WhatItHeardOfIsNewerThanWhatItLearns) {
  Grant(7, "a", {});
  guest_.Learn({.ref = {kAccount, FolderId{7}}, .owner = "o", .path = "a", .rights = kReader}, true);
  Add(7, "a", 1);
  EXPECT_EQ(Taken(), "");
}

TEST_F(GuestNewsTest, NamesComeAndGoWithTheRightToSeeThem) {
  Grant(7, "a", kReader);
  EXPECT_EQ(Taken(), "Other Users/o/a;");
  Grant(7, "a", kReader | storage::Right::kSeen);
  EXPECT_EQ(Taken(), "");
  Add(7, "a", 1);
  Grant(7, "a", {});
  EXPECT_EQ(Taken(), "Other Users/o/a;") << "and what waited is not told";
  Happen(storage::FolderRenamed{FolderId{7}, "a", "b", 0, {.path = "b"}});
  Happen(storage::FolderDeleted{FolderId{7}, "b"});
  EXPECT_EQ(Taken(), "");
}

TEST_F(GuestNewsTest, AFolderThatFollowsIsToldIfItsSuperiorIsNotSeen) {
  Grant(7, "a/b", kReader);
  Taken();
  Happen(storage::FolderRenamed{FolderId{6}, "a", "x", 0, {.path = "x"}});
  Happen(storage::FolderRenamed{FolderId{7}, "a/b", "x/b", 2, {.path = "x/b"}});
  EXPECT_EQ(Taken(), "Other Users/o/x/b was Other Users/o/a/b;Other Users/o/x/b 0;");
}

TEST_F(GuestNewsTest, OfAnAccountThatIsClosedAllNamesGo) {
  Grant(7, "a", kReader);
  Grant(8, "b", {});
  Taken();
  Happen(storage::AccountClosed{});
  EXPECT_FALSE(guest_.closed());
  EXPECT_EQ(Taken(), "Other Users/o/a;");
}

}  // namespace
}  // namespace server::imap::notify
