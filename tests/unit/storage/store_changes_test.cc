// MailStore::ChangesSince: where an account has changed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/rows.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::FlagChange;
using protocol::SpecialUse;
using storage::AccountChanges;
using storage::Errc;
using storage::ModSeq;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class ChangesTest : public testing::Test {
 protected:
  AccountChanges Since(ModSeq since) { return Must(store->ChangesSince(account, since)); }
  ModSeq Now() { return Must(store->GetAccount(account)).modseq; }
  static std::vector<std::string> Paths(const AccountChanges& changes) {
    std::vector<std::string> paths;
    for (const auto& folder : changes.folders) paths.push_back(folder.path);
    return paths;
  }
  /// As one that was written before there were marks.
  void ForgetMarks() {
    const std::string key = storage::schema::AccountKey{account}.Encode();
    auto row = Must(storage::schema::AccountRow::Decode(
        Must(store.engine().Get(storage::kv::Table::kAccounts, key)).value()));
    row.marks.reset();
    storage::kv::Batch batch;
    batch.Put(storage::kv::Table::kAccounts, key, row.Encode());
    Must(store.engine().Apply(batch, storage::kv::Durability::kNow));
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
};

TEST_F(ChangesTest, NothingHasChangedSinceNow) {
  const auto changes = Since(Now());
  EXPECT_EQ(changes.modseq, Now());
  EXPECT_FALSE(changes.reset || changes.names || changes.annotations);
  EXPECT_THAT(changes.folders, IsEmpty());
}

TEST_F(ChangesTest, EverythingHasChangedSinceTheBeginning) {
  const auto changes = Since({0});
  EXPECT_TRUE(changes.names);
  EXPECT_FALSE(changes.reset || changes.annotations);
  EXPECT_THAT(Paths(changes), ElementsAre("INBOX"));
}

TEST_F(ChangesTest, FoldersWhoseMessagesChanged) {
  Must(store->CreateFolder(account, "a", SpecialUse::kNone));
  Must(store->CreateFolder(account, "b", SpecialUse::kNone));
  const auto inbox = Fill(*store, account, "INBOX", 3);
  const auto before = Now();
  Must(Append(*store, account, "a", {"x"}));
  const auto changes = Since(before);
  EXPECT_THAT(Paths(changes), ElementsAre("a"));
  EXPECT_EQ(changes.folders[0].messages, 1U);
  EXPECT_EQ(changes.folders[0].highest_modseq, changes.modseq);
  EXPECT_FALSE(changes.names || changes.annotations);

  const auto added = Now();
  Must(store->UpdateFlags(inbox, Uids({1}), {FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
  EXPECT_THAT(Paths(Since(added)), ElementsAre("INBOX"));
  const auto flagged = Now();
  Must(store->Expunge(inbox, std::nullopt));
  EXPECT_THAT(Paths(Since(flagged)), ElementsAre("INBOX"));
  const auto expunged = Now();
  Must(store->Move(inbox, Uids({2}), "b"));
  EXPECT_THAT(Paths(Since(expunged)), UnorderedElementsAre("INBOX", "b"));
}

TEST_F(ChangesTest, AChangeThatChangesNothingIsNone) {
  const auto inbox = Fill(*store, account, "INBOX", 1, {"\\Seen"});
  Must(store->Subscribe(account, "x"));
  const auto before = Now();
  Must(store->UpdateFlags(inbox, Uids({1}), {FlagChange::Op::kAdd, Flags({"\\Seen"})}));
  Must(store->Subscribe(account, "x"));
  Must(store->Unsubscribe(account, "y"));
  EXPECT_EQ(Now(), before);
}

TEST_F(ChangesTest, Names) {
  const auto changes_names = [&](const auto& change) {
    const auto before = Now();
    change();
    const auto changes = Since(before);
    EXPECT_GT(changes.modseq, before);
    EXPECT_FALSE(changes.annotations);
    return changes.names && !Since(changes.modseq).names;
  };
  EXPECT_TRUE(changes_names([&] { Must(store->CreateFolder(account, "a", SpecialUse::kNone)); }));
  EXPECT_TRUE(changes_names([&] { Must(store->RenameFolder(account, "a", "b")); }));
  EXPECT_TRUE(changes_names([&] { Must(store->Subscribe(account, "b")); }));
  EXPECT_TRUE(changes_names([&] { Must(store->Unsubscribe(account, "b")); }));
  EXPECT_TRUE(changes_names([&] { Must(store->DeleteFolder(account, "b")); }));
  EXPECT_TRUE(changes_names([&] { Must(store->RenameFolder(account, "INBOX", "old")); }));
  EXPECT_FALSE(changes_names([&] { Must(Append(*store, account, "old", {"x"})); }));
}

TEST_F(ChangesTest, Annotations) {
  const auto before = Now();
  Must(store->SetAnnotations(account, "INBOX", {{"/private/comment", "x"}}, account));
  const auto changes = Since(before);
  EXPECT_TRUE(changes.annotations);
  EXPECT_FALSE(changes.names);
  EXPECT_FALSE(Since(changes.modseq).annotations);
  Must(store->SetAnnotations(account, "", {{"/private/comment", "x"}}, account));
  EXPECT_TRUE(Since(changes.modseq).annotations);
}

TEST_F(ChangesTest, AModSeqFromTheFutureIsOfAnotherStore) {
  const auto changes = Since({Now().value + 1});
  EXPECT_TRUE(changes.reset);
  EXPECT_TRUE(changes.names);
  EXPECT_EQ(Paths(changes), Paths(Since({0})));
}

TEST_F(ChangesTest, AnOlderStoreDoesNotKnowSoItSaysTheyMayHaveChanged) {
  ForgetMarks();
  const auto before = Now();
  Must(Append(*store, account, "INBOX", {"x"}));
  EXPECT_TRUE(Since(before).names && Since(before).annotations);
  // From the first change on it knows of both.
  Must(store->Subscribe(account, "x"));
  const auto known = Now();
  Must(Append(*store, account, "INBOX", {"x"}));
  EXPECT_FALSE(Since(known).names || Since(known).annotations);
  EXPECT_TRUE(Since(before).names && Since(before).annotations);
}

TEST_F(ChangesTest, OfNoAccount) {
  EXPECT_EQ(ErrorOf(store->ChangesSince({99}, {0})), Errc::kNoSuchAccount);
  Must(store->DeleteAccount(account));
  EXPECT_EQ(ErrorOf(store->ChangesSince(account, {0})), Errc::kNoSuchAccount);
}

TEST_F(ChangesTest, WhoHearsThatAnAccountIsDeletedFindsItGone) {
  struct Looker : storage::ChangeListener {
    void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
      found = ErrorOf(store->ChangesSince(change->account, {0}));
    }
    storage::MailStore* store = nullptr;
    std::optional<Errc> found;
  } looker;
  looker.store = &*store;
  const auto subscription = store->feed().Subscribe(account, looker);
  Must(store->DeleteAccount(account));
  EXPECT_EQ(looker.found, Errc::kNoSuchAccount);
}

}  // namespace
}  // namespace tests
