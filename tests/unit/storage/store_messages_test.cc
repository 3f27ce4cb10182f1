#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/check/fsck.h"
#include "storage/schema/keys.h"
#include "storage/store/rights.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::FlagChange;
using protocol::SpecialUse;
using storage::Errc;
using storage::FolderRef;
using storage::MessageState;
using storage::ModSeq;
using storage::Uid;
using storage::kv::Table;
using testing::ElementsAre;
using testing::IsEmpty;

class MessagesTest : public testing::Test {
 protected:
  int RowsIn(Table table) {
    int rows = 0;
    Must(store.engine().OpenView()->Scan(table, {}, {}, [&](auto, auto) { return ++rows != 0; }));
    return rows;
  }
  ModSeq Highest() { return Must(store->GetFolder(inbox)).highest_modseq; }
  storage::StoreResult Store(const storage::UidSet& uids, FlagChange::Op op,
                             const std::vector<std::string>& flags) {
    return Must(store->UpdateFlags(inbox, uids, {op, Flags(flags)}));
  }

  /// Of UID 1 in the inbox.
  storage::ObjectId FirstObject() {
    storage::ObjectId object;
    Must(Must(store->Read(inbox)).Rows(Uids({1}), [&](Uid, const storage::MessageRow& row) {
      object = row.object;
      return true;
    }));
    return object;
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
  FolderRef inbox = Must(store->GetFolder(account, "INBOX")).ref;
};

TEST_F(MessagesTest, ARowThatDeniesNulIsChecked) {
  Must(Append(*store, account, "INBOX", {"A: b\r\n\r\nc"}));
  const std::string key = storage::schema::ChunkKey{account, FirstObject(), 0}.Encode();
  const auto put = [&](std::string_view octets) {
    storage::kv::Batch batch;
    batch.Put(Table::kBodies, key, octets);
    Must(store.engine().Apply(batch, storage::kv::Durability::kNow));
    return Must(storage::check::Fsck(store.engine())).violations;
  };
  const auto violations = put(std::string_view("A: b\r\n\r\n\0", 9));
  ASSERT_EQ(violations.size(), 1U);
  EXPECT_EQ(violations[0].invariant, 12);
  EXPECT_TRUE(put("A: b\r\n\r\nc").empty());
}

TEST_F(MessagesTest, AppendKeepsOctetsFlagsAndDates) {
  std::vector<storage::NewMessage> messages;
  messages.push_back(NewMessage(*store, account, "a", {"\\Seen", "$K"}, protocol::InternalDate{1000, -60}));
  messages.push_back(NewMessage(*store, account, MessageOctets(1, 500)));
  const auto done = Must(store->Append(account, "INBOX", std::move(messages)));
  EXPECT_EQ(done.folder, inbox);
  EXPECT_EQ(done.uids.ToString(), "1:2");
  EXPECT_EQ(done.uid_validity, Must(store->GetFolder(inbox)).uid_validity);
  EXPECT_THAT(OctetsOf(*store, inbox), ElementsAre(std::pair(1U, "a"), std::pair(2U, MessageOctets(1, 500))));
  EXPECT_EQ(FlagsOf(*store, inbox).at(1), (std::set<std::string>{"\\seen", "$k"}));
  EXPECT_THAT(FlagsOf(*store, inbox).at(2), IsEmpty());
  const auto reader = Must(store->Read(inbox));
  Must(reader.Rows(UidRange(1, 2), [&](Uid uid, const storage::MessageRow& row) {
    EXPECT_EQ(row.internal_date, uid.value == 1 ? (protocol::InternalDate{1000, -60})
                                                : (protocol::InternalDate{1'700'000'000, 0}));
    EXPECT_EQ(row.save_date, 1'700'000'000);
    EXPECT_EQ(row.size, uid.value == 1 ? 1U : 500U);
    EXPECT_NE(row.object.value, 0U);
    return true;
  }));
  EXPECT_EQ(Must(store->GetAccount(account)).used_octets, 501U);
  EXPECT_EQ(Must(store->GetAccount(account)).used_messages, 2U);
}

TEST_F(MessagesTest, AppendOfNothingIsRefused) {
  EXPECT_EQ(ErrorOf(store->Append(account, "INBOX", {})), Errc::kInvalidArgument);
}

TEST_F(MessagesTest, EmptyMessageIsKept) {
  Must(Append(*store, account, "INBOX", {""}));
  EXPECT_EQ(OctetsOf(*store, inbox).at(1), "");
}

TEST_F(MessagesTest, AppendIsAllOrNone) {
  Must(store->SetQuota(account, {.messages = 2}));
  EXPECT_EQ(ErrorOf(Append(*store, account, "INBOX", {"a", "b", "c"})), Errc::kOverQuota);
  EXPECT_EQ(Must(store->GetFolder(inbox)).uid_next.value, 1U);
  Must(Append(*store, account, "INBOX", {"a", "b"}));
  EXPECT_EQ(ErrorOf(Append(*store, account, "INBOX", {"c"})), Errc::kOverQuota);
  Must(store->SetQuota(account, {.octets = 3}));
  EXPECT_EQ(ErrorOf(Append(*store, account, "INBOX", {"cd"})), Errc::kOverQuota);
  Must(Append(*store, account, "INBOX", {"c"}));
  EXPECT_EQ(ErrorOf(Append(*store, account, "nowhere", {"a"})), Errc::kNoSuchFolder);
}

TEST_F(MessagesTest, WhatIsAppendedOnceIsFoundByWhoAsksAgain) {
  const auto append = [&](std::string_view folder, const std::string& octets, storage::Actor actor = {}) {
    auto body = Must(store->Stage(account));
    Must(body.Write(octets));
    return store->AppendOnce(account, folder, {std::move(body), {}, {}}, std::move(actor));
  };
  const std::string message = "IMDN-Message-ID: m1\r\n\r\n" + std::string(600'000, 'x');
  const auto first = Must(append("INBOX", message));
  EXPECT_TRUE(first.created);
  const auto again = Must(append("INBOX", message));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.uids, first.uids);
  EXPECT_EQ(again.uid_validity, first.uid_validity);
  EXPECT_EQ(again.folder, first.folder);
  EXPECT_EQ(Must(store->GetAccount(account)).used_messages, 1U);

  // One octet more or another one makes another message; so do another folder, and nothing to know it by.
  EXPECT_TRUE(Must(append("INBOX", message + "y")).created);
  std::string other = message;
  other.back() = 'y';
  EXPECT_TRUE(Must(append("INBOX", other)).created);
  EXPECT_FALSE(Must(append("INBOX", other)).created);
  EXPECT_FALSE(Must(append("INBOX", message)).created);
  Must(store->CreateFolder(account, "other", {}));
  EXPECT_TRUE(Must(append("other", message)).created);
  EXPECT_TRUE(Must(append("INBOX", "Subject: s\r\n\r\n")).created);
  EXPECT_TRUE(Must(append("INBOX", "Subject: s\r\n\r\n")).created);
  EXPECT_EQ(Must(store->GetAccount(account)).used_messages, 6U);

  // Gone, it comes anew; who may not put anything there does not hear that it is there.
  Store(first.uids, FlagChange::Op::kAdd, {"\\Deleted"});
  Must(store->Expunge(first.folder, first.uids));
  const auto anew = Must(append("INBOX", message));
  EXPECT_TRUE(anew.created);
  EXPECT_NE(anew.uids, first.uids);
  const storage::Actor guest({}, std::make_shared<storage::Principal>(storage::AccountId{99}, "tel:+99",
                                                                      std::vector<std::string>()));
  EXPECT_EQ(ErrorOf(append("INBOX", message, guest)), Errc::kNoSuchFolder);
}

TEST_F(MessagesTest, OfManyWhoAppendTheSameOnceOneMakesIt) {
  const std::string message = "IMDN-Message-ID: m1\r\n\r\n" + std::string(600'000, 'x');
  std::atomic<int> created = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      auto body = Must(store->Stage(account));
      Must(body.Write(message));
      if (Must(store->AppendOnce(account, "INBOX", {std::move(body), {}, {}})).created) ++created;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(Must(store->GetFolder(inbox)).messages, 1U);
}

TEST_F(MessagesTest, KeywordTableHolds64) {
  for (int i = 0; i < 64; ++i) Must(Append(*store, account, "INBOX", {"m"}, {"k" + std::to_string(i)}));
  EXPECT_EQ(ErrorOf(Append(*store, account, "INBOX", {"m"}, {"k64"})), Errc::kTooManyKeywords);
  EXPECT_EQ(ErrorOf(store->UpdateFlags(inbox, Uids({1}), {FlagChange::Op::kAdd, Flags({"k64"})})),
            Errc::kTooManyKeywords);
  Must(Append(*store, account, "INBOX", {"m"}, {"K63"}));
  EXPECT_EQ(FlagsOf(*store, inbox).at(65), (std::set<std::string>{"k63"}));
  // What nobody has can always be taken away.
  EXPECT_THAT(Store(UidRange(1, 65), FlagChange::Op::kRemove, {"k64"}).changed, IsEmpty());
}

TEST_F(MessagesTest, BigBodiesAreWholeAtEveryChunkBoundary) {
  constexpr std::size_t kChunk = storage::StagedBody::kChunk;
  std::uint32_t uid = 0;
  for (const std::size_t size :
       {kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 2 * kChunk + 1, 5 * kChunk + 17}) {
    const std::string octets = MessageOctets(uid, size);
    auto body = Must(store->Stage(account));
    // In pieces that do not divide a chunk, as they come from a socket.
    for (std::size_t at = 0; at < size; at += 100'003)
      Must(body.Write(std::string_view(octets).substr(at, 100'003)));
    EXPECT_EQ(body.size(), size);
    std::vector<storage::NewMessage> messages;
    messages.push_back({std::move(body), {}, {}});
    Must(store->Append(account, "INBOX", std::move(messages)));
    EXPECT_EQ(OctetsOf(*store, inbox).at(++uid), octets) << size;
  }
  store->DrainJanitor();
  EXPECT_EQ(RowsIn(Table::kIntents), 0);
}

TEST_F(MessagesTest, ManyMessagesTooBigForOneCommitAreWrittenBefore) {
  std::vector<std::string> bodies;
  for (std::uint32_t i = 0; i < 30; ++i) bodies.push_back(MessageOctets(i, 250'000));
  Must(Append(*store, account, "INBOX", bodies));
  const auto octets = OctetsOf(*store, inbox);
  for (std::uint32_t i = 0; i < 30; ++i) EXPECT_EQ(octets.at(i + 1), bodies[i]);
}

TEST_F(MessagesTest, StagedOctetsThatNobodyTakesAreFreed) {
  {
    const auto dropped = NewMessage(*store, account, std::string(900'000, 'x'));
  }
  store->DrainJanitor();
  EXPECT_EQ(RowsIn(Table::kBodies) + RowsIn(Table::kIntents), 0);
  EXPECT_EQ(ErrorOf(Append(*store, account, "nowhere", {std::string(900'000, 'x')})), Errc::kNoSuchFolder);
  store->DrainJanitor();
  EXPECT_EQ(RowsIn(Table::kBodies) + RowsIn(Table::kIntents), 0);
}

TEST_F(MessagesTest, StagedOctetsOfACrashAreFreedAtTheNextStart) {
  auto body = std::make_unique<storage::StagedBody>(Must(store->Stage(account)));
  Must(body->Write(std::string(900'000, 'x')));
  EXPECT_GT(RowsIn(Table::kBodies), 0);
  // A second store on the same engine is what the next start is.
  auto next = Must(storage::MailStore::Open(store.engine(), {}));
  next->DrainJanitor();
  EXPECT_EQ(RowsIn(Table::kBodies) + RowsIn(Table::kIntents), 0);
}

TEST(MessageLimitTest, BodyOverTheLimitIsRefusedAndStaysUsable) {
  TempStore store(Driver::kMemory, {.max_message_octets = 10});
  const auto account = CreateAccount(*store);
  auto body = Must(store->Stage(account));
  Must(body.Write("12345678"));
  EXPECT_EQ(ErrorOf(body.Write("abc")), Errc::kTooBig);
  Must(body.Write("90"));
  EXPECT_EQ(body.size(), 10U);
}

TEST_F(MessagesTest, IdsAreIndexedAndGoWithTheMessage) {
  const std::string octets =
      "Message-ID: <m@x>\r\nConversation-ID: conv\r\nContribution-ID: contrib\r\n\r\nhello\r\n";
  Must(Append(*store, account, "INBOX", {octets, octets}, {"\\Deleted"}));
  using storage::schema::IdKey;
  using storage::schema::IdKind;
  const auto found = [&](IdKind kind, std::string_view value) {
    std::vector<std::uint32_t> uids;
    const std::string prefix = IdKey::Prefix(account, kind, value);
    Must(store.engine().OpenView()->Scan(Table::kIds, prefix, storage::kv::PrefixEnd(prefix),
                                         [&](std::string_view key, std::string_view) {
                                           uids.push_back(Must(IdKey::Decode(key)).uid.value);
                                           return true;
                                         }));
    return uids;
  };
  EXPECT_THAT(found(IdKind::kMessage, "<m@x>"), ElementsAre(1, 2));
  EXPECT_THAT(found(IdKind::kConversation, "conv"), ElementsAre(1, 2));
  EXPECT_THAT(found(IdKind::kContribution, "contrib"), ElementsAre(1, 2));
  Must(store->Expunge(inbox, Uids({1})));
  store->DrainJanitor();
  EXPECT_THAT(found(IdKind::kMessage, "<m@x>"), ElementsAre(2));
}

TEST_F(MessagesTest, FlagsAreReplacedAddedAndRemoved) {
  Fill(*store, account, "INBOX", 3, {"\\Seen", "$a"});
  struct Case {
    FlagChange::Op op;
    std::vector<std::string> flags;
    std::set<std::string> expected;
  };
  for (const auto& c : std::vector<Case>{
           {FlagChange::Op::kAdd, {"\\Flagged", "$B"}, {"\\seen", "\\flagged", "$a", "$b"}},
           {FlagChange::Op::kRemove, {"\\Seen", "$A"}, {"\\flagged", "$b"}},
           {FlagChange::Op::kReplace, {"\\read-report-sent"}, {"\\read-report-sent"}},
           {FlagChange::Op::kReplace, {}, {}},
       }) {
    const auto before = Highest();
    const auto done = Store(Uids({2, 3, 9}), c.op, c.flags);
    ASSERT_EQ(done.changed.size(), 2U);
    EXPECT_EQ(done.changed[0].uid.value, 2U);
    EXPECT_EQ(FlagNames(done.changed[0].flags, *done.keywords), c.expected);
    EXPECT_EQ(done.changed[0].modseq.value, before.value + 1);
    EXPECT_EQ(FlagsOf(*store, inbox).at(2), c.expected);
    EXPECT_EQ(FlagsOf(*store, inbox).at(1), (std::set<std::string>{"\\seen", "$a"}));
  }
}

TEST_F(MessagesTest, NoOpHasNoModSeq) {
  Fill(*store, account, "INBOX", 2, {"\\Seen", "$a"});
  const auto before = Highest();
  EXPECT_THAT(Store(Uids({1, 2}), FlagChange::Op::kAdd, {"\\Seen", "$A"}).changed, IsEmpty());
  EXPECT_THAT(Store(Uids({1}), FlagChange::Op::kRemove, {"\\Deleted"}).changed, IsEmpty());
  EXPECT_THAT(Store(Uids({1}), FlagChange::Op::kReplace, {"$a", "\\Seen"}).changed, IsEmpty());
  EXPECT_THAT(Store(Uids({7}), FlagChange::Op::kAdd, {"$new"}).changed, IsEmpty());
  EXPECT_EQ(Highest(), before);
  EXPECT_EQ(Must(store->GetAccount(account)).modseq, before);
  EXPECT_THAT(*Must(store->Read(inbox)).keywords(), ElementsAre("$a"));
}

TEST_F(MessagesTest, RemovingAnUnknownKeywordDoesNotMakeItKnown) {
  Fill(*store, account, "INBOX", 1, {"\\Seen"});
  EXPECT_EQ(Store(Uids({1}), FlagChange::Op::kRemove, {"\\Seen", "$unknown"}).changed.size(), 1U);
  EXPECT_THAT(*Must(store->Read(inbox)).keywords(), IsEmpty());
}

TEST_F(MessagesTest, ExpungeTakesOnlyTheDeletedAmongThoseNamed) {
  Fill(*store, account, "INBOX", 6);
  Store(UidRange(2, 5), FlagChange::Op::kAdd, {"\\Deleted"});
  EXPECT_EQ(Must(store->Expunge(inbox, Uids({1, 2, 9}))).ToString(), "2");
  EXPECT_EQ(Must(store->GetFolder(inbox)).deleted, 3U);
  const auto before = Highest();
  EXPECT_EQ(Must(store->Expunge(inbox, std::nullopt)).ToString(), "3:5");
  EXPECT_EQ(Highest().value, before.value + 1);
  EXPECT_TRUE(Must(store->Expunge(inbox, std::nullopt)).empty());
  EXPECT_EQ(Highest().value, before.value + 1);
  EXPECT_EQ(Must(store->GetFolder(inbox)).messages, 2U);
  EXPECT_EQ(Must(store->GetFolder(inbox)).uid_next.value, 7U);
  store->DrainJanitor();
  EXPECT_EQ(RowsIn(Table::kMessages), 2);
  EXPECT_EQ(RowsIn(Table::kVanished), 2);
  EXPECT_EQ(RowsIn(Table::kIntents), 0);
}

TEST_F(MessagesTest, UidsAreNotReusedWhenTheLastMessageGoes) {
  Fill(*store, account, "INBOX", 2, {"\\Deleted"});
  Must(store->Expunge(inbox, std::nullopt));
  EXPECT_EQ(Must(Append(*store, account, "INBOX", {"x"})).uids.ToString(), "3");
}

TEST_F(MessagesTest, StatesAreThoseChangedSince) {
  Fill(*store, account, "INBOX", 1500);
  const auto since = Highest();
  Store(Uids({3, 700, 1400}), FlagChange::Op::kAdd, {"\\Seen"});
  const auto later = Highest();
  Store(Uids({700}), FlagChange::Op::kAdd, {"\\Flagged"});
  const auto states = [&](const storage::UidSet& uids, ModSeq modseq) {
    std::vector<std::uint32_t> out;
    Must(Must(store->Read(inbox))
             .States(uids, [&](const MessageState& state) { out.push_back(state.uid.value); }, modseq));
    return out;
  };
  EXPECT_THAT(states(UidRange(1, 0xffffffff), since), ElementsAre(3, 700, 1400));
  EXPECT_THAT(states(UidRange(1, 0xffffffff), later), ElementsAre(700));
  EXPECT_THAT(states(UidRange(1, 0xffffffff), Highest()), IsEmpty());
  EXPECT_THAT(states(Uids({3, 4, 1400, 1501}), since), ElementsAre(3, 1400));
  EXPECT_THAT(states(Uids({1, 2, 511, 512, 1024, 1500, 9000}), {}), ElementsAre(1, 2, 511, 512, 1024, 1500));
  EXPECT_THAT(states({}, {}), IsEmpty());
}

TEST_F(MessagesTest, RowsAreThoseOfPresentMessagesUntilTheVisitorStops) {
  Fill(*store, account, "INBOX", 10, {"\\Deleted"});
  // Expunged rows are there until the janitor comes; the view of before shows them all the same.
  const auto before = Must(store->Read(inbox));
  Must(store->Expunge(inbox, UidRange(3, 6)));
  const auto rows = [&](const storage::FolderReader& reader, const storage::UidSet& uids, std::size_t limit) {
    std::vector<std::uint32_t> out;
    Must(reader.Rows(uids, [&](Uid uid, const storage::MessageRow&) {
      out.push_back(uid.value);
      return out.size() < limit;
    }));
    return out;
  };
  const auto after = Must(store->Read(inbox));
  EXPECT_THAT(rows(after, UidRange(1, 100), 99), ElementsAre(1, 2, 7, 8, 9, 10));
  EXPECT_THAT(rows(after, Uids({2, 3, 9}), 99), ElementsAre(2, 9));
  EXPECT_THAT(rows(after, UidRange(1, 100), 3), ElementsAre(1, 2, 7));
  EXPECT_EQ(rows(before, UidRange(1, 100), 99).size(), 10U);
}

TEST_F(MessagesTest, OctetsAreAnyStretchAcrossChunks) {
  constexpr std::uint64_t kChunk = storage::StagedBody::kChunk;
  const std::string octets = MessageOctets(5, 3 * kChunk + 100);
  Must(Append(*store, account, "INBOX", {octets}));
  const auto reader = Must(store->Read(inbox));
  const auto object = FirstObject();
  for (const std::uint64_t offset :
       {std::uint64_t{0}, std::uint64_t{1}, kChunk - 1, kChunk, kChunk + 1, 3 * kChunk, 3 * kChunk + 99}) {
    for (const std::uint64_t length :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, kChunk, kChunk + 1, 4 * kChunk}) {
      EXPECT_EQ(Must(reader.Octets(object, offset, length)), octets.substr(offset, length))
          << offset << " " << length;
    }
  }
  EXPECT_EQ(ErrorOf(reader.Octets(storage::ObjectId{object.value + 1000}, 0, 1)), Errc::kNoSuchMessage);
  const auto source = reader.Body(object, octets.size());
  std::string all(octets.size(), '\0');
  for (std::size_t n = 0; n < all.size();) {
    const auto got =
        source->Read(n, std::span(all).subspan(n, std::min<std::size_t>(70'000, all.size() - n)));
    ASSERT_GT(got, 0);
    n += static_cast<std::size_t>(got);
  }
  EXPECT_EQ(all, octets);
  EXPECT_EQ(source->Read(octets.size(), std::span(all)), 0);
}

TEST_F(MessagesTest, AChunkIsSharedAndReadAgain) {
  constexpr std::uint64_t kChunk = storage::StagedBody::kChunk;
  const std::string octets = MessageOctets(6, 2 * kChunk + 100);
  Must(Append(*store, account, "INBOX", {octets}));
  const auto reader = Must(store->Read(inbox));
  const auto object = FirstObject();
  const auto source = reader.Body(object, octets.size());
  protocol::mime::Octets given("what it held");
  const auto give = [&](std::uint64_t offset, std::size_t most) {
    const auto got = source->Share(offset, most, given);
    EXPECT_EQ(got, static_cast<std::int64_t>(given.size()));
    return given.view();
  };
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(give(0, kChunk), octets.substr(0, kChunk));
    EXPECT_EQ(give(10, 5), octets.substr(10, 5));
    EXPECT_EQ(give(10, kChunk), octets.substr(10, kChunk - 10));  // to the end of the chunk
    EXPECT_EQ(give(kChunk, 3 * kChunk), octets.substr(kChunk, kChunk));
    EXPECT_EQ(give(2 * kChunk, kChunk), octets.substr(2 * kChunk));
    EXPECT_EQ(give(octets.size(), 1), "");
    EXPECT_EQ(give(0, 0), "");
  }
  EXPECT_LT(reader.Body(storage::ObjectId{object.value + 1000}, 10)->Share(0, 10, given), 0);
}

TEST_F(MessagesTest, ABodyThatIsOpenOutlivesItsMessage) {
  constexpr std::uint64_t kChunk = storage::StagedBody::kChunk;
  const std::string octets = MessageOctets(5, 3 * kChunk);
  Must(Append(*store, account, "INBOX", {octets}));
  const auto object = FirstObject();
  const auto source = store->OpenBody(account, object, octets.size());
  Store(Uids({1}), FlagChange::Op::kAdd, {"\\Deleted"});
  Must(store->Expunge(inbox, std::nullopt));
  store->DrainJanitor();
  ASSERT_EQ(RowsIn(Table::kBodies), 0);
  std::string last(kChunk, '\0');
  ASSERT_EQ(source->Read(2 * kChunk, std::span(last)), static_cast<std::int64_t>(kChunk));
  EXPECT_EQ(last, octets.substr(2 * kChunk));
}

TEST_F(MessagesTest, TextIsDecodedAndFolded) {
  Must(Append(*store, account, "INBOX", {"Subject: Hello\r\n\r\nSome TEXT\r\n"}));
  const auto reader = Must(store->Read(inbox));
  const auto object = FirstObject();
  std::string header;
  std::string body;
  EXPECT_TRUE(Must(reader.Text(object, [&](const storage::MessageText& text) {
    header = text.header;
    body = text.body;
  })));
  EXPECT_THAT(protocol::ascii::Lower(header), testing::HasSubstr("subject: hello"));
  EXPECT_THAT(protocol::ascii::Lower(body), testing::HasSubstr("some text"));
  EXPECT_FALSE(Must(reader.Text(storage::ObjectId{object.value + 1000}, [](const auto&) {})));
}

TEST(AppendTest, SealedBodiesAreAppendedAsTheyAre) {
  TempStore store;
  const auto account = CreateAccount(*store);
  std::vector<storage::NewMessage> messages;
  std::vector<std::string> bodies;
  for (const std::size_t size : {std::size_t{100}, storage::StagedBody::kChunk, std::size_t{300'000}}) {
    bodies.push_back(MessageOctets(7, size));
    messages.push_back(NewMessage(*store, account, bodies.back()));
    Must(messages.back().body.Seal());
    EXPECT_EQ(messages.back().body.in_memory(), 0U);
  }
  EXPECT_EQ(ErrorOf(messages[0].body.Write("x")), storage::Errc::kInvalidArgument);
  const auto done = Must(store->Append(account, "INBOX", std::move(messages)));
  const auto octets = OctetsOf(*store, done.folder);
  for (std::uint32_t uid = 1; uid <= 3; ++uid) EXPECT_EQ(octets.at(uid), bodies[uid - 1]);
}

TEST(AppendTest, RoomIsWhatTheQuotaLeaves) {
  TempStore store;
  const auto account = CreateAccount(*store);
  Must(store->SetQuota(account, {.octets = 1000, .messages = 3}));
  Must(Append(*store, account, "INBOX", {MessageOctets(1, 400)}));
  EXPECT_EQ(ErrorOf(store->CheckRoom(account, 600, 2)), std::nullopt);
  EXPECT_EQ(ErrorOf(store->CheckRoom(account, 601, 1)), storage::Errc::kOverQuota);
  EXPECT_EQ(ErrorOf(store->CheckRoom(account, 1, 3)), storage::Errc::kOverQuota);
  EXPECT_EQ(ErrorOf(store->CheckRoom(account, ~std::uint64_t{0}, 1)), storage::Errc::kOverQuota);
}

}  // namespace
}  // namespace tests
