// References to stored data as the store keeps them: how they are counted, and what ends them.
#include <gmock/gmock.h>

#include "storage/kv/engine.h"
#include "storage/schema/url_keys.h"
#include "storage/store/reference.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using storage::Errc;
using storage::Reference;
using storage::kv::Table;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kMonth = 30 * 24 * kHour;

storage::StoreOptions Options() {
  auto options = PlainMail();
  options.max_references = 5;
  return options;
}

class ReferencesTest : public testing::TestWithParam<Driver> {
 protected:
  storage::Uid Deliver(std::string_view path = "INBOX") {
    return Must(Append(*store, account, path, {MessageOctets(++delivered, 90)})).uids.front();
  }
  storage::schema::ReferenceRow Row(storage::Uid uid, std::int64_t expires = kNow + kHour) {
    storage::schema::ReferenceRow row;
    row.folder = inbox.folder;
    row.uid = uid;
    row.section = "1";
    row.issuer = account;
    row.expires = expires;
    row.key_check = "01234567";
    return row;
  }
  std::uint64_t Add(storage::schema::ReferenceRow row) {
    std::vector<storage::schema::ReferenceRow> rows{std::move(row)};
    return Must(store->AddReferences(account, std::move(rows))).at(0).id;
  }
  bool Fetch(const std::vector<std::uint64_t>& ids) { return !Must(store->NoteFetches(account, ids)); }
  std::vector<std::uint64_t> Ids() {
    std::vector<std::uint64_t> ids;
    for (const auto& one : Must(store->ListReferences(account, 0, 100))) ids.push_back(one.id);
    return ids;
  }
  /// Of all kinds, but for the one that counts.
  std::size_t Rows() {
    std::size_t rows = 0;
    for (const Table table : {Table::kReferences, Table::kExpiries})
      Must(store.engine().OpenView()->Scan(table, {}, {}, [&](auto, auto) { return ++rows > 0; }));
    return rows - 1;
  }
  void Expunge(storage::FolderRef folder, storage::Uid uid) {
    const storage::UidSet one(uid, uid);
    Must(store->UpdateFlags(folder, one, {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
    Must(store->Expunge(folder, one));
    store->DrainJanitor();
  }

  TempStore store{GetParam(), Options()};
  storage::AccountId account = CreateAccount(*store);
  storage::FolderRef inbox = Must(store->GetFolder(account, "INBOX")).ref;
  std::uint32_t delivered = 0;
};

TEST_P(ReferencesTest, AreKeptAsTheyWereIssued) {
  const auto uid = Deliver();
  auto row = Row(uid);
  row.kind = storage::ReferenceAudience::kUser;
  row.audience = "tel:+15550100222";
  EXPECT_EQ(Add(row), 1U);
  store.Reopen();
  const auto found = Must(store->FindReference(account, 1));
  ASSERT_TRUE(found);
  row.created = kNow;
  EXPECT_EQ(static_cast<const storage::schema::ReferenceRow&>(*found), row);
  EXPECT_EQ(found->account, account);
  EXPECT_FALSE(Must(store->FindReference(account, 2)));
  EXPECT_FALSE(Must(store->FindReference(account, 0)));
  EXPECT_FALSE(Must(store->FindReference({99}, 1)));
}

TEST_P(ReferencesTest, AllOfACallOrNone) {
  const auto uid = Deliver();
  const std::vector<storage::schema::ReferenceRow> missing{Row(uid), Row({uid.value + 1})};
  EXPECT_EQ(ErrorOf(store->AddReferences(account, missing)), Errc::kNoSuchMessage);
  const std::vector<storage::schema::ReferenceRow> many(6, Row(uid));
  EXPECT_EQ(ErrorOf(store->AddReferences(account, many)), Errc::kLimit);
  auto nowhere = Row(uid);
  nowhere.folder = {99};
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {nowhere})), Errc::kNoSuchFolder);
  const std::vector<storage::schema::ReferenceRow> thousand(1000, Row(uid));
  EXPECT_EQ(ErrorOf(store->AddReferences(account, thousand)), Errc::kInvalidArgument);
  EXPECT_THAT(Ids(), IsEmpty());
  Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(5, Row(uid))));
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {Row(uid)})), Errc::kLimit);
  EXPECT_THAT(Ids(), ElementsAre(1, 2, 3, 4, 5));
}

TEST_P(ReferencesTest, ListsArePaged) {
  const auto uid = Deliver();
  Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(5, Row(uid))));
  const auto page = Must(store->ListReferences(account, 2, 2));
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page[0].id, 3U);
  EXPECT_EQ(page[1].id, 4U);
}

TEST_P(ReferencesTest, AFetchIsCountedUntilItIsOver) {
  const auto id = Add(Row(Deliver()));
  EXPECT_TRUE(Fetch({id}));
  store.clock.Advance(std::chrono::hours(1));
  EXPECT_TRUE(Fetch({id}));
  store.clock.Advance(std::chrono::seconds(1));
  EXPECT_FALSE(Fetch({id}));
  const auto found = Must(store->FindReference(account, id));
  EXPECT_EQ(found->fetches, 2U);
  EXPECT_EQ(found->last_fetch, kNow + kHour);
  EXPECT_FALSE(Fetch({id + 1}));
}

TEST_P(ReferencesTest, OneTimeIsOnce) {
  auto row = Row(Deliver());
  row.one_time = true;
  const auto id = Add(row);
  EXPECT_TRUE(Fetch({id}));
  store.Reopen();
  EXPECT_FALSE(Fetch({id}));
  EXPECT_TRUE(Must(store->FindReference(account, id))->Used());
}

TEST_P(ReferencesTest, SeveralAreFetchedTogetherOrNotAtAll) {
  auto row = Row(Deliver());
  const auto many_times = Add(row);
  row.one_time = true;
  const auto once = Add(row);
  const auto revoked = Add(row);
  Must(store->RevokeReference(account, revoked));
  const auto fetches = [&](std::uint64_t id) { return Must(store->FindReference(account, id))->fetches; };
  EXPECT_FALSE(Fetch({many_times, once, revoked}));
  EXPECT_FALSE(Fetch({once, 99}));
  EXPECT_EQ(fetches(many_times) + fetches(once), 0U);
  EXPECT_EQ(Must(store->NoteFetches(account, {revoked, many_times, once})), revoked) << "which is to blame";
  EXPECT_TRUE(Fetch({once, many_times, once, many_times}));
  EXPECT_EQ(fetches(many_times), 1U);
  EXPECT_EQ(fetches(once), 1U);
  EXPECT_FALSE(Fetch({many_times, once}));
  EXPECT_EQ(fetches(many_times), 1U);
  Must(store->TakeBackFetches(account, {once, once, many_times, 99}));
  store.Reopen();
  EXPECT_EQ(Must(store->FindReference(account, once))->last_fetch, 0);
  EXPECT_TRUE(Fetch({many_times, once}));
}

TEST_P(ReferencesTest, AnAccountThatIsOnItsWayOutHasNone) {
  const auto id = Add(Row(Deliver()));
  Must(store->DeleteAccount(account));
  EXPECT_EQ(ErrorOf(store->NoteFetches(account, {id})), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->TakeBackFetches(account, {id})), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->RevokeReference(account, id)), Errc::kNoSuchAccount);
  EXPECT_THAT(KeyedFolders(*store, account, "INBOX"), IsEmpty());
}

TEST_P(ReferencesTest, RevokedIsRevoked) {
  const auto id = Add(Row(Deliver()));
  Must(store->RevokeReference(account, id));
  store.clock.Advance(std::chrono::seconds(5));
  Must(store->RevokeReference(account, id));
  EXPECT_EQ(Must(store->FindReference(account, id))->revoked, kNow);
  EXPECT_FALSE(Fetch({id}));
  Must(store->RevokeReference(account, id + 1));
}

TEST_P(ReferencesTest, WhatIsRevokedMakesRoomAndIsKnownForADay) {
  const auto uid = Deliver();
  Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(5, Row(uid, kNow + kMonth))));
  Must(store->RevokeReference(account, 2));
  Must(store->RevokeReference(account, 2));
  EXPECT_EQ(Add(Row(uid, kNow + kMonth)), 6U);
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {Row(uid)})), Errc::kLimit);
  store.clock.Advance(std::chrono::seconds(storage::kReferenceMemory - 1));
  store->ReapDue();
  EXPECT_EQ(Must(store->FindReference(account, 2))->revoked, kNow);
  store.Reopen();  // found again at the start
  store.clock.Advance(std::chrono::seconds(1));
  store->ReapDue();
  EXPECT_THAT(Ids(), ElementsAre(1, 3, 4, 5, 6));
  // It is not counted out once more.
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {Row(uid)})), Errc::kLimit);
}

TEST_P(ReferencesTest, WhatIsUsedUpMakesRoomUnlessNothingCameOfIt) {
  const auto uid = Deliver();
  auto row = Row(uid, kNow + kMonth);
  row.one_time = true;
  Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(5, row)));
  EXPECT_TRUE(Fetch({1, 2}));
  Must(store->TakeBackFetches(account, {1}));
  EXPECT_EQ(Add(row), 6U);
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {row})), Errc::kLimit);
  // The place of this one is taken when it stands again: it stands all the same.
  EXPECT_TRUE(Fetch({3}));
  EXPECT_EQ(Add(row), 7U);
  Must(store->TakeBackFetches(account, {3}));
  EXPECT_TRUE(Fetch({3}));
  Must(store->RevokeReference(account, 3));
  Must(store->TakeBackFetches(account, {3}));
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {row})), Errc::kLimit);
  store.clock.Advance(std::chrono::seconds(storage::kReferenceMemory));
  store->ReapDue();
  EXPECT_THAT(Ids(), ElementsAre(1, 4, 5, 6, 7));
}

TEST_P(ReferencesTest, WhatIsResetMakesRoom) {
  auto options = Options();
  options.max_references = 700;
  store.Reopen(options);
  const auto uid = Deliver();
  const auto folder = Must(store->CreateFolder(account, "a", {})).ref;
  auto other = Row(Deliver("a"), kNow + kMonth);
  other.folder = folder.folder;
  const auto add = [&](const storage::schema::ReferenceRow& row, std::size_t times) {
    for (; times > 0; times -= 100)
      Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(100, row)));
  };
  const std::string key(storage::schema::kUrlKeyOctets, 'k');
  const auto counts = [&] {
    std::size_t out = 0;
    for (const auto& one : Must(store->ListReferences(account, 0, 2000))) out += one.over == 0 ? 1U : 0U;
    return out;
  };
  add(Row(uid, kNow + kMonth), 600);
  add(other, 100);
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {other})), Errc::kLimit);
  Must(store->ResetUrlKey(account, "INBOX", key));
  EXPECT_EQ(counts(), 100U);
  EXPECT_FALSE(Fetch({1}));
  EXPECT_TRUE(Fetch({601}));
  add(Row(uid, kNow + kMonth), 600);
  Must(store->ResetUrlKeys(account));
  EXPECT_EQ(counts(), 0U);
  store.clock.Advance(std::chrono::seconds(storage::kReferenceMemory));
  store->ReapDue();
  EXPECT_EQ(Rows(), 0U);
}

TEST_P(ReferencesTest, WhatHasExpiredMakesRoomWhenItIsRevoked) {
  const auto uid = Deliver();
  Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(5, Row(uid))));
  store.clock.Advance(std::chrono::hours(2));
  const auto later = Row(uid, kNow + kMonth);
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {later})), Errc::kLimit);
  Must(store->RevokeReference(account, 1));
  EXPECT_EQ(Add(later), 6U);
  // Known for a day from its time on, not for a day more.
  store.clock.Advance(std::chrono::seconds(storage::kReferenceMemory - kHour));
  store->ReapDue();
  EXPECT_THAT(Ids(), ElementsAre(6));
}

TEST_P(ReferencesTest, OfWhatIsRememberedTheOldestMakesRoom) {
  const auto uid = Deliver();
  const auto stays = Add(Row(uid, kNow + storage::kReferenceMemory));  // due as late as what is revoked now
  for (int i = 0; i < 30; ++i) {
    Must(store->RevokeReference(account, Add(Row(uid, kNow + kMonth))));
    EXPECT_LE(Rows(), 3U * 2 * 5);
    if (i == 20) store.clock.Advance(std::chrono::seconds(1));
  }
  EXPECT_THAT(Ids(), ElementsAre(stays, 23, 24, 25, 26, 27, 28, 29, 30, 31));
}

TEST_P(ReferencesTest, OfAFormerCmsdMakeRoomWhenTheyAreRevokedAgain) {
  const auto uid = Deliver();
  Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(5, Row(uid, kNow + kMonth))));
  auto row = Row(uid, kNow + kMonth);
  row.created = row.revoked = kNow;
  storage::kv::Batch batch;
  batch.Put(Table::kReferences, storage::schema::ReferenceKey{account, 2}.Encode(), row.Encode());
  Must(store.engine().Apply(batch, storage::kv::Durability::kNow));
  store.Reopen();
  EXPECT_FALSE(Fetch({2}));
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {Row(uid)})), Errc::kLimit);
  store.clock.Advance(std::chrono::seconds(5));
  Must(store->RevokeReference(account, 2));
  EXPECT_EQ(Must(store->FindReference(account, 2))->revoked, kNow);
  EXPECT_EQ(Add(row), 6U);
}

TEST_P(ReferencesTest, EndWithTheirMessage) {
  const auto first = Deliver();
  const auto second = Deliver();
  Add(Row(first));
  Add(Row(first));
  const auto stays = Add(Row(second));
  Expunge(inbox, first);
  EXPECT_THAT(Ids(), ElementsAre(stays));
  EXPECT_EQ(Rows(), 3U);
  EXPECT_FALSE(Must(store->IsThere(inbox, first)));
  EXPECT_TRUE(Must(store->IsThere(inbox, second)));
  // What goes away makes room, and ids are never given out again.
  EXPECT_EQ(Add(Row(second)), 4U);
}

TEST_P(ReferencesTest, EndWithAMoveAndStayWithACopy) {
  Must(store->CreateFolder(account, "a", {}));
  const auto uid = Deliver();
  const auto id = Add(Row(uid));
  Must(store->Copy(inbox, storage::UidSet(uid, uid), "a"));
  EXPECT_THAT(Ids(), ElementsAre(id));
  Must(store->Move(inbox, storage::UidSet(uid, uid), "a"));
  store->DrainJanitor();
  EXPECT_EQ(Rows(), 0U);
}

TEST_P(ReferencesTest, EndWithTheirFolderButNotWithItsName) {
  const auto folder = Must(store->CreateFolder(account, "a", {})).ref;
  auto row = Row(Deliver("a"));
  row.folder = folder.folder;
  const auto id = Add(row);
  Must(store->RenameFolder(account, "a", "b"));
  EXPECT_TRUE(Fetch({id}));
  EXPECT_TRUE(Must(store->IsThere(folder, row.uid)));
  Must(store->DeleteFolder(account, "b"));
  EXPECT_FALSE(Must(store->IsThere(folder, row.uid)));
  store->DrainJanitor();
  EXPECT_EQ(Rows(), 0U);
}

TEST_P(ReferencesTest, EndWithTheirAccount) {
  const auto uid = Deliver();
  Add(Row(uid));
  Must(store->DeleteAccount(account));
  EXPECT_FALSE(Must(store->FindReference(account, 1)));
  EXPECT_EQ(ErrorOf(store->ListReferences(account, 0, 9)), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->AddReferences(account, {Row(uid)})), Errc::kNoSuchAccount);
  store->DrainJanitor();
  std::size_t rows = 0;
  Must(store.engine().OpenView()->Scan(Table::kReferences, {}, {}, [&](auto, auto) { return ++rows > 0; }));
  EXPECT_EQ(rows, 0U);
}

TEST_P(ReferencesTest, TheReaperTakesThemADayAfterTheirTime) {
  const auto uid = Deliver();
  const auto soon = Add(Row(uid));
  const auto late = Add(Row(uid, kNow + 2 * kHour));
  store.clock.Advance(std::chrono::seconds(kHour + storage::kReferenceMemory - 1));
  store->ReapDue();
  EXPECT_THAT(Ids(), ElementsAre(soon, late));
  store.clock.Advance(std::chrono::seconds(1));
  store->ReapDue();
  EXPECT_THAT(Ids(), ElementsAre(late));
  store.Reopen();  // found again at the start
  store.clock.Advance(std::chrono::hours(1));
  store->ReapDue();
  EXPECT_EQ(Rows(), 0U);
}

TEST_P(ReferencesTest, ManyOfOneMessageGoInSlices) {
  auto options = Options();
  options.max_references = 10'000;
  store.Reopen(options);
  const auto uid = Deliver();
  const auto other = Deliver();
  for (int i = 0; i < 8; ++i)
    Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(100, Row(uid))));
  const auto stays = Add(Row(other));
  Expunge(inbox, uid);
  EXPECT_THAT(Ids(), ElementsAre(stays));
  for (int i = 0; i < 8; ++i)
    Must(store->AddReferences(account, std::vector<storage::schema::ReferenceRow>(100, Row(other))));
  store.clock.Advance(std::chrono::seconds(kHour + storage::kReferenceMemory));
  store->ReapDue();
  EXPECT_EQ(Rows(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Drivers, ReferencesTest, testing::Values(Driver::kMemory, Driver::kRocks),
                         [](const auto& info) {
                           return info.param == Driver::kMemory ? std::string("Memory")
                                                                : std::string("Rocks");
                         });

}  // namespace
}  // namespace tests
