#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/rows.h"
#include "storage/store/picture_cache.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::SpecialUse;
using storage::Errc;
using testing::ElementsAre;

class FoldersTest : public testing::Test {
 protected:
  void Create(std::string_view path, SpecialUse use = SpecialUse::kNone) {
    Must(store->CreateFolder(account, path, use));
  }
  /// In path order; a name that cannot be selected is in brackets.
  std::vector<std::string> Names() {
    std::vector<std::string> out;
    for (const auto& entry : Must(store->ListFolders(account)))
      out.push_back(entry.id.value == 0 ? "(" + entry.path + ")" : entry.path);
    return out;
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
};

TEST_F(FoldersTest, CreateMakesSuperiorsWithUidValiditiesOfTheirOwn) {
  Create("a/b/c", SpecialUse::kArchive);
  EXPECT_THAT(Names(), ElementsAre("INBOX", "a", "a/b", "a/b/c"));
  const auto a = Must(store->GetFolder(account, "a"));
  const auto c = Must(store->GetFolder(account, "a/b/c"));
  EXPECT_EQ(a.use, SpecialUse::kNone);
  EXPECT_EQ(c.use, SpecialUse::kArchive);
  EXPECT_LT(a.uid_validity, c.uid_validity);
  EXPECT_EQ(c.uid_next.value, 1U);
  EXPECT_EQ(Must(store->GetAccount(account)).folders, 4U);
}

TEST_F(FoldersTest, ListHasInferiorsRightAfterTheirFolder) {
  for (const auto* path : {"a b", "a-b", "a", "a/z", "a/b", "aa"}) Create(path);
  EXPECT_THAT(Names(), ElementsAre("INBOX", "a", "a/b", "a/z", "a b", "a-b", "aa"));
}

TEST_F(FoldersTest, CreateRefusesWhatIsThere) {
  Create("a");
  EXPECT_EQ(ErrorOf(store->CreateFolder(account, "a", SpecialUse::kNone)), Errc::kFolderExists);
  EXPECT_EQ(ErrorOf(store->CreateFolder(account, "INBOX", SpecialUse::kNone)), Errc::kFolderExists);
}

TEST_F(FoldersTest, MalformedNamesAreRefused) {
  const std::vector<std::pair<std::string, Errc>> cases{
      {"", Errc::kNotAllowed},      {"/", Errc::kNotAllowed},     {"/a", Errc::kNotAllowed},
      {"a/", Errc::kNotAllowed},    {"a//b", Errc::kNotAllowed},  {"a\x01", Errc::kNotAllowed},
      {"a\x7f", Errc::kNotAllowed}, {"a\xff", Errc::kNotAllowed}, {std::string(256, 'a'), Errc::kLimit},
  };
  for (const auto& [path, code] : cases) {
    EXPECT_EQ(ErrorOf(store->CreateFolder(account, path, SpecialUse::kNone)), code) << path;
    EXPECT_EQ(ErrorOf(store->RenameFolder(account, "INBOX", path)), code) << path;
    EXPECT_EQ(ErrorOf(store->Subscribe(account, path)), code) << path;
  }
  Create(std::string(255, 'a'));
  std::string longest;
  for (int i = 0; i < 4; ++i) longest += std::string(249, 'b') + "/";
  Create(longest.substr(0, 999));
  EXPECT_EQ(ErrorOf(store->CreateFolder(account, longest + "b" + "b", SpecialUse::kNone)), Errc::kLimit);
}

TEST_F(FoldersTest, FolderWithInferiorsStaysAsAName) {
  Create("a/b");
  Fill(*store, account, "a", 3);
  const auto old = Must(store->GetFolder(account, "a"));
  Must(store->DeleteFolder(account, "a"));
  EXPECT_THAT(Names(), ElementsAre("INBOX", "(a)", "a/b"));
  EXPECT_EQ(ErrorOf(store->GetFolder(account, "a")), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->GetFolder(old.ref)), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(Append(*store, account, "a", {"x"})), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->DeleteFolder(account, "a")), Errc::kFolderHasChildren);
  EXPECT_EQ(Must(store->GetAccount(account)).used_messages, 0U);

  Create("a");
  const auto fresh = Must(store->GetFolder(account, "a"));
  EXPECT_NE(fresh.ref, old.ref);
  EXPECT_GT(fresh.uid_validity, old.uid_validity);
  EXPECT_EQ(fresh.messages, 0U);
}

TEST_F(FoldersTest, NamesWithoutFolderGoWithTheirLastInferior) {
  Create("a/b/c");
  Must(store->DeleteFolder(account, "a/b"));
  Must(store->DeleteFolder(account, "a"));
  EXPECT_THAT(Names(), ElementsAre("INBOX", "(a)", "(a/b)", "a/b/c"));
  Must(store->DeleteFolder(account, "a/b/c"));
  EXPECT_THAT(Names(), ElementsAre("INBOX"));
}

TEST_F(FoldersTest, DeleteRefusesInboxAndWhatIsNotThere) {
  EXPECT_EQ(ErrorOf(store->DeleteFolder(account, "INBOX")), Errc::kNotAllowed);
  EXPECT_EQ(ErrorOf(store->DeleteFolder(account, "a")), Errc::kNoSuchFolder);
}

TEST_F(FoldersTest, ControlCharacterIsNotTakenForTheDelimiter) {
  Create("a/b");
  Must(store->DeleteFolder(account, "a"));
  Must(store->Subscribe(account, "a/b"));
  const std::string odd =
      "a\x01"
      "b";
  EXPECT_EQ(ErrorOf(store->GetFolder(account, odd)), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->DeleteFolder(account, odd)), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, odd, "c")), Errc::kNoSuchFolder);
  Must(store->Unsubscribe(account, odd));
  EXPECT_THAT(Names(), ElementsAre("INBOX", "(a)", "a/b"));
  EXPECT_THAT(Must(store->ListSubscriptions(account)), ElementsAre("a/b"));
}

TEST_F(FoldersTest, RenameTakesInferiorsAndKeepsWhatTheyAre) {
  Create("a/b/c", SpecialUse::kJunk);
  Create("a c");
  Fill(*store, account, "a/b", 2);
  const auto before = Must(store->GetFolder(account, "a/b"));
  Must(store->RenameFolder(account, "a", "x/y"));
  EXPECT_THAT(Names(), ElementsAre("INBOX", "a c", "x", "x/y", "x/y/b", "x/y/b/c"));
  const auto after = Must(store->GetFolder(account, "x/y/b"));
  EXPECT_EQ(after.ref, before.ref);
  EXPECT_EQ(after.path, "x/y/b");
  EXPECT_EQ(after.uid_validity, before.uid_validity);
  EXPECT_EQ(after.messages, 2U);
  EXPECT_EQ(Must(store->GetFolder(account, "x/y/b/c")).use, SpecialUse::kJunk);
}

TEST_F(FoldersTest, RenameRefusals) {
  Create("a/b");
  Create("c");
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "z", "y")), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "a", "c")), Errc::kFolderExists);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "a", "a")), Errc::kFolderExists);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "a", "a/b/c")), Errc::kNotAllowed);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "a", "INBOX")), Errc::kFolderExists);
  // The inferior's name would be too long: then nothing is renamed.
  Create("a/" + std::string(250, 'x') + "/" + std::string(250, 'x') + "/" + std::string(250, 'x'));
  const auto names = Names();
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "a", "n/" + std::string(250, 'y'))), Errc::kLimit);
  EXPECT_EQ(Names(), names);
}

TEST_F(FoldersTest, RenamePrunesNamesLeftBehind) {
  Create("a/b");
  Must(store->DeleteFolder(account, "a"));
  Must(store->RenameFolder(account, "a/b", "c"));
  EXPECT_THAT(Names(), ElementsAre("INBOX", "c"));
}

TEST_F(FoldersTest, RenamingInboxMovesItsMessagesAndLeavesIt) {
  Create("INBOX/below");
  const auto inbox = Fill(*store, account, "INBOX", 3, {"\\Seen", "$k"});
  Must(store->RenameFolder(account, "INBOX", "old/mail"));
  EXPECT_THAT(Names(), ElementsAre("INBOX", "INBOX/below", "old", "old/mail"));
  EXPECT_EQ(Must(store->GetFolder(account, "INBOX")).ref, inbox);
  EXPECT_EQ(Must(store->GetFolder(account, "INBOX")).messages, 0U);
  EXPECT_EQ(Must(store->GetFolder(account, "INBOX")).uid_next.value, 4U);
  const auto moved = Must(store->GetFolder(account, "old/mail"));
  EXPECT_EQ(OctetsOf(*store, moved.ref).at(2), MessageOctets(1, 60));
  EXPECT_EQ(FlagsOf(*store, moved.ref).at(3), (std::set<std::string>{"$k", "\\seen"}));
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "INBOX", "old")), Errc::kFolderExists);
  Must(store->RenameFolder(account, "INBOX", "empty"));
  EXPECT_EQ(Must(store->GetFolder(account, "empty")).messages, 0U);
}

TEST_F(FoldersTest, RenamingInboxIsOneChange) {
  for (const std::uint32_t count : {3U, 250U}) {  // within one commit, written ahead
    SCOPED_TRACE(count);
    const std::string to = "old/" + std::to_string(count);
    Fill(*store, account, "INBOX", count);
    const auto before = Must(store->GetAccount(account));
    Must(store->RenameFolder(account, "INBOX", to));
    const auto moved = Must(store->GetFolder(account, to));
    EXPECT_EQ(moved.messages, count);
    EXPECT_EQ(OctetsOf(*store, moved.ref).size(), count);
    const auto after = Must(store->GetAccount(account));
    EXPECT_EQ(after.modseq.value, before.modseq.value + 1);
    EXPECT_EQ(after.used_octets, before.used_octets);
    EXPECT_EQ(Must(store->GetFolder(account, "INBOX")).messages, 0U);
    store.Reopen();
  }
}

TEST(FolderLimitTest, CountsSuperiorsAndRefusesTheWhole) {
  auto options = PlainMail();
  options.max_folders = 4;
  TempStore store(Driver::kMemory, options);
  const auto account = CreateAccount(*store);
  EXPECT_EQ(ErrorOf(store->CreateFolder(account, "a/b/c/d", SpecialUse::kNone)), Errc::kLimit);
  EXPECT_EQ(Must(store->ListFolders(account)).size(), 1U);
  Must(store->CreateFolder(account, "a/b/c", SpecialUse::kNone));
  EXPECT_EQ(ErrorOf(store->CreateFolder(account, "e", SpecialUse::kNone)), Errc::kLimit);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "a/b/c", "e/f")), Errc::kLimit);
  Must(store->RenameFolder(account, "a/b/c", "e"));
}

TEST_F(FoldersTest, SubscriptionsAreNamesThatNeedNotExist) {
  Must(store->Subscribe(account, "b/c"));
  Must(store->Subscribe(account, "a"));
  Must(store->Subscribe(account, "a"));
  EXPECT_THAT(Must(store->ListSubscriptions(account)), ElementsAre("a", "b/c"));
  Create("a");
  Must(store->RenameFolder(account, "a", "z"));
  Must(store->DeleteFolder(account, "z"));
  EXPECT_THAT(Must(store->ListSubscriptions(account)), ElementsAre("a", "b/c"));
  Must(store->Unsubscribe(account, "a"));
  Must(store->Unsubscribe(account, "a"));
  EXPECT_THAT(Must(store->ListSubscriptions(account)), ElementsAre("b/c"));
}

TEST(SubscriptionTest, AreCountedFromTheFirstChangeOn) {
  auto options = PlainMail();
  options.max_folders = 3;
  TempStore store(Driver::kMemory, options);
  const auto account = Must(store->CreateAccount({.address = "tel:+1", .folders = {{"Sent"}, {"Trash"}}}));
  const auto count = [&] {
    const auto row = Must(
        store.engine().Get(storage::kv::Table::kAccounts, storage::schema::AccountKey{account}.Encode()));
    return Must(storage::schema::AccountRow::Decode(row.value())).subscriptions;
  };
  // As in a row of version 1: there are two.
  EXPECT_EQ(count(), std::nullopt);
  Must(store->Subscribe(account, "Sent"));
  EXPECT_EQ(count(), std::nullopt);
  Must(store->Subscribe(account, "a"));
  EXPECT_EQ(count(), 3U);
  EXPECT_EQ(ErrorOf(store->Subscribe(account, "b")), Errc::kLimit);
  Must(store->Unsubscribe(account, "b"));
  Must(store->Unsubscribe(account, "Sent"));
  EXPECT_EQ(count(), 2U);
  Must(store->Subscribe(account, "b"));
  EXPECT_EQ(count(), 3U);
}

TEST_F(FoldersTest, SubscriptionsAreBounded) {
  auto options = PlainMail();
  options.max_folders = 2;
  TempStore store(Driver::kMemory, options);
  const auto account = CreateAccount(*store);
  Must(store->Subscribe(account, "a"));
  Must(store->Subscribe(account, "b"));
  Must(store->Subscribe(account, "b"));
  EXPECT_EQ(ErrorOf(store->Subscribe(account, "c")), Errc::kLimit);
  Must(store->Unsubscribe(account, "a"));
  Must(store->Subscribe(account, "c"));
}

TEST_F(FoldersTest, RecentIsToldOnce) {
  const auto inbox = Fill(*store, account, "INBOX", 3);
  EXPECT_EQ(Must(store->GetFolder(inbox, {.recent = true})).recent, 3U);
  EXPECT_EQ(Must(store->OpenFolder(inbox, /*claim_recent=*/false)).recent_from.value, 1U);
  EXPECT_EQ(Must(store->OpenFolder(inbox, /*claim_recent=*/true)).status.recent, 3U);
  const auto second = Must(store->OpenFolder(inbox, /*claim_recent=*/true));
  EXPECT_EQ(second.status.recent, 0U);
  EXPECT_EQ(second.recent_from.value, 4U);
  Fill(*store, account, "INBOX", 2);
  EXPECT_EQ(Must(store->GetFolder(inbox, {.recent = true})).recent, 2U);
  Must(store->UpdateFlags(inbox, Uids({4}), {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
  Must(store->Expunge(inbox, std::nullopt));
  EXPECT_EQ(Must(store->GetFolder(inbox, {.recent = true})).recent, 1U);
  EXPECT_EQ(Must(store->OpenFolder(inbox, /*claim_recent=*/true)).recent_from.value, 4U);
}

TEST_F(FoldersTest, ALargeFolderIsOpenedAsItIsNowHoweverOftenItWasBefore) {
  const std::uint32_t n = storage::PictureCache::kWorthKeeping + 1;
  const auto inbox = Fill(*store, account, "INBOX", n);
  const auto open = [&] { return Must(store->OpenFolder(inbox, /*claim_recent=*/false)); };
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(open().uids, UidRange(1, n));
    EXPECT_EQ(open().first_unseen, storage::Uid{1});
  }
  Must(store->UpdateFlags(inbox, UidRange(1, 600),
                          {protocol::FlagChange::Op::kAdd, Flags({"\\Seen", "\\Deleted"})}));
  EXPECT_EQ(open().first_unseen, storage::Uid{601});
  Fill(*store, account, "INBOX", 5);
  EXPECT_EQ(open().uids, UidRange(1, n + 5));
  Must(store->Expunge(inbox, UidRange(1, 3)));
  EXPECT_EQ(open().uids, UidRange(4, n + 5));
  Must(store->UpdateFlags(inbox, UidRange(601, 601), {protocol::FlagChange::Op::kAdd, Flags({"\\Seen"})}));
  EXPECT_EQ(open().first_unseen, storage::Uid{602});
  EXPECT_EQ(open().first_unseen, storage::Uid{602});
}

TEST_F(FoldersTest, OpenFolderSaysWhatSelectNeeds) {
  const auto inbox = Fill(*store, account, "INBOX", 1030, {"\\Seen"});
  Must(store->UpdateFlags(inbox, Uids({600, 1000}), {protocol::FlagChange::Op::kRemove, Flags({"\\Seen"})}));
  Must(store->UpdateFlags(inbox, UidRange(2, 513),
                          {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted", "$k"})}));
  Must(store->Expunge(inbox, std::nullopt));
  const auto opened = Must(store->OpenFolder(inbox, /*claim_recent=*/false));
  EXPECT_EQ(opened.uids.ToString(), "1,514:1030");
  EXPECT_EQ(opened.first_unseen, storage::Uid{600});
  EXPECT_EQ(opened.status.messages, 518U);
  EXPECT_EQ(opened.status.unseen, 2U);
  EXPECT_THAT(*opened.keywords, ElementsAre("$k"));
  EXPECT_EQ(opened.status.highest_modseq, Must(store->GetAccount(account)).modseq);
}

TEST_F(FoldersTest, DeletedFolderIsFreed) {
  Create("a");
  Fill(*store, account, "a", 1200);
  Must(Append(*store, account, "a", {MessageOctets(7, 700'000)}));
  Must(store->DeleteFolder(account, "a"));
  store->DrainJanitor();
  for (const auto table :
       {storage::kv::Table::kMessages, storage::kv::Table::kBodies, storage::kv::Table::kTexts,
        storage::kv::Table::kStates, storage::kv::Table::kIds, storage::kv::Table::kIntents}) {
    int rows = 0;
    Must(store.engine().OpenView()->Scan(table, {}, {}, [&](auto, auto) { return ++rows != 0; }));
    EXPECT_EQ(rows, 0) << storage::kv::Name(table);
  }
}

}  // namespace
}  // namespace tests
