#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/bytes.h"
#include "storage/store/core.h"
#include "storage/store/id_lookup.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using storage::FolderId;
using storage::FolderRef;
using storage::FoundMessage;
using storage::IdKind;
using storage::Uid;
using testing::ElementsAre;
using testing::IsEmpty;

class IdsTest : public testing::Test {
 protected:
  void Put(std::string_view folder, const std::string& header, const std::vector<std::string>& flags = {}) {
    Must(Append(*store, account, folder, {header + "\r\n\r\ntext\r\n"}, flags));
  }
  std::vector<std::uint32_t> InInbox(IdKind kind, std::string_view value) {
    std::vector<std::uint32_t> uids;
    const auto found = Must(Must(store->Read(inbox)).FindById(kind, value));
    for (const auto& range : found.ranges()) {
      for (auto uid = range.first.value; uid <= range.last.value; ++uid) uids.push_back(uid);
    }
    return uids;
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
  FolderRef inbox = Must(store->GetFolder(account, "INBOX")).ref;
};

TEST_F(IdsTest, EachKindIsFoundByItsField) {
  const std::vector<std::pair<std::string, IdKind>> kinds{
      {"Conversation-ID", IdKind::kConversation},
      {"Contribution-ID", IdKind::kContribution},
      {"InReplyTo-Contribution-ID", IdKind::kInReplyToContribution},
      {"IMDN-Message-ID", IdKind::kImdnMessage},
      {"Message-ID", IdKind::kMessage},
      {"Message-Correlator", IdKind::kCorrelator}};
  for (const auto& [field, kind] : kinds) Put("INBOX", field + ": one");
  std::uint32_t uid = 0;
  for (const auto& [field, kind] : kinds) {
    EXPECT_EQ(storage::IdKindOf(field), kind) << field;
    EXPECT_THAT(InInbox(kind, "one"), ElementsAre(++uid)) << field;
  }
  EXPECT_EQ(storage::IdKindOf("contribution-id"), IdKind::kContribution);
  EXPECT_EQ(storage::IdKindOf("Subject"), std::nullopt);
  EXPECT_EQ(storage::IdKindOf(""), std::nullopt);
}

TEST_F(IdsTest, TheWholeValueMustBeTheSame) {
  Put("INBOX", "Contribution-ID: abc");
  Put("INBOX", "Contribution-ID: abcd");
  Put("INBOX", "Contribution-ID: ABC");
  EXPECT_THAT(InInbox(IdKind::kContribution, "abc"), ElementsAre(1));
  EXPECT_THAT(InInbox(IdKind::kContribution, "ab"), IsEmpty());
  EXPECT_THAT(InInbox(IdKind::kContribution, ""), IsEmpty());
  EXPECT_THAT(InInbox(IdKind::kConversation, "abc"), IsEmpty());
}

TEST_F(IdsTest, AMessageIdIsTheSameWithAndWithoutBrackets) {
  Put("INBOX", "Message-ID: <a@b>");
  Put("INBOX", "Message-ID: a@b");
  EXPECT_THAT(InInbox(IdKind::kMessage, "a@b"), ElementsAre(1, 2));
  EXPECT_THAT(InInbox(IdKind::kMessage, "<a@b>"), ElementsAre(1, 2));
  EXPECT_THAT(InInbox(IdKind::kMessage, "<>"), IsEmpty());
  EXPECT_THAT(InInbox(IdKind::kImdnMessage, "a@b"), IsEmpty());
}

TEST_F(IdsTest, LongValuesAreComparedBeyondWhereTheIndexCutsThem) {
  const std::string stem(storage::schema::IdKey::kMaxValue, 'x');
  Put("INBOX", "Contribution-ID: " + stem);
  Put("INBOX", "Contribution-ID: " + stem + "1");
  Put("INBOX", "Contribution-ID: " + stem + "2");
  // In the index the three values are one.
  EXPECT_THAT(InInbox(IdKind::kContribution, stem + "1"), ElementsAre(2));
  EXPECT_THAT(InInbox(IdKind::kContribution, stem + "3"), IsEmpty());
  EXPECT_THAT(InInbox(IdKind::kContribution, stem), ElementsAre(1));
}

TEST_F(IdsTest, WhatIsTooLongIsNotToBeLookedFor) {
  const auto kind = IdKind::kContribution;
  EXPECT_TRUE(storage::IsIndexed(kind, std::string(512, 'x')));
  EXPECT_FALSE(storage::IsIndexed(kind, std::string(513, 'x')));
  EXPECT_FALSE(storage::IsIndexed(kind, std::string("a\0b", 3)));
  EXPECT_FALSE(storage::IsIndexed(kind, ""));
  // A message may have it in brackets, which makes it longer.
  EXPECT_TRUE(storage::IsIndexed(IdKind::kMessage, std::string(510, 'x')));
  EXPECT_FALSE(storage::IsIndexed(IdKind::kMessage, std::string(511, 'x')));
  EXPECT_TRUE(storage::IsIndexable(std::string(640, 'x')));
  EXPECT_FALSE(storage::IsIndexable(std::string(641, 'x')));
  for (const std::size_t size : {510U, 512U, 640U}) {
    const std::string value(size, 'y');
    Put("INBOX", "Contribution-ID: " + value);
    EXPECT_EQ(InInbox(kind, value).size(), 1U) << size;
  }
  Put("INBOX", "Contribution-ID: " + std::string(641, 'y'));
  EXPECT_THAT(InInbox(kind, std::string(641, 'y')), IsEmpty());
}

TEST_F(IdsTest, OnlyMessagesThatAreThereAreFound) {
  Must(store->CreateFolder(account, "a", {}));
  Put("a", "Contribution-ID: c");
  Put("INBOX", "Contribution-ID: c", {"\\Deleted"});
  Put("INBOX", "Contribution-ID: c");
  const FolderId a = Must(store->GetFolder(account, "a")).ref.folder;
  EXPECT_THAT(Must(store->FindById(account, IdKind::kContribution, "c")),
              ElementsAre(FoundMessage{inbox.folder, Uid{1}}, FoundMessage{inbox.folder, Uid{2}},
                          FoundMessage{a, Uid{1}}));
  Must(store->Expunge(inbox, {}));
  Must(store->DeleteFolder(account, "a"));
  EXPECT_THAT(Must(store->FindById(account, IdKind::kContribution, "c")),
              ElementsAre(FoundMessage{inbox.folder, Uid{2}}));
  store->DrainJanitor();
  EXPECT_THAT(Must(store->FindById(account, IdKind::kContribution, "c")),
              ElementsAre(FoundMessage{inbox.folder, Uid{2}}));
  const auto other = CreateAccount(*store, "tel:+2");
  EXPECT_THAT(Must(store->FindById(other, IdKind::kContribution, "c")), IsEmpty());
  Must(store->DeleteAccount(other));
  EXPECT_EQ(ErrorOf(store->FindById(other, IdKind::kContribution, "c")), storage::Errc::kNoSuchAccount);
}

TEST_F(IdsTest, ATransactionSeesItsOwnChange) {
  Put("INBOX", "IMDN-Message-ID: i");
  std::int64_t now = 0;
  storage::AccountTxn::Commit commit;
  storage::AccountTxn txn(store.engine(), account, now, commit);
  EXPECT_THAT(Must(storage::FindById(txn, IdKind::kImdnMessage, "i")),
              ElementsAre(FoundMessage{inbox.folder, Uid{1}}));
  EXPECT_THAT(Must(storage::FindById(txn, IdKind::kImdnMessage, "j")), IsEmpty());
  txn.Erase(storage::kv::Table::kIds,
            storage::schema::IdKey{account, IdKind::kImdnMessage, "i", inbox.folder, Uid{1}}.Encode());
  EXPECT_THAT(Must(storage::FindById(txn, IdKind::kImdnMessage, "i")), IsEmpty());
}

constexpr std::string_view kPhoto = "Content-Type: image/png\r\n\r\npng\r\n";
constexpr std::string_view kMail =
    "From: a@b\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\nSubject: a\r\n\r\ntext\r\n";

class KindsTest : public IdsTest {
 protected:
  std::vector<FoundMessage> Of(protocol::ObjectKind kind, FoundMessage from = {},
                               std::optional<FolderId> only = std::nullopt, std::size_t most = 100) {
    return Must(store->FindByKind(account, kind, from, only, most));
  }
  std::vector<FoundMessage> Photos() { return Of(protocol::ObjectKind::kMedia); }
};

TEST_F(KindsTest, ObjectsOfAKindAreFoundInAllFoldersOrInOne) {
  Must(store->CreateFolder(account, "Photos", protocol::SpecialUse::kNone));
  const FolderId photos = Must(store->GetFolder(account, "Photos")).ref.folder;
  Must(Append(*store, account, "INBOX", {std::string(kPhoto), std::string(kMail), std::string(kPhoto)}));
  Must(Append(*store, account, "Photos", {std::string(kPhoto)}));
  EXPECT_THAT(Photos(), ElementsAre(FoundMessage{inbox.folder, {1}}, FoundMessage{inbox.folder, {3}},
                                    FoundMessage{photos, {1}}));
  EXPECT_THAT(Of(protocol::ObjectKind::kMedia, {}, photos), ElementsAre(FoundMessage{photos, {1}}));
  EXPECT_THAT(Of(protocol::ObjectKind::kMedia, {inbox.folder, {2}}),
              ElementsAre(FoundMessage{inbox.folder, {3}}, FoundMessage{photos, {1}}));
  EXPECT_THAT(Of(protocol::ObjectKind::kMedia, {photos, {2}}, inbox.folder), IsEmpty()) << "past its end";
  EXPECT_THAT(Of(protocol::ObjectKind::kMedia, {}, std::nullopt, 1),
              ElementsAre(FoundMessage{inbox.folder, {1}}));
  EXPECT_THAT(Of(protocol::ObjectKind::kStandaloneMessage), ElementsAre(FoundMessage{inbox.folder, {2}}));
  EXPECT_THAT(Of(protocol::ObjectKind::kImdn), IsEmpty());
}

TEST_F(KindsTest, CopiesMovesAndExpungesAreFollowed) {
  Must(store->CreateFolder(account, "Photos", protocol::SpecialUse::kNone));
  const FolderId photos = Must(store->GetFolder(account, "Photos")).ref.folder;
  Must(Append(*store, account, "INBOX", {std::string(kPhoto), std::string(kPhoto)}));
  Must(store->Copy(inbox, {Uid{1}, Uid{1}}, "Photos"));
  EXPECT_THAT(Photos(), ElementsAre(FoundMessage{inbox.folder, {1}}, FoundMessage{inbox.folder, {2}},
                                    FoundMessage{photos, {1}}));
  Must(store->Move(inbox, {Uid{2}, Uid{2}}, "Photos"));
  EXPECT_THAT(Photos(), ElementsAre(FoundMessage{inbox.folder, {1}}, FoundMessage{photos, {1}},
                                    FoundMessage{photos, {2}}));
  Must(store->DeleteFolder(account, "Photos"));
  EXPECT_THAT(Photos(), ElementsAre(FoundMessage{inbox.folder, {1}}));
}

TEST_F(KindsTest, AStoreOfFormatTwoIsIndexedWhenItIsOpened) {
  Must(Append(*store, account, "INBOX", std::vector<std::string>(3, std::string(kPhoto))));
  const auto before = Photos();
  ASSERT_EQ(before.size(), 3U);
  storage::kv::Batch batch;
  for (const FoundMessage& one : before)
    batch.Erase(
        storage::kv::Table::kIds,
        storage::schema::IdKey::OfKind(account, protocol::ObjectKind::kMedia, one.folder, one.uid).Encode());
  batch.Put(storage::kv::Table::kMeta, "format", storage::schema::Writer().U32(2).Take());
  Must(store.engine().Apply(batch, storage::kv::Durability::kNow));
  EXPECT_THAT(Photos(), IsEmpty());
  Must(storage::MailStore::Open(store.engine(), PlainMail()));
  EXPECT_EQ(Photos(), before);
}

}  // namespace
}  // namespace tests
