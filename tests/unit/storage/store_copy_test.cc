#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::FlagChange;
using protocol::SpecialUse;
using storage::Errc;
using storage::FolderRef;
using storage::kv::Table;
using testing::IsEmpty;

/// Few messages go in one commit; over a hundred are written ahead.
class CopyTest : public testing::TestWithParam<std::uint32_t> {
 protected:
  CopyTest() {
    Must(store->CreateFolder(account, "target", SpecialUse::kNone));
    target = Fill(*store, account, "target", 2, {"$zero"});
    inbox = Fill(*store, account, "INBOX", GetParam(), {"\\Seen", "$one"});
  }
  int RowsIn(Table table) {
    int rows = 0;
    Must(store.engine().OpenView()->Scan(table, {}, {}, [&](auto, auto) { return ++rows != 0; }));
    return rows;
  }
  void DeleteAll(FolderRef folder) {
    Must(store->UpdateFlags(folder, UidRange(1, 0xffffffff), {FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
    Must(store->Expunge(folder, std::nullopt));
    store->DrainJanitor();
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
  FolderRef inbox;
  FolderRef target;
};
INSTANTIATE_TEST_SUITE_P(Sizes, CopyTest, testing::Values(3, 100, 101, 350),
                         testing::PrintToStringParamName());

TEST_P(CopyTest, CopyKeepsOctetsDatesAndFlags) {
  const auto n = GetParam();
  store.clock.Advance(std::chrono::seconds(5));
  const auto done = Must(store->Copy(inbox, UidRange(1, n + 10), "target"));
  EXPECT_EQ(done.source, UidRange(1, n));
  EXPECT_EQ(done.target, UidRange(3, n + 2));
  EXPECT_EQ(done.uid_validity, Must(store->GetFolder(target)).uid_validity);
  auto expected = OctetsOf(*store, inbox);
  auto copied = OctetsOf(*store, target);
  for (std::uint32_t i = 1; i <= n; ++i) EXPECT_EQ(copied.at(i + 2), expected.at(i));
  // Bit 0 is $one here and $zero there: names are kept, not bits.
  EXPECT_EQ(FlagsOf(*store, target).at(3), (std::set<std::string>{"\\seen", "$one"}));
  EXPECT_EQ(FlagsOf(*store, target).at(1), (std::set<std::string>{"$zero"}));
  Must(Must(store->Read(target)).Rows(Uids({3}), [&](auto, const storage::MessageRow& row) {
    EXPECT_EQ(row.internal_date.unix_seconds, 1'700'000'000);
    EXPECT_EQ(row.save_date, 1'700'000'005);
    return true;
  }));
  EXPECT_EQ(Must(store->GetAccount(account)).used_messages, 2 * n + 2);
  EXPECT_EQ(RowsIn(Table::kIntents), 0);
}

TEST_P(CopyTest, BodiesAreSharedUntilTheLastGoes) {
  const auto n = static_cast<int>(GetParam());
  Must(store->Copy(inbox, UidRange(1, 1000), "target"));
  Must(store->Copy(inbox, UidRange(1, 1000), "target"));
  EXPECT_EQ(RowsIn(Table::kBodies), n + 2);
  EXPECT_EQ(RowsIn(Table::kBodyRefs), n);
  DeleteAll(inbox);
  EXPECT_EQ(RowsIn(Table::kBodies), n + 2);
  EXPECT_EQ(OctetsOf(*store, target).size(), 2 * GetParam() + 2);
  DeleteAll(target);
  EXPECT_EQ(RowsIn(Table::kBodies) + RowsIn(Table::kBodyRefs) + RowsIn(Table::kTexts) + RowsIn(Table::kIds),
            0);
}

TEST_P(CopyTest, MoveTakesThemAway) {
  const auto n = GetParam();
  const auto before = Must(store->GetAccount(account));
  const auto expected = OctetsOf(*store, inbox);
  const auto done = Must(store->Move(inbox, UidRange(1, 1000), "target"));
  EXPECT_EQ(done.target, UidRange(3, n + 2));
  EXPECT_EQ(Must(store->GetFolder(inbox)).messages, 0U);
  EXPECT_EQ(OctetsOf(*store, target).at(n + 2), expected.at(n));
  const auto after = Must(store->GetAccount(account));
  EXPECT_EQ(after.used_octets, before.used_octets);
  EXPECT_EQ(after.used_messages, before.used_messages);
  EXPECT_EQ(after.modseq.value, before.modseq.value + 1);
  EXPECT_EQ(Must(store->GetFolder(inbox)).highest_modseq, after.modseq);
  EXPECT_EQ(Must(store->GetFolder(target)).highest_modseq, after.modseq);
  store->DrainJanitor();
  EXPECT_EQ(RowsIn(Table::kMessages), static_cast<int>(n) + 2);
  EXPECT_EQ(RowsIn(Table::kBodyRefs), 0);
}

TEST_P(CopyTest, IntoTheSameFolder) {
  const auto n = GetParam();
  EXPECT_EQ(Must(store->Copy(inbox, UidRange(1, 1000), "INBOX")).target, UidRange(n + 1, 2 * n));
  EXPECT_EQ(Must(store->GetFolder(inbox)).messages, 2 * n);
  EXPECT_EQ(Must(store->Move(inbox, UidRange(1, n), "INBOX")).target, UidRange(2 * n + 1, 3 * n));
  EXPECT_EQ(Must(store->OpenFolder(inbox, /*claim_recent=*/false)).uids, UidRange(n + 1, 3 * n));
  EXPECT_EQ(OctetsOf(*store, inbox).at(3 * n), MessageOctets(n - 1, 60));
}

TEST_P(CopyTest, OverQuotaCopiesNothingAndFreesWhatWasWritten) {
  const auto n = GetParam();
  Must(store->SetQuota(account, {.messages = 2 * n + 1}));
  EXPECT_EQ(ErrorOf(store->Copy(inbox, UidRange(1, 1000), "target")), Errc::kOverQuota);
  store->DrainJanitor();
  EXPECT_EQ(Must(store->GetFolder(target)).messages, 2U);
  EXPECT_EQ(RowsIn(Table::kMessages), static_cast<int>(n) + 2);
  EXPECT_EQ(RowsIn(Table::kIntents) + RowsIn(Table::kBodyRefs), 0);
  // MOVE needs no more than is there.
  Must(store->Move(inbox, UidRange(1, 1000), "target"));
}

TEST_P(CopyTest, FullKeywordTableOfTheTargetCopiesNothing) {
  std::vector<std::string> names;
  for (int i = 1; i < 64; ++i) names.push_back("k" + std::to_string(i));
  Must(store->UpdateFlags(target, Uids({1}), {FlagChange::Op::kAdd, Flags(names)}));
  EXPECT_EQ(ErrorOf(store->Copy(inbox, UidRange(1, 1000), "target")), Errc::kTooManyKeywords);
  EXPECT_EQ(ErrorOf(store->Move(inbox, UidRange(1, 1000), "target")), Errc::kTooManyKeywords);
  store->DrainJanitor();
  EXPECT_EQ(Must(store->GetFolder(target)).messages, 2U);
  EXPECT_EQ(Must(store->GetFolder(inbox)).messages, GetParam());
  EXPECT_EQ(RowsIn(Table::kMessages), static_cast<int>(GetParam()) + 2);
  // A keyword that no message has is not carried over.
  Must(store->UpdateFlags(inbox, UidRange(1, 1000), {FlagChange::Op::kRemove, Flags({"$one"})}));
  Must(store->Copy(inbox, UidRange(1, 1000), "target"));
}

TEST_P(CopyTest, MissingFolderOrMessages) {
  EXPECT_EQ(ErrorOf(store->Copy(inbox, UidRange(1, 1000), "nowhere")), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->Move(inbox, UidRange(1, 1000), "nowhere")), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->Copy({account, {99}}, UidRange(1, 1000), "target")), Errc::kNoSuchFolder);
  const auto before = Must(store->GetAccount(account)).modseq;
  const auto none = Must(store->Copy(inbox, UidRange(5000, 6000), "target"));
  EXPECT_TRUE(none.source.empty() && none.target.empty());
  EXPECT_EQ(none.uid_validity, Must(store->GetFolder(target)).uid_validity);
  EXPECT_EQ(Must(store->GetAccount(account)).modseq, before);
}

TEST_P(CopyTest, SparseUidsKeepTheirOrder) {
  storage::UidSet odd;
  for (std::uint32_t uid = 1; uid <= GetParam(); uid += 2) odd.Add(storage::Uid{uid});
  const auto done = Must(store->Copy(inbox, odd, "target"));
  EXPECT_EQ(done.source, odd);
  const auto copied = OctetsOf(*store, target);
  std::uint32_t at = 3;
  odd.ForEach([&](storage::Uid uid) { EXPECT_EQ(copied.at(at++), MessageOctets(uid.value - 1, 60)); });
}

}  // namespace
}  // namespace tests
