// What is kept of large folders, so that SELECT and a returning client read only the pages that changed.
#include <algorithm>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/state_page.h"
#include "storage/store/picture_cache.h"
#include "tests/support/counting_engine.h"
#include "tests/support/random_rounds.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::FlagChange;
using storage::FolderPicture;
using storage::FolderRef;
using storage::ModSeq;
using storage::PictureCache;
using storage::Uid;
using storage::UidSet;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr FolderRef kFolder{{1}, {7}};

FolderPicture PictureAt(std::uint64_t modseq) {
  return {.modseq = {modseq}, .uids = UidRange(1, 5), .pages = {}};
}
storage::PagesChanged Change(std::uint64_t before, std::uint64_t after, std::vector<std::uint32_t> pages) {
  return {kFolder, {before}, {after}, std::move(pages)};
}

TEST(PictureCache, KnowsWhichPagesHaveChanged) {
  PictureCache cache;
  EXPECT_FALSE(cache.Find(kFolder, {10}));
  cache.Keep(kFolder, PictureAt(10));
  EXPECT_THAT(cache.Find(kFolder, {10})->changed, IsEmpty());
  cache.Note(Change(10, 12, {3, 0}));
  cache.Note(Change(12, 15, {3}));
  EXPECT_THAT(cache.Find(kFolder, {10})->changed, IsEmpty()) << "of a view from before";
  EXPECT_THAT(cache.Find(kFolder, {15})->changed, ElementsAre(0, 3));
  EXPECT_FALSE(cache.Find(kFolder, {9})) << "older than the picture";
  EXPECT_FALSE(cache.Find(kFolder, {16})) << "changed without a note";
}

TEST(PictureCache, ANewerPictureForgetsWhatItHolds) {
  PictureCache cache;
  cache.Keep(kFolder, PictureAt(10));
  cache.Note(Change(10, 11, {1, 2}));
  cache.Note(Change(11, 12, {2}));
  cache.Keep(kFolder, PictureAt(11));
  EXPECT_THAT(cache.Find(kFolder, {12})->changed, ElementsAre(2));
  cache.Keep(kFolder, PictureAt(10));
  EXPECT_EQ(cache.Find(kFolder, {12})->picture->modseq.value, 11U) << "an older one is not taken";
}

TEST(PictureCache, ANoteWithAGapBeforeItEndsThePicture) {
  PictureCache cache;
  cache.Keep(kFolder, PictureAt(10));
  cache.Note(Change(11, 12, {1}));  // the change to 11 came before the picture was kept
  EXPECT_FALSE(cache.Find(kFolder, {12}));
  EXPECT_FALSE(cache.Find(kFolder, {10}));
}

TEST(PictureCache, AChangeThatNeverCameCostsAReadAlone) {
  PictureCache cache;
  cache.Keep(kFolder, PictureAt(10));
  cache.Note(Change(10, 11, {1}));  // its commit failed
  cache.Note(Change(10, 11, {2}));
  EXPECT_THAT(cache.Find(kFolder, {11})->changed, ElementsAre(1, 2));
}

TEST(PictureCache, IsBounded) {
  PictureCache cache;
  FolderPicture large{.modseq = {1}, .uids = {}, .pages = {}};
  for (std::uint32_t uid = 1; uid <= 2 * PictureCache::kMaxRanges / 3; ++uid) large.uids.Add(Uid{2 * uid});
  cache.Keep({{1}, {1}}, large);
  EXPECT_TRUE(cache.Find({{1}, {1}}, {1}));
  cache.Keep({{1}, {2}}, large);
  EXPECT_TRUE(cache.Find({{1}, {2}}, {1}));
  EXPECT_FALSE(cache.Find({{1}, {1}}, {1})) << "no room for both";
  for (std::uint32_t uid = 1; uid <= PictureCache::kMaxRanges; ++uid)
    large.uids.Add(Uid{2'000'000 + 2 * uid});
  cache.Keep({{1}, {3}}, large);
  EXPECT_FALSE(cache.Find({{1}, {3}}, {1})) << "too large by itself";
}

constexpr std::uint32_t kPages = 6;
constexpr std::uint32_t kMessages = kPages * storage::schema::StatePage::kUids - 1;  // UID 0 is none

class PicturesTest : public testing::Test {
 protected:
  PicturesTest() {
    Must(Append(*store, account, "INBOX", std::vector<std::string>(kMessages, "m")));
    Must(store->OpenFolder(inbox, false));
  }
  ~PicturesTest() override {
    store->DrainJanitor();
    store.reset();
    TempStore::ExpectSound(engine, /*default_folder=*/false);
  }
  ModSeq Now() { return Must(store->GetFolder(inbox)).highest_modseq; }
  void SetFlags(const UidSet& uids, FlagChange::Op op, const std::string& flag) {
    Must(store->UpdateFlags(inbox, uids, {op, Flags({flag})}, {}));
  }
  void Expunge(const UidSet& uids) {
    SetFlags(uids, FlagChange::Op::kAdd, "\\Deleted");
    Must(store->Expunge(inbox, uids));
  }
  int PagesRead(const std::function<void()>& work) {
    const int before = engine.Of(storage::kv::Table::kStates).rows;
    work();
    return engine.Of(storage::kv::Table::kStates).rows - before;
  }
  UidSet ChangedSince(ModSeq since) {
    UidSet changed;
    Must(Must(store->Read(inbox))
             .States(
                 UidSet(Uid{1}, protocol::kMaxUid), [&](const auto& state) { changed.Add(state.uid); },
                 since));
    return changed;
  }
  /// What SELECT says is what the pages hold.
  void ExpectTrue(const storage::OpenedFolder& opened) {
    UidSet uids;
    std::optional<Uid> unseen;
    Must(Must(store->Read(inbox)).States(UidSet(Uid{1}, protocol::kMaxUid), [&](const auto& state) {
      uids.Add(state.uid);
      if (!unseen && !state.flags.Has(protocol::SystemFlag::kSeen)) unseen = state.uid;
    }));
    EXPECT_EQ(opened.uids, uids);
    EXPECT_EQ(opened.first_unseen, unseen);
  }

  CountingEngine engine;
  FixedClock clock;
  std::unique_ptr<storage::MailStore> store = Must(storage::MailStore::Open(engine, PlainMail()));
  storage::AccountId account = CreateAccount(*store);
  FolderRef inbox = Must(store->GetFolder(account, "INBOX")).ref;
};

TEST_F(PicturesTest, NothingChangedReadsNoPage) {
  EXPECT_EQ(PagesRead([&] { Must(store->OpenFolder(inbox, false)); }), 0);
  const ModSeq now = Now();
  EXPECT_EQ(PagesRead([&] { EXPECT_TRUE(ChangedSince(now).empty()); }), 0);
}

TEST_F(PicturesTest, AReturningClientIsToldFromThePagesThatChanged) {
  const ModSeq known = Now();
  SetFlags(Uids({700}), FlagChange::Op::kAdd, "\\Seen");  // page 1
  Expunge(UidRange(1024, 1535));                          // page 2, whole
  Must(Append(*store, account, "INBOX", {"new"}));        // page 6, new
  storage::OpenedFolder opened;
  EXPECT_EQ(PagesRead([&] { opened = Must(store->OpenFolder(inbox, false)); }), 3);
  ExpectTrue(opened);
  EXPECT_EQ(opened.uids.ToString(), "1:1023,1536:3072");
  EXPECT_EQ(PagesRead([&] { EXPECT_EQ(ChangedSince(known).ToString(), "700,3072"); }), 2);
}

TEST_F(PicturesTest, FirstUnseenMovesOn) {
  SetFlags(UidRange(1, 1300), FlagChange::Op::kAdd, "\\Seen");
  EXPECT_EQ(Must(store->OpenFolder(inbox, false)).first_unseen, Uid{1301});
  SetFlags(Uids({3}), FlagChange::Op::kRemove, "\\Seen");
  EXPECT_EQ(Must(store->OpenFolder(inbox, false)).first_unseen, Uid{3});
}

TEST_F(PicturesTest, ARefusedChangeIsInNoPicture) {
  engine.refuses = true;
  EXPECT_FALSE(store->UpdateFlags(inbox, Uids({1}), {FlagChange::Op::kAdd, Flags({"\\Seen"})}, {}));
  engine.refuses = false;
  auto opened = Must(store->OpenFolder(inbox, false));
  EXPECT_EQ(opened.first_unseen, Uid{1});
  SetFlags(Uids({2000}), FlagChange::Op::kAdd, "\\Seen");
  ExpectTrue(Must(store->OpenFolder(inbox, false)));
}

TEST_F(PicturesTest, ChangesThatAreNoneOfPagesAreSurvived) {
  const ModSeq known = Now();
  Must(store->SetAnnotations(account, "INBOX", {{"/shared/comment", "x"}}, account));
  SetFlags(Uids({5}), FlagChange::Op::kAdd, "\\Seen");
  ExpectTrue(Must(store->OpenFolder(inbox, false)));
  EXPECT_EQ(ChangedSince(known).ToString(), "5");
}

TEST_F(PicturesTest, IsAlwaysWhatThePagesHold) {
  PlayRounds(1, [&](std::uint32_t seed) {
    Random random(seed);
    const auto any = [&](std::uint32_t below) { return static_cast<std::uint32_t>(random() % below); };
    for (int step = 0; step < 150; ++step) {
      const ModSeq before = Now();
      const std::uint32_t first = 1 + any(kMessages);
      const auto uids = UidRange(first, first + any(step % 10 == 0 ? 800 : 3));
      switch (any(4)) {
        case 0: SetFlags(uids, FlagChange::Op::kAdd, "\\Seen"); break;
        case 1: SetFlags(uids, FlagChange::Op::kRemove, "\\Seen"); break;
        case 2: Expunge(uids); break;
        default: Must(Append(*store, account, "INBOX", std::vector<std::string>(1 + any(20), "m"))); break;
      }
      if (any(3) == 0) continue;  // several changes come together
      ExpectTrue(Must(store->OpenFolder(inbox, false)));
      UidSet changed;
      Must(Must(store->Read(inbox)).States(UidSet(Uid{1}, protocol::kMaxUid), [&](const auto& state) {
        if (state.modseq > before) changed.Add(state.uid);
      }));
      EXPECT_EQ(ChangedSince(before), changed);
      ASSERT_FALSE(HasFailure()) << "step " << step;
    }
  });
}

}  // namespace
}  // namespace tests
