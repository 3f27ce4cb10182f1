// What a returning client is told (RFC 7162): conditional changes, and the log of what vanished.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::FlagChange;
using storage::Errc;
using storage::ModSeq;
using storage::UidSet;

constexpr auto kDay = std::chrono::hours(24);

class ResyncTest : public testing::Test {
 protected:
  void Fill(int messages) { Must(Append(*store, account, "INBOX", std::vector<std::string>(messages, "m"))); }
  ModSeq Now() { return Must(store->GetFolder(inbox)).highest_modseq; }
  storage::StoreResult Change(const UidSet& uids, FlagChange::Op op, const std::vector<std::string>& names,
                              std::optional<ModSeq> unchanged_since = {}) {
    return Must(store->UpdateFlags(inbox, uids, {op, Flags(names)}, {}, unchanged_since));
  }
  void Expunge(const UidSet& uids) {
    Change(uids, FlagChange::Op::kAdd, {"\\Deleted"});
    EXPECT_EQ(Must(store->Expunge(inbox, uids)), uids);
  }
  /// "forgotten" if the store cannot say.
  std::string Vanished(ModSeq since) {
    const auto uids = Must(Must(store->Read(inbox)).VanishedSince(since));
    return uids ? uids->ToString() : "forgotten";
  }
  std::size_t LogRows() {
    std::size_t rows = 0;
    Must(store.engine().OpenView()->Scan(storage::kv::Table::kVanished, {}, {},
                                         [&](auto, auto) { return ++rows != 0; }));
    return rows;
  }
  static std::string Names(const std::vector<storage::MessageState>& states) {
    UidSet uids;
    for (const auto& state : states) uids.Add(state.uid);
    return uids.ToString();
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
  storage::FolderRef inbox = Must(store->GetFolder(account, "INBOX")).ref;
};

TEST_F(ResyncTest, ANewFolderHasAModSeq) {
  // 0 would say that it keeps none (RFC 7162 §3.1.7).
  EXPECT_GT(Now().value, 0U);
  EXPECT_GT(Must(store->CreateFolder(account, "x", protocol::SpecialUse::kNone)).highest_modseq.value, 0U);
}

TEST_F(ResyncTest, ConditionalChangeLeavesAloneWhatHasChanged) {
  Fill(3);
  const ModSeq known = Now();
  Change(Uids({2}), FlagChange::Op::kAdd, {"\\Seen"});
  const auto done = Change(UidRange(1, 3), FlagChange::Op::kAdd, {"\\Flagged"}, known);
  EXPECT_EQ(Names(done.changed), "1,3");
  EXPECT_EQ(done.changed[0].modseq, Now());
  ASSERT_EQ(done.modified.size(), 1U);
  EXPECT_EQ(done.modified[0].uid.value, 2U);
  EXPECT_TRUE(done.modified[0].flags.Has(protocol::SystemFlag::kSeen));
  EXPECT_EQ(done.modified[0].modseq.value, known.value + 1);
  EXPECT_EQ(FlagsOf(*store, inbox).at(2), (std::set<std::string>{"\\seen"}));
}

TEST_F(ResyncTest, WhatChangesNothingHasNoModSeq) {
  Fill(2);
  Change(UidRange(1, 2), FlagChange::Op::kAdd, {"\\Seen"});
  const ModSeq before = Now();
  const auto done = Change(UidRange(1, 2), FlagChange::Op::kAdd, {"\\Seen"}, before);
  EXPECT_TRUE(done.changed.empty());
  EXPECT_EQ(Names(done.unchanged), "1:2");
  EXPECT_EQ(done.unchanged[0].modseq, before);
  Change(UidRange(1, 2), FlagChange::Op::kRemove, {"\\Flagged", "nobody-has-it"});
  EXPECT_TRUE(Must(store->Expunge(inbox, {})).empty());
  EXPECT_EQ(Now(), before);
}

TEST_F(ResyncTest, UnchangedSinceZeroTestsForPresence) {
  Fill(2);
  Change(Uids({2}), FlagChange::Op::kAdd, {"$MDNSent"});
  const auto sent = Change(UidRange(1, 2), FlagChange::Op::kAdd, {"$MDNSent"}, ModSeq{0});
  EXPECT_EQ(Names(sent.changed), "1");
  EXPECT_EQ(Names(sent.modified), "2");
  EXPECT_EQ(Names(Change(Uids({1}), FlagChange::Op::kAdd, {"\\Seen"}, ModSeq{0}).modified), "1");
  EXPECT_EQ(Names(Change(Uids({1}), FlagChange::Op::kReplace, {"new"}, ModSeq{0}).modified), "1");
  EXPECT_EQ(Names(Change(Uids({1}), FlagChange::Op::kAdd, {"new"}, ModSeq{0}).changed), "1");
}

TEST_F(ResyncTest, VanishedIsWhatWentSince) {
  Fill(9);
  const ModSeq start = Now();
  Expunge(Uids({8}));
  const ModSeq first = Now();
  Expunge(Uids({1, 2, 5}));
  EXPECT_EQ(Vanished(start), "1:2,5,8");
  EXPECT_EQ(Vanished(ModSeq{0}), "1:2,5,8");
  EXPECT_EQ(Vanished(first), "1:2,5");
  EXPECT_EQ(Vanished(Now()), "");
  EXPECT_EQ(Vanished(protocol::kMaxModSeq), "");
}

TEST_F(ResyncTest, MovedMessagesVanish) {
  Fill(3);
  Must(store->CreateFolder(account, "x", protocol::SpecialUse::kNone));
  const ModSeq start = Now();
  Must(store->Move(inbox, Uids({2}), "x"));
  EXPECT_EQ(Vanished(start), "2");
}

TEST_F(ResyncTest, OldOnesAreForgotten) {
  Fill(9);
  const ModSeq start = Now();
  Expunge(Uids({1}));
  const ModSeq first = Now();
  store.clock.Advance(20 * kDay);
  Expunge(Uids({2}));
  const ModSeq second = Now();
  store.clock.Advance(10 * kDay);
  store->ReapDue();
  EXPECT_EQ(Vanished(start), "forgotten");
  EXPECT_EQ(Vanished(ModSeq{first.value - 1}), "forgotten");
  EXPECT_EQ(Vanished(first), "2");
  store.clock.Advance(21 * kDay);
  Expunge(Uids({9}));
  store->ReapDue();
  EXPECT_EQ(Vanished(first), "forgotten");
  EXPECT_EQ(Vanished(second), "9");
  EXPECT_EQ(LogRows(), 2U) << "a mark, and what is young";
}

TEST_F(ResyncTest, ADaySharesARow) {
  Fill(600);
  const ModSeq start = Now();
  for (std::uint32_t uid = 600; uid > 0; uid -= 2) Expunge(Uids({uid}));
  const ModSeq all = Now();
  EXPECT_EQ(LogRows(), 300U);
  const std::string before = Vanished(start);
  store.clock.Advance(2 * kDay);
  Expunge(Uids({1}));
  store->ReapDue();
  EXPECT_LE(LogRows(), 3U) << "the fixed clock may have been near midnight";
  EXPECT_EQ(Vanished(start), "1:2," + before.substr(2));
  EXPECT_EQ(Vanished(all), "1");
}

TEST_F(ResyncTest, ForgettingLeavesADeletedFolderAlone) {
  const auto made = Must(store->CreateFolder(account, "x", protocol::SpecialUse::kNone));
  Must(Append(*store, account, "x", {"a", "b"}, {"\\Deleted"}));
  Must(store->Expunge(made.ref, {}));
  Must(store->DeleteFolder(account, "x"));
  store.clock.Advance(31 * kDay);
  store->ReapDue();
  store->DrainJanitor();
  EXPECT_EQ(LogRows(), 0U);
}

TEST_F(ResyncTest, AnEntryOfAMailboxIsAChangeOfIt) {
  // RFC 7162 §3.2: SETMETADATA increments the mailbox's mod-sequence.
  const ModSeq before = Now();
  Must(store->SetAnnotations(account, "INBOX", {{"/shared/comment", "x"}}, account));
  EXPECT_GT(Now(), before);
  const ModSeq after = Now();
  Must(store->SetAnnotations(account, "INBOX", {{"/shared/comment", "x"}}, account));
  Must(store->SetAnnotations(account, "", {{"/private/comment", "x"}}, account));
  EXPECT_EQ(Now(), after);
}

}  // namespace
}  // namespace tests
