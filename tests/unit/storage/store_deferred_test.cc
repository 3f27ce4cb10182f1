// Deferred messages (spec note 6), retention and the grace of \Deleted: deferred.h, reaper.h.
#include <gmock/gmock.h>

#include "storage/schema/rows.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using namespace std::chrono_literals;
using storage::Actor;
using storage::Errc;
using storage::Origin;
using storage::Role;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;

const Actor kOwner{Origin{1}, Role::kUser};
const Actor kNetwork{Origin{2}, Role::kPf};
constexpr std::int64_t kNow = 1'700'000'000;

storage::UidSet All() { return UidRange(1, 0xffffffff); }

class Listener final : public storage::ChangeListener {
 public:
  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
    changes.push_back(change);
  }
  std::vector<std::shared_ptr<const storage::Change>> changes;
};

class DeferredTest : public testing::TestWithParam<Driver> {
 protected:
  explicit DeferredTest(storage::StoreOptions options = PlainMail())
      : store(GetParam(), std::move(options)) {}

  storage::Result<storage::AppendResult> Deliver(std::int64_t expiry, Actor actor = kNetwork,
                                                 const std::vector<std::string>& flags = {},
                                                 std::string_view path = "INBOX") {
    std::vector<storage::NewMessage> messages;
    messages.push_back(NewMessage(*store, account, MessageOctets(++delivered, 90), flags));
    messages.back().expiry = expiry;
    return store->Append(account, path, std::move(messages), actor);
  }
  storage::Result<storage::AppendResult> DeliverWith(std::string_view header, Actor actor) {
    std::vector<storage::NewMessage> messages;
    messages.push_back(NewMessage(*store, account, std::string(header) + "\r\nSubject: s\r\n\r\ntext\r\n"));
    return store->Append(account, "INBOX", std::move(messages), actor);
  }
  /// The time passes, and what is due goes.
  void Pass(std::chrono::seconds time) {
    store.clock.Advance(time);
    store->ReapDue();
  }
  auto Flags() { return FlagsOf(*store, inbox); }
  auto Store(storage::UidSet uids, protocol::FlagChange::Op op, const std::vector<std::string>& flags,
             Actor actor = kOwner) {
    return Must(store->UpdateFlags(inbox, uids, {op, tests::Flags(flags)}, actor));
  }
  std::size_t ExpiryRows() {
    std::size_t rows = 0;
    Must(store.engine().OpenView()->Scan(storage::kv::Table::kExpiries, {}, {}, [&](auto, auto) {
      ++rows;
      return true;
    }));
    return rows;
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
  storage::FolderRef inbox = Must(store->GetFolder(account, "INBOX")).ref;
  std::uint32_t delivered = 0;
};

using Op = protocol::FlagChange::Op;

TEST_P(DeferredTest, ExpiresAtItsTimeAsANormalExpunge) {
  Must(Deliver(kNow + 100));
  Must(Deliver(kNow + 200));
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, ElementsAre("$deferred")), Pair(2, ElementsAre("$deferred"))));
  const auto before = Must(store->GetFolder(inbox));
  Listener listener;
  const auto subscription = store->feed().Subscribe(account, listener);
  Pass(99s);
  EXPECT_EQ(Must(store->GetFolder(inbox)).messages, 2U);
  Pass(1s);
  EXPECT_THAT(Flags(), ElementsAre(Key(2)));
  EXPECT_GT(Must(store->GetFolder(inbox)).highest_modseq, before.highest_modseq);
  ASSERT_EQ(listener.changes.size(), 1U);
  EXPECT_EQ(std::get<storage::MessagesExpunged>(listener.changes[0]->what).uids, Uids({1}));
  Pass(100s);
  EXPECT_THAT(Flags(), IsEmpty());
  EXPECT_EQ(Must(store->GetAccount(account)).used_messages, 0U);
  EXPECT_EQ(ExpiryRows(), 0U);
}

TEST_P(DeferredTest, ExpiryIsFoundAgainAfterARestart) {
  Must(Deliver(kNow + 100));
  Must(Deliver(0, kOwner));
  store.Reopen();
  Pass(99s);
  EXPECT_EQ(Flags().size(), 2U);
  store.Reopen();
  Pass(1s);
  EXPECT_THAT(Flags(), ElementsAre(Key(2)));
  // What fell due while the store was closed goes at once.
  Must(Deliver(kNow + 200));
  store.clock.Advance(1000s);
  store.Reopen();
  store->ReapDue();
  EXPECT_THAT(Flags(), ElementsAre(Key(2)));
}

TEST_P(DeferredTest, AccessThatIsCommittedFirstWins) {
  Must(Deliver(kNow + 100));
  Must(Deliver(kNow + 100));
  Listener listener;
  const auto subscription = store->feed().Subscribe(account, listener);
  store.clock.Advance(100s);  // it is due, but the reaper has not looked yet
  Must(store->NoteAccess(inbox, Uids({1}), kOwner));
  store->ReapDue();
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, IsEmpty())));
  ASSERT_EQ(listener.changes.size(), 2U);
  const auto& told = std::get<storage::FlagsChanged>(listener.changes[0]->what);
  ASSERT_EQ(told.states.size(), 1U);
  EXPECT_EQ(told.states[0].modseq, listener.changes[0]->modseq);
  EXPECT_EQ(listener.changes[0]->origin, Origin{}) << "the session that accessed it is told as well";
}

TEST_P(DeferredTest, ExpiryThatIsCommittedFirstWins) {
  Must(Deliver(kNow + 100));
  Pass(100s);
  Must(store->NoteAccess(inbox, Uids({1}), kOwner));
  EXPECT_TRUE(Store(Uids({1}), Op::kAdd, {"\\Seen"}).changed.empty());
  EXPECT_THAT(Flags(), IsEmpty());
}

TEST_P(DeferredTest, OnlyTheOwnerAccesses) {
  Must(Deliver(kNow + 100));
  Must(store->NoteAccess(inbox, All(), kNetwork));
  Store(All(), Op::kAdd, {"\\Seen"}, kNetwork);
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, ElementsAre("$deferred", "\\seen"))));
  Pass(100s);
  EXPECT_THAT(Flags(), IsEmpty());
}

TEST_P(DeferredTest, FlagsThatAreAccess) {
  for (const auto* flag : {"\\Seen", "\\Answered", "$Forwarded", "$Archived", "\\Archived"}) {
    const auto uids = Must(Deliver(kNow + 100)).uids;
    const auto done = Store(uids, Op::kAdd, {flag});
    ASSERT_EQ(done.changed.size(), 1U) << flag;
    const auto names = FlagNames(done.changed[0].flags, *done.keywords);
    ASSERT_EQ(names.size(), 1U) << flag;
    EXPECT_TRUE(protocol::SameKeyword(*names.begin(), flag)) << flag;
  }
  for (const auto* flag : {"\\Flagged", "\\Deleted", "$MDNSent"}) {
    const auto uids = Must(Deliver(kNow + 100)).uids;
    Store(uids, Op::kAdd, {flag});
    Store(uids, Op::kReplace, {flag});
    EXPECT_THAT(Flags()[uids.front().value], ElementsAre("$deferred", protocol::ascii::Lower(flag)));
  }
  Pass(100s);
  EXPECT_THAT(Flags(), ElementsAre(Key(1), Key(2), Key(3), Key(4), Key(5)));
}

TEST_P(DeferredTest, TheKeywordIsTheStoresToSet) {
  Must(Append(*store, account, "INBOX", {"\r\n"}, {"$Deferred", "$Other"}));
  Store(Uids({1}), Op::kAdd, {"$deferred"});
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, ElementsAre("$other"))));
  Must(Deliver(kNow + 100));
  EXPECT_EQ(Store(Uids({1, 2}), Op::kAdd, {"$Deferred"}).changed.size(), 0U);
  Store(Uids({2}), Op::kReplace, {});
  EXPECT_THAT(Flags()[2], ElementsAre("$deferred"));
  Store(Uids({2}), Op::kRemove, {"$Deferred"});  // to take it away is to keep the message
  Pass(100s);
  EXPECT_THAT(Flags(), ElementsAre(Key(1), Pair(2, IsEmpty())));
}

TEST_P(DeferredTest, CopyByTheOwnerKeepsBoth) {
  Must(store->CreateFolder(account, "Kept", {}));
  Must(Deliver(kNow + 100));
  Must(Deliver(kNow + 100));
  Must(store->Copy(inbox, Uids({1}), "Kept", kOwner));
  Must(store->Move(inbox, Uids({2}), "Kept", kOwner));
  Pass(100s);
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, IsEmpty())));
  EXPECT_THAT(FlagsOf(*store, Must(store->GetFolder(account, "Kept")).ref),
              ElementsAre(Pair(1, IsEmpty()), Pair(2, IsEmpty())));
}

TEST_P(DeferredTest, CopyIntoItsOwnFolder) {
  Must(Deliver(kNow + 100));
  Must(store->Copy(inbox, Uids({1}), "INBOX", kOwner));
  Pass(100s);
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, IsEmpty()), Pair(2, IsEmpty())));
}

TEST_P(DeferredTest, CopyByTheNetworkStaysTemporaryHoweverMany) {
  Must(store->CreateFolder(account, "Other", {}));
  for (int i = 0; i < 120; ++i) Must(Deliver(kNow + 100));
  Must(store->NoteAccess(inbox, Uids({5}), kOwner));
  Must(store->Copy(inbox, All(), "Other", kNetwork));
  TempStore::ExpectSound(store.engine(), /*default_folder=*/false);
  Pass(100s);
  EXPECT_THAT(Flags(), ElementsAre(Key(5)));
  EXPECT_THAT(FlagsOf(*store, Must(store->GetFolder(account, "Other")).ref), ElementsAre(Key(5)));
}

TEST_P(DeferredTest, MovedFolderKeepsItsMessages) {
  Must(store->CreateFolder(account, "A/B", {}));
  const auto folder = Must(store->GetFolder(account, "A/B")).ref;
  Must(Deliver(kNow + 100, kNetwork, {}, "A/B"));
  Must(store->RenameFolder(account, "A", "C", kOwner));
  Pass(100s);
  EXPECT_THAT(FlagsOf(*store, folder), ElementsAre(Pair(1, IsEmpty())));
}

TEST_P(DeferredTest, DeletedFolderAndAccountTakeTheirExpiriesAlong) {
  Must(store->CreateFolder(account, "Gone", {}));
  Must(Deliver(kNow + 100, kNetwork, {}, "Gone"));
  Must(store->DeleteFolder(account, "Gone"));
  store->DrainJanitor();
  EXPECT_EQ(ExpiryRows(), 0U);
  Must(Deliver(kNow + 100));
  Must(store->DeleteAccount(account));
  Pass(100s);
  store->DrainJanitor();
  EXPECT_EQ(ExpiryRows(), 0U);
}

TEST_P(DeferredTest, ArchivedOnDeliveryIsPermanent) {
  Must(Deliver(kNow + 100, kNetwork, {"$Archived"}));
  Pass(100s);
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, ElementsAre("$archived"))));
}

TEST_P(DeferredTest, ExpiresHeaderIsTheNetworksAlone) {
  constexpr auto kSoon = "Expires: Tue, 14 Nov 2023 22:15:00 +0000";  // in 100 seconds
  Must(DeliverWith(kSoon, kOwner));
  Must(DeliverWith(kSoon, kNetwork));
  Must(DeliverWith(kSoon, Actor{Origin{}, Role::kOperator}));
  EXPECT_THAT(Flags(), ElementsAre(Pair(1, IsEmpty()), Pair(2, ElementsAre("$deferred")),
                                   Pair(3, ElementsAre("$deferred"))));
  Pass(100s);
  EXPECT_THAT(Flags(), ElementsAre(Key(1)));
}

TEST_P(DeferredTest, AbsurdExpiriesAreRefused) {
  for (const auto* header :
       {"Expires: Tue, 14 Nov 2023 22:13:20 +0000", "Expires: Mon, 1 Jan 1990 00:00:00 +0000",
        "Expires: Fri, 31 Dec 9999 23:59:59 +0000", "Expires: Thu, 14 Dec 2023 22:13:21 +0000",
        "Expires: soon"}) {
    const auto refused = DeliverWith(header, kNetwork);
    EXPECT_EQ(ErrorOf(refused), Errc::kNotAllowed) << header;
    if (!refused) EXPECT_THAT(refused.error().detail, testing::HasSubstr("Expires"));
  }
  EXPECT_THAT(Flags(), IsEmpty());
  Must(DeliverWith("Expires: Thu, 14 Dec 2023 22:13:20 +0000", kNetwork));  // 30 days
}

TEST_P(DeferredTest, ManyDueAtOnceInManyFolders) {
  Must(store->CreateFolder(account, "Other", {}));
  for (int i = 0; i < 7; ++i) {
    std::vector<storage::NewMessage> messages;
    for (int j = 0; j < 100; ++j) {
      messages.push_back(NewMessage(*store, account, "\r\n"));
      messages.back().expiry = kNow + 10 + j % 3;
    }
    Must(store->Append(account, i % 2 ? "INBOX" : "Other", std::move(messages), kNetwork));
  }
  Must(Deliver(kNow + 500));
  Pass(20s);
  EXPECT_EQ(Flags().size(), 1U);
  EXPECT_EQ(Must(store->GetAccount(account)).used_messages, 1U);
}

INSTANTIATE_TEST_SUITE_P(Drivers, DeferredTest, testing::Values(Driver::kMemory, Driver::kRocks));

storage::StoreOptions WithGrace() {
  storage::StoreOptions options = PlainMail();
  options.profile.deleted_grace = 60;
  return options;
}

class DeletedGraceTest : public DeferredTest {
 protected:
  DeletedGraceTest() : DeferredTest(WithGrace()) {}
};

TEST_P(DeletedGraceTest, DeletedMessagesGoWhenTheGraceIsOver) {
  Fill(*store, account, "INBOX", 3);
  Fill(*store, account, "INBOX", 1, {"\\Deleted"});
  Store(Uids({1}), Op::kAdd, {"\\Deleted"});
  Pass(30s);
  Store(Uids({2}), Op::kAdd, {"\\Deleted"});
  Pass(29s);
  EXPECT_EQ(Flags().size(), 4U);
  Pass(1s);
  EXPECT_THAT(Flags(), ElementsAre(Key(2), Key(3)));
  store.Reopen();
  Pass(30s);
  EXPECT_THAT(Flags(), ElementsAre(Key(3)));
  EXPECT_EQ(ExpiryRows(), 0U);
}

TEST_P(DeletedGraceTest, WhoIsUndeletedStaysAndBeginsAnew) {
  Fill(*store, account, "INBOX", 2);
  Store(Uids({1, 2}), Op::kAdd, {"\\Deleted"});
  Pass(30s);
  Store(Uids({1, 2}), Op::kRemove, {"\\Deleted"});
  Store(Uids({2}), Op::kAdd, {"\\Deleted"});
  Pass(30s);
  EXPECT_EQ(Flags().size(), 2U);
  Pass(30s);
  EXPECT_THAT(Flags(), ElementsAre(Key(1)));
}

TEST_P(DeletedGraceTest, ExpungedOrDeletedFoldersLeaveNothing) {
  Must(store->CreateFolder(account, "Gone", {}));
  Fill(*store, account, "Gone", 2, {"\\Deleted"});
  Fill(*store, account, "INBOX", 2, {"\\Deleted"});
  Must(store->Expunge(inbox, std::nullopt));
  Must(store->DeleteFolder(account, "Gone"));
  store->DrainJanitor();
  TempStore::ExpectSound(store.engine(), /*default_folder=*/false);
  Pass(60s);
  EXPECT_EQ(ExpiryRows(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Drivers, DeletedGraceTest, testing::Values(Driver::kMemory, Driver::kRocks));

/// Policies that are switched on over messages that are there.
class PolicyTest : public testing::Test {
 protected:
  PolicyTest() : engine(storage::kv::NewMemoryEngine()) { Open({}); }
  ~PolicyTest() override {
    store->DrainJanitor();
    store.reset();
    TempStore::ExpectSound(*engine, /*default_folder=*/false);
  }
  void Open(storage::Profile profile) {
    store.reset();
    storage::StoreOptions options;
    options.now = [this] { return clock.Now(); };
    options.reaper_look = 1h;
    options.profile = std::move(profile);
    options.profile.default_folder.clear();
    store = Must(storage::MailStore::Open(*engine, options));
  }
  void Pass(std::chrono::seconds time) {
    clock.Advance(time);
    store->ReapDue();
  }
  auto InboxOf(storage::AccountId account) {
    return FlagsOf(*store, Must(store->GetFolder(account, "INBOX")).ref);
  }

  FixedClock clock;
  std::unique_ptr<storage::kv::Engine> engine;
  std::unique_ptr<storage::MailStore> store;
};

TEST_F(PolicyTest, RetentionHoldsForWhatIsThereButNotForTheArchived) {
  const auto a = CreateAccount(*store, "tel:+1");
  const auto b = CreateAccount(*store, "tel:+2");
  Must(store->CreateFolder(a, "Mine", {}));
  Fill(*store, a, "INBOX", 1200);
  Fill(*store, a, "INBOX", 1, {"$Archived"});
  Fill(*store, a, "Mine", 1);
  clock.Advance(48h);
  Fill(*store, a, "INBOX", 1);
  Fill(*store, b, "INBOX", 1);
  Open({.retention = {.inbox = 86'400}});
  Pass(0s);
  EXPECT_THAT(InboxOf(a), ElementsAre(Key(1201), Key(1202)));
  EXPECT_EQ(Must(store->GetFolder(a, "Mine")).messages, 1U) << "another kind of folder";
  EXPECT_THAT(InboxOf(b), ElementsAre(Key(1)));
  Pass(24h);
  EXPECT_THAT(InboxOf(a), ElementsAre(Key(1201)));
  EXPECT_THAT(InboxOf(b), IsEmpty());
}

TEST_F(PolicyTest, GraceHoldsForWhatIsDeletedAlready) {
  const auto account = CreateAccount(*store);
  Fill(*store, account, "INBOX", 2, {"\\Deleted"});
  Fill(*store, account, "INBOX", 1);
  Open({.deleted_grace = 60});
  Pass(0s);
  Pass(59s);
  EXPECT_EQ(InboxOf(account).size(), 3U) << "the grace begins when it is known";
  Pass(1s);
  EXPECT_THAT(InboxOf(account), ElementsAre(Key(3)));
}

TEST_F(PolicyTest, GraceThatIsSwitchedOffSparesAll) {
  const auto account = CreateAccount(*store);
  Open({.deleted_grace = 60});
  Fill(*store, account, "INBOX", 2, {"\\Deleted"});
  Open({});
  Pass(100s);
  EXPECT_EQ(InboxOf(account).size(), 2U);
}

}  // namespace
}  // namespace tests
