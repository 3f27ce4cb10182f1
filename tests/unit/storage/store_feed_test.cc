#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::FlagChange;
using protocol::SpecialUse;
using storage::AccountId;
using storage::Change;
using storage::Errc;
using storage::Origin;
using storage::Uid;
using testing::ElementsAre;
using testing::IsEmpty;

class Listener final : public storage::ChangeListener {
 public:
  void OnChange(const std::shared_ptr<const Change>& change) noexcept override {
    const std::scoped_lock lock(mutex_);
    changes_.push_back(change);
  }
  std::vector<std::shared_ptr<const Change>> Take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(changes_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<const Change>> changes_;
};

std::string InWords(const Change& change) {
  struct Words {
    std::string operator()(const storage::MessagesAdded& c) { return "added " + c.uids.ToString(); }
    std::string operator()(const storage::FlagsChanged& c) {
      storage::UidSet uids;
      for (const auto& state : c.states) uids.Add(state.uid);
      return "flags " + uids.ToString();
    }
    std::string operator()(const storage::MessagesExpunged& c) { return "expunged " + c.uids.ToString(); }
    std::string operator()(const storage::FolderCreated& c) { return "created " + c.path; }
    std::string operator()(const storage::FolderRenamed& c) { return "renamed " + c.from + " " + c.to; }
    std::string operator()(const storage::FolderDeleted& c) { return "deleted " + c.path; }
    std::string operator()(const storage::AclChanged& c) { return "acl " + c.path; }
    std::string operator()(const storage::SharedFoldersChanged&) { return "shared"; }
    std::string operator()(const storage::AnnotationsChanged& c) {
      std::string names;
      for (const auto& name : c.entries) names += " " + name;
      return "annotations \"" + c.path + "\"" + names;
    }
    std::string operator()(const storage::UrlKeysReset& c) {
      return "URL key reset of " + std::to_string(c.folder.value);
    }
    std::string operator()(const storage::AccountClosed&) { return "account closed"; }
    std::string operator()(const storage::SubscriptionChanged& c) {
      return (c.subscribed ? "subscribed " : "unsubscribed ") + c.path;
    }
  };
  return std::visit(Words(), change.what);
}

class FeedTest : public testing::Test {
 protected:
  std::vector<std::string> News() {
    std::vector<std::string> out;
    for (const auto& change : listener.Take()) {
      EXPECT_EQ(change->account, account);
      EXPECT_EQ(change->origin, Origin{9});
      out.push_back(InWords(*change));
    }
    return out;
  }

  TempStore store;
  AccountId account = CreateAccount(*store);
  storage::FolderRef inbox = Must(store->GetFolder(account, "INBOX")).ref;
  Listener listener;
  storage::ChangeFeed::Subscription subscription = store->feed().Subscribe(account, listener);
};

TEST_F(FeedTest, EveryCommandTellsWhatItDid) {
  const Origin me{9};
  Must(store->CreateFolder(account, "a/b", SpecialUse::kNone, me));
  EXPECT_THAT(News(), ElementsAre("created a", "created a/b"));
  Must(Append(*store, account, "INBOX", {"1", "2", "3"}, {}, me));
  EXPECT_THAT(News(), ElementsAre("added 1:3"));
  Must(store->UpdateFlags(inbox, Uids({1, 3}), {FlagChange::Op::kAdd, Flags({"\\Deleted"})}, me));
  EXPECT_THAT(News(), ElementsAre("flags 1,3"));
  Must(store->Copy(inbox, Uids({2}), "a", me));
  EXPECT_THAT(News(), ElementsAre("added 1"));
  Must(store->Move(inbox, Uids({2}), "a", me));
  EXPECT_THAT(News(), ElementsAre("expunged 2", "added 2"));
  Must(store->Expunge(inbox, std::nullopt, me));
  EXPECT_THAT(News(), ElementsAre("expunged 1,3"));
  Must(store->RenameFolder(account, "a", "c", me));
  EXPECT_THAT(News(), ElementsAre("renamed a c", "renamed a/b c/b"));
  Must(store->DeleteFolder(account, "c/b", me));
  EXPECT_THAT(News(), ElementsAre("deleted c/b"));
  Must(store->Subscribe(account, "c", me));
  Must(store->Subscribe(account, "c", me));
  Must(store->Unsubscribe(account, "c", me));
  EXPECT_THAT(News(), ElementsAre("subscribed c", "unsubscribed c"));
}

/// A change brings along what the folder's row says after it.
TEST_F(FeedTest, NewsSayWhatTheFolderIsNow) {
  const auto folder = Must(store->CreateFolder(account, "a", SpecialUse::kNone)).ref;
  const auto told = [&](storage::FolderRef of) {
    const auto is_now = Must(store->GetFolder(of));
    for (const auto& change : listener.Take()) {
      std::visit(
          [&](const auto& what) {
            if constexpr (requires { what.now; }) {
              if (what.folder != of.folder) return;
              EXPECT_EQ(what.now.path, is_now.path);
              EXPECT_EQ(what.now.uid_validity, is_now.uid_validity);
              EXPECT_EQ(what.now.uid_next, is_now.uid_next);
              EXPECT_EQ(what.now.messages, is_now.messages);
              EXPECT_EQ(what.now.unseen, is_now.unseen);
              EXPECT_EQ(what.now.highest_modseq, is_now.highest_modseq);
            } else {
              ADD_FAILURE() << InWords(*change);
            }
          },
          change->what);
    }
  };
  told(folder);
  Must(Append(*store, account, "a", {"1", "2", "3"}));
  told(folder);
  Must(store->UpdateFlags(folder, Uids({1, 3}), {FlagChange::Op::kAdd, Flags({"\\Seen", "\\Deleted"})}));
  told(folder);
  Must(store->Copy(folder, Uids({2}), "a"));
  told(folder);
  Must(store->Move(folder, Uids({2}), "a"));
  told(folder);
  Must(store->Move(folder, Uids({4}), "INBOX"));
  told(folder);
  Must(store->Expunge(folder, std::nullopt));
  told(folder);
  Must(store->RenameFolder(account, "a", "b"));
  told(folder);
}

TEST_F(FeedTest, ARenameSaysWhichNamesFollow) {
  Must(store->CreateFolder(account, "a/b/c", SpecialUse::kNone));
  listener.Take();
  const auto renames = [&] {
    std::vector<std::pair<std::string, std::size_t>> out;
    for (const auto& change : listener.Take()) {
      const auto& what = std::get<storage::FolderRenamed>(change->what);
      out.emplace_back(fmt::format("{}{} {}", what.folder.value == 0 ? "no folder " : "", what.from, what.to),
                       what.below);
    }
    return out;
  };
  Must(store->RenameFolder(account, "a", "x"));
  EXPECT_THAT(renames(),
              ElementsAre(std::pair("a x", 0), std::pair("a/b x/b", 2), std::pair("a/b/c x/b/c", 4)));
  Must(store->DeleteFolder(account, "x"));
  Must(store->DeleteFolder(account, "x/b"));
  listener.Take();
  // What has no folder is told of if it was itself renamed.
  Must(store->RenameFolder(account, "x", "y"));
  EXPECT_THAT(renames(), ElementsAre(std::pair("no folder x y", 0), std::pair("x/b/c y/b/c", 4)));
}

TEST_F(FeedTest, WhatChangesNothingOrFailsIsNoNews) {
  Must(Append(*store, account, "INBOX", {"1"}, {"\\Seen"}));
  listener.Take();
  Must(store->UpdateFlags(inbox, Uids({1}), {FlagChange::Op::kAdd, Flags({"\\Seen"})}));
  Must(store->Expunge(inbox, std::nullopt));
  Must(store->Copy(inbox, Uids({5}), "INBOX"));
  EXPECT_EQ(ErrorOf(store->DeleteFolder(account, "nowhere")), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(Append(*store, account, "nowhere", {"1"})), Errc::kNoSuchFolder);
  Must(store->SetQuota(account, {.octets = 1, .messages = 1}));
  EXPECT_EQ(ErrorOf(Append(*store, account, "INBOX", {"22"})), Errc::kOverQuota);
  EXPECT_EQ(ErrorOf(store->Copy(inbox, UidRange(1, 5000), "INBOX")), Errc::kOverQuota);
  EXPECT_THAT(listener.Take(), IsEmpty());
}

TEST_F(FeedTest, OneAccountHearsNothingOfAnotherNorAfterItsEnd) {
  const auto other = CreateAccount(*store, "tel:+2");
  Must(Append(*store, other, "INBOX", {"1"}));
  EXPECT_THAT(listener.Take(), IsEmpty());
  subscription.Reset();
  Must(Append(*store, account, "INBOX", {"1"}));
  EXPECT_THAT(listener.Take(), IsEmpty());
}

// Concurrency

constexpr int kThreads = 16;
constexpr int kEach = 30;

void AppendFromManyThreads(Driver driver, const std::function<std::size_t(int thread)>& account_of) {
  TempStore store(driver);
  std::vector<AccountId> accounts;
  std::vector<Listener> listeners(kThreads);
  std::vector<storage::ChangeFeed::Subscription> subscriptions;
  for (int i = 0; i < kThreads; ++i) {
    accounts.push_back(CreateAccount(*store, "tel:+" + std::to_string(i)));
    subscriptions.push_back(store->feed().Subscribe(accounts.back(), listeners[static_cast<std::size_t>(i)]));
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      const AccountId account = accounts[account_of(t)];
      std::uint32_t last = 0;
      for (int i = 0; i < kEach; ++i) {
        const auto done =
            Append(*store, account, "INBOX", {MessageOctets(static_cast<std::uint32_t>(t), 200)});
        ASSERT_TRUE(done) << done.error().detail;
        ASSERT_EQ(done->uids.size(), 1U);
        EXPECT_GT(done->uids.front().value, last);
        last = done->uids.front().value;
        // What was acknowledged is there for everyone.
        EXPECT_TRUE(Must(store->OpenFolder(done->folder, i % 2 == 0)).uids.Contains(done->uids.front()));
        if (i % 5 == 4) {
          EXPECT_TRUE(store->UpdateFlags(done->folder, done->uids,
                                         {FlagChange::Op::kAdd, Flags({"k" + std::to_string(t)})}));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t a = 0; a < accounts.size(); ++a) {
    std::uint64_t modseq = 0;
    storage::UidSet added;
    for (const auto& change : listeners[a].Take()) {
      EXPECT_GT(change->modseq.value, modseq);
      modseq = change->modseq.value;
      const auto* news = std::get_if<storage::MessagesAdded>(&change->what);
      if (news == nullptr) continue;
      EXPECT_TRUE(added.empty() || news->uids.front() > added.back());
      news->uids.ForEach([&](Uid uid) { added.Add(uid); });
    }
    const auto status = Must(store->GetFolder(accounts[a], "INBOX"));
    EXPECT_EQ(Must(store->Read(status.ref)).Uids().value(), added);
    EXPECT_EQ(status.highest_modseq.value, added.empty() ? status.highest_modseq.value : modseq);
  }
  subscriptions.clear();
}

TEST(ConcurrencyTest, SixteenThreadsAppendToOneAccount) {
  for (const auto driver : {Driver::kMemory, Driver::kRocks})
    AppendFromManyThreads(driver, [](int) { return std::size_t{0}; });
}

TEST(ConcurrencyTest, SixteenThreadsAppendToSixteenAccounts) {
  for (const auto driver : {Driver::kMemory, Driver::kRocks})
    AppendFromManyThreads(driver, [](int thread) { return static_cast<std::size_t>(thread); });
}

TEST(ConcurrencyTest, MovesThereAndBackLoseNothing) {
  TempStore store;
  const auto account = CreateAccount(*store);
  Must(store->CreateFolder(account, "a", SpecialUse::kNone));
  const auto inbox = Fill(*store, account, "INBOX", 250);
  const auto a = Must(store->GetFolder(account, "a")).ref;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        // Long ones are written ahead, short ones share commits.
        const auto uids =
            t % 2 == 0 ? UidRange(1, 0xffffffff)
                       : UidRange(1 + 13U * static_cast<unsigned>(i), 50 + 13U * static_cast<unsigned>(i));
        const auto done = i % 2 == 0 ? store->Move(inbox, uids, "a") : store->Move(a, uids, "INBOX");
        ASSERT_TRUE(done) << done.error().detail;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::multiset<std::string> all;
  for (const auto& folder : {inbox, a}) {
    for (auto& [uid, octets] : OctetsOf(*store, folder)) all.insert(std::move(octets));
  }
  EXPECT_EQ(all.size(), 250U);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 250U);
}

TEST(ConcurrencyTest, OneOfManyCreatesOrClaims) {
  TempStore store;
  const auto account = CreateAccount(*store);
  const auto inbox = Fill(*store, account, "INBOX", 5);
  std::atomic<int> created = 0;
  std::atomic<std::uint32_t> recent = 0;
  std::atomic<int> accounts = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      created += store->CreateFolder(account, "a/b", SpecialUse::kNone).has_value() ? 1 : 0;
      recent += Must(store->OpenFolder(inbox, /*claim_recent=*/true)).status.recent;
      accounts += store->CreateAccount({.address = "tel:+77"}).has_value() ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(recent, 5U);
  EXPECT_EQ(accounts, 1);
}

TEST(ConcurrencyTest, EachMessageIsRecentToOneSession) {
  TempStore store;
  const auto account = CreateAccount(*store);
  const auto inbox = Must(store->GetFolder(account, "INBOX")).ref;
  std::atomic<bool> done = false;
  std::atomic<std::uint32_t> recent = 0;
  std::vector<std::thread> sessions;
  for (int t = 0; t < 4; ++t) {
    sessions.emplace_back([&] {
      while (!done) recent += Must(store->OpenFolder(inbox, /*claim_recent=*/true)).status.recent;
    });
  }
  Fill(*store, account, "INBOX", 50);
  for (int i = 0; i < 200; ++i) Must(Append(*store, account, "INBOX", {"x"}));
  done = true;
  for (auto& session : sessions) session.join();
  recent += Must(store->OpenFolder(inbox, /*claim_recent=*/true)).status.recent;
  EXPECT_EQ(recent, 250U);
}

}  // namespace
}  // namespace tests
