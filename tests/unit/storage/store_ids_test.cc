#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tests
