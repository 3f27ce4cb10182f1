#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/view/mailbox_view.h"

namespace server::imap {
namespace {

using storage::Change;
using storage::KeywordTable;
using storage::ModSeq;

constexpr storage::FolderRef kFolder{{1}, {7}};
constexpr storage::Origin kSelf{1};
constexpr storage::Origin kOther{2};

/// Reports as words: "expunge 2", "exists 3".
class Words final : public ViewReports {
 public:
  void Keywords(const KeywordTable& keywords) override { Add("keywords " + std::to_string(keywords.size())); }
  void Exists(std::uint32_t n) override { Add("exists " + std::to_string(n)); }
  void Recent(std::uint32_t n) override { Add("recent " + std::to_string(n)); }
  void Expunge(SeqNum seq) override { Add("expunge " + std::to_string(seq.value)); }
  void Vanished(const UidSet& uids) override { Add("vanished " + uids.ToString()); }
  bool expunges_by_uid() const override { return by_uid; }
  void FetchFlags(SeqNum seq, const storage::MessageState& state, bool recent) override {
    Add("flags " + std::to_string(seq.value) + "/" + std::to_string(state.uid.value) + "=" +
        std::to_string(state.flags.system) + (recent ? "r" : ""));
  }

  std::string text;
  bool by_uid = false;

 private:
  void Add(const std::string& word) { text += (text.empty() ? "" : ", ") + word; }
};

class MailboxViewTest : public testing::Test {
 protected:
  MailboxViewTest() : inbox_(kFolder.folder, [this] { ++wakes_; }) {
    opened_.status.ref = kFolder;
    opened_.status.highest_modseq = ModSeq{10};
    opened_.keywords = std::make_shared<KeywordTable>();
    opened_.uids = UidSet(Uid{1}, Uid{3});
    opened_.recent_from = Uid{4};
    view_ = std::make_unique<MailboxView>(opened_, /*read_only=*/false, kSelf, inbox_);
  }

  template <class What>
  void Happen(std::uint64_t modseq, storage::Origin origin, What what) {
    inbox_.OnChange(
        std::make_shared<const Change>(Change{kFolder.account, ModSeq{modseq}, origin, std::move(what)}));
  }
  void Expunged(std::uint64_t modseq, std::uint32_t uid, storage::Origin origin = kOther) {
    Happen(modseq, origin, storage::MessagesExpunged{kFolder.folder, UidSet(Uid{uid})});
  }
  void Added(std::uint64_t modseq, std::uint32_t uid) {
    Happen(modseq, kOther, storage::MessagesAdded{kFolder.folder, UidSet(Uid{uid})});
  }
  void Flagged(std::uint64_t modseq, std::uint32_t uid, std::uint32_t flags,
               storage::Origin origin = kOther) {
    Happen(modseq, origin,
           storage::FlagsChanged{kFolder.folder, {{Uid{uid}, {flags, 0}, ModSeq{modseq}}}, opened_.keywords});
  }
  std::string Sync(ExpungePolicy policy = ExpungePolicy::kAllowed) {
    EXPECT_FALSE(view_->Absorb());
    Words words;
    EXPECT_TRUE(view_->Report(policy, words));
    return words.text;
  }

  int wakes_ = 0;
  storage::OpenedFolder opened_;
  ChangeInbox inbox_;
  std::unique_ptr<MailboxView> view_;
};

TEST_F(MailboxViewTest, NewsThatTheFolderShowedAlreadyAreDropped) {
  Expunged(9, 1);
  Flagged(10, 2, 1);
  EXPECT_EQ(Sync(), "");
  EXPECT_EQ(view_->messages(), 3U);
}

TEST_F(MailboxViewTest, OtherFoldersDoNotMatter) {
  Happen(11, kOther, storage::MessagesExpunged{storage::FolderId{8}, UidSet(Uid{1})});
  EXPECT_EQ(Sync(), "");
}

TEST_F(MailboxViewTest, ExpungesAreCountedOneAfterTheOther) {
  Happen(11, kOther, storage::MessagesExpunged{kFolder.folder, UidSet(Uid{1}, Uid{2})});
  EXPECT_EQ(Sync(), "expunge 1, expunge 1");
  EXPECT_EQ(view_->map().UidOf(SeqNum{1}), Uid{3});
}

TEST_F(MailboxViewTest, GoneMessagesKeepTheirNumbersUntilTold) {
  Expunged(11, 1);
  Flagged(12, 3, 8);
  Added(13, 4);
  EXPECT_EQ(Sync(ExpungePolicy::kForbidden), "exists 4, recent 1, flags 3/3=8");
  EXPECT_EQ(view_->map().SeqOf(Uid{1}), SeqNum{1});
  EXPECT_EQ(Sync(), "expunge 1");
  EXPECT_EQ(view_->map().SeqOf(Uid{4}), SeqNum{3});
}

TEST_F(MailboxViewTest, WhatComesAndGoesIsNeverTold) {
  Added(11, 4);
  Expunged(12, 4);
  EXPECT_EQ(Sync(), "");
}

TEST_F(MailboxViewTest, MoveWithinTheFolderIsTwoPiecesOfNewsWithOneModSeq) {
  Expunged(11, 1, kSelf);
  Added(11, 4);
  EXPECT_EQ(Sync(), "expunge 1, exists 3, recent 1");
}

TEST_F(MailboxViewTest, FlagsOfANewMessageComeAfterIt) {
  Added(11, 4);
  Flagged(12, 4, 2);
  EXPECT_EQ(Sync(), "exists 4, recent 1, flags 4/4=2r");
}

TEST_F(MailboxViewTest, OwnFlagsAreNotEchoed) {
  Flagged(11, 2, 8, kSelf);
  EXPECT_EQ(Sync(), "");
}

TEST_F(MailboxViewTest, OwnFlagsCorrectWhatAnotherChangedBefore) {
  Flagged(11, 2, 1);
  Flagged(12, 2, 9, kSelf);
  EXPECT_EQ(Sync(), "flags 2/2=9");
}

TEST_F(MailboxViewTest, OwnExpungesAreReported) {
  Expunged(11, 2, kSelf);
  EXPECT_EQ(Sync(), "expunge 2");
}

TEST_F(MailboxViewTest, SavedResultForgetsWhatIsExpunged) {
  view_->Save(UidSet(Uid{1}, Uid{2}));
  Expunged(11, 1);
  Sync();
  EXPECT_EQ(view_->saved(), UidSet(Uid{2}));
}

TEST_F(MailboxViewTest, DeletedFolderBecomesEmpty) {
  Happen(11, kOther, storage::FolderDeleted{kFolder.folder, "INBOX"});
  EXPECT_EQ(Sync(), "expunge 1, expunge 1, expunge 1");
  EXPECT_TRUE(view_->deleted());
}

TEST_F(MailboxViewTest, KeywordsAreToldBeforeTheyAreUsed) {
  opened_.keywords = std::make_shared<KeywordTable>(KeywordTable{"$Blue"});
  Flagged(11, 1, 1);
  EXPECT_EQ(Sync(), "keywords 1, flags 1/1=1");
}

TEST_F(MailboxViewTest, LostNewsAskForThePictureUntilItIsThere) {
  ChangeInbox small(kFolder.folder, [] {}, {.changes = 1, .states = 10});
  MailboxView view(opened_, false, kSelf, small);
  for (std::uint64_t modseq = 11; modseq < 14; ++modseq) {
    small.OnChange(std::make_shared<const Change>(Change{
        kFolder.account, ModSeq{modseq}, kOther, storage::MessagesExpunged{kFolder.folder, UidSet(Uid{1})}}));
  }
  EXPECT_TRUE(view.Absorb());
  EXPECT_TRUE(view.Absorb()) << "the picture could not be read";
  FolderPicture now;
  now.modseq = ModSeq{13};
  now.uids = UidSet(Uid{2}, Uid{4});
  now.keywords = opened_.keywords;
  view.Adopt(now);
  EXPECT_FALSE(view.Absorb());
  Words words;
  EXPECT_TRUE(view.Report(ExpungePolicy::kAllowed, words));
  EXPECT_EQ(words.text, "expunge 1, exists 3, recent 1");
}

TEST_F(MailboxViewTest, VanishedTellsAllAtOnce) {
  Expunged(11, 1);
  Expunged(12, 3);
  EXPECT_FALSE(view_->Absorb());
  Words words;
  words.by_uid = true;
  EXPECT_TRUE(view_->Report(ExpungePolicy::kAllowed, words));
  EXPECT_EQ(words.text, "vanished 1,3");
  EXPECT_EQ(view_->map().SeqOf(Uid{2}), SeqNum{1});
  EXPECT_TRUE(view_->TakeExpunged());
  EXPECT_FALSE(view_->TakeExpunged()) << "said once";
}

TEST_F(MailboxViewTest, ToldIsBelowWhatIsNotTold) {
  EXPECT_EQ(view_->told(), ModSeq{10});
  Flagged(11, 2, 1);
  Expunged(12, 1);
  Flagged(13, 3, 1);
  Sync(ExpungePolicy::kForbidden);
  EXPECT_EQ(view_->modseq(), ModSeq{13});
  EXPECT_LE(view_->told(), ModSeq{11}) << "the client has not heard of the expunge";
  EXPECT_FALSE(view_->TakeExpunged());
  Sync();
  EXPECT_EQ(view_->told(), ModSeq{13});
  EXPECT_TRUE(view_->TakeExpunged());
}

TEST_F(MailboxViewTest, ShownIsTheHighestSinceItWasAskedFor) {
  Flagged(11, 2, 1);
  Sync();
  view_->NoteShown(ModSeq{7});
  EXPECT_EQ(view_->TakeShown(), ModSeq{11});
  EXPECT_EQ(view_->TakeShown(), ModSeq{});
}

TEST(SequenceMapTest, FindsTheLastPairThatIsTrue) {
  UidSet uids(Uid{3}, Uid{5});  // numbers 1 to 3
  uids.Add(Uid{8}, Uid{9});     // 4 and 5
  const SequenceMap map(uids);
  EXPECT_EQ(map.LastTrueOf(SeqNum{1}, Uid{3}, 1), Uid{3});
  EXPECT_EQ(map.LastTrueOf(SeqNum{1}, Uid{3}, 9), Uid{5}) << "beyond it the pairs differ";
  EXPECT_EQ(map.LastTrueOf(SeqNum{2}, Uid{6}, 9), Uid{9}) << "pairs before it are not true";
  EXPECT_EQ(map.LastTrueOf(SeqNum{2}, Uid{6}, 2), std::nullopt);
  EXPECT_EQ(map.LastTrueOf(SeqNum{6}, Uid{10}, 1), std::nullopt);
  EXPECT_EQ(map.LastTrueOf(SeqNum{1}, Uid{4}, 4294967290U), std::nullopt);
  EXPECT_EQ(map.LastTrueOf(SeqNum{9}, Uid{1}, 1), std::nullopt);
  EXPECT_EQ(SequenceMap().LastTrueOf(SeqNum{1}, Uid{1}, 1), std::nullopt);
}

// What NOTIFY asks for of the selected mailbox (RFC 5465 §3.1).

TEST_F(MailboxViewTest, NothingIsToldThatIsNotWanted) {
  view_->Want(Wanted::kNothing, WantedOfNew::kNothing);
  Expunged(11, 1);
  Added(12, 4);
  Flagged(13, 2, 1);
  EXPECT_EQ(Sync(), "");
  EXPECT_EQ(view_->map().SeqOf(Uid{3}), SeqNum{3});
  EXPECT_EQ(view_->told(), ModSeq{10}) << "the client does not know what has happened";
  EXPECT_TRUE(view_->IsBehind());
  view_->Want(Wanted::kCounts, WantedOfNew::kNothing);
  EXPECT_EQ(Sync(), "expunge 1, exists 3, recent 1");
  EXPECT_EQ(view_->told(), ModSeq{10});
}

TEST_F(MailboxViewTest, OwnChangesAreToldWithWhatCameBefore) {
  view_->Want(Wanted::kNothing, WantedOfNew::kNothing);
  Expunged(11, 1);
  EXPECT_EQ(Sync(), "");
  Expunged(12, 3, kSelf);
  EXPECT_EQ(Sync(ExpungePolicy::kForbidden), "");
  EXPECT_EQ(Sync(), "expunge 1, expunge 2");
  Happen(13, kSelf, storage::MessagesAdded{kFolder.folder, UidSet(Uid{4})});
  EXPECT_EQ(Sync(), "exists 2, recent 1");
  Added(14, 5);
  EXPECT_EQ(Sync(), "");
}

TEST_F(MailboxViewTest, FlagsThatWereNotWantedAreReadWhenTheyAre) {
  view_->Want(Wanted::kCounts, WantedOfNew::kNothing);
  Flagged(11, 2, 1);
  Added(12, 4);
  EXPECT_EQ(Sync(), "exists 4, recent 1");
  view_->Want(Wanted::kEverything, WantedOfNew::kNothing);
  EXPECT_TRUE(view_->Absorb());
  EXPECT_EQ(view_->read_since(), ModSeq{10});
  view_->Adopt({.modseq = ModSeq{12},
                .uids = UidSet(Uid{1}, Uid{4}),
                .changed = {{Uid{2}, {1, 0}, ModSeq{11}}},
                .keywords = opened_.keywords});
  EXPECT_EQ(Sync(), "flags 2/2=1");
  EXPECT_EQ(view_->told(), ModSeq{12});
  EXPECT_FALSE(view_->IsBehind());
}

TEST_F(MailboxViewTest, NewMessagesOfOthersAreToBeSent) {
  view_->Want(Wanted::kEverything, WantedOfNew::kItemsWithFlags);
  Happen(11, kSelf, storage::MessagesAdded{kFolder.folder, UidSet(Uid{4})});
  Added(12, 5);
  Added(13, 6);
  Flagged(14, 5, 2);
  EXPECT_FALSE(view_->has_arrived()) << "they have no numbers yet";
  EXPECT_EQ(Sync(), "exists 6, recent 3") << "its flags are sent with it";
  Expunged(15, 6);
  EXPECT_EQ(Sync(), "expunge 6, recent 2");
  EXPECT_EQ(view_->TakeArrived(), UidSet(Uid{5}));
  EXPECT_FALSE(view_->has_arrived());
  Flagged(16, 5, 1);
  EXPECT_EQ(Sync(), "flags 5/5=1r");
}

TEST_F(MailboxViewTest, WhoHasDoneItAllItselfIsNotBehind) {
  Expunged(11, 1);
  Sync();
  Expunged(12, 2, kSelf);
  EXPECT_FALSE(view_->IsBehind());
  Flagged(13, 3, 1);
  EXPECT_TRUE(view_->IsBehind());
}

TEST_F(MailboxViewTest, InboxWakesOnceForEachArming) {
  EXPECT_FALSE(inbox_.Arm());
  Added(11, 4);
  Added(12, 5);
  EXPECT_EQ(wakes_, 1);
  EXPECT_TRUE(inbox_.Arm()) << "news are waiting already";
  Sync();
  EXPECT_FALSE(inbox_.Arm());
  inbox_.Disarm();
  Added(13, 6);
  EXPECT_EQ(wakes_, 1);
}

TEST_F(MailboxViewTest, WatchedItNotesWhatTheNewsAreAbout) {
  Added(11, 4);
  EXPECT_FALSE(view_->Absorb());
  view_->Watch(true);
  Expunged(12, 2);
  Flagged(13, 3, 1, kSelf);
  Added(14, 5);
  EXPECT_FALSE(view_->Absorb());
  EXPECT_EQ(view_->Present(UidSet(Uid{1}, Uid{9})).ToString(), "1,3") << "2 is gone, 4 and 5 have no numbers";
  EXPECT_EQ(view_->TakeTouched().ToString(), "2:3");
  EXPECT_FALSE(view_->touched()) << "4 and 5 wait for their numbers";
  Sync();
  EXPECT_TRUE(view_->touched());
  EXPECT_EQ(view_->TakeTouched().ToString(), "4:5") << "4 too, though it came before";
  EXPECT_FALSE(view_->touched());
  view_->Watch(false);
  Expunged(15, 1);
  EXPECT_FALSE(view_->Absorb());
  EXPECT_FALSE(view_->touched());
}

TEST_F(MailboxViewTest, AFolderReadAnewIsNewsOfAllOfIt) {
  view_->Watch(true);
  FolderPicture now{
      .modseq = ModSeq{20}, .uids = UidSet(Uid{2}, Uid{6}), .keywords = std::make_shared<KeywordTable>()};
  view_->Adopt(now);
  EXPECT_EQ(view_->TakeTouched().ToString(), "1:3");
  Sync();
  EXPECT_EQ(view_->TakeTouched().ToString(), "4:6");
}

}  // namespace
}  // namespace server::imap
