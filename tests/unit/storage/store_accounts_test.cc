#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/keys.h"
#include "storage/schema/psk_row.h"
#include "storage/store/psk.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::SpecialUse;
using storage::AccountId;
using storage::AccountStatus;
using storage::Errc;
using storage::QuotaLimits;
using storage::kv::Table;
using testing::ElementsAre;

std::size_t RowsOf(storage::kv::Engine& engine, AccountId account) {
  std::size_t rows = 0;
  const std::string prefix = storage::schema::AccountPrefix(account);
  for (std::size_t t = 0; t < storage::kv::kTableCount; ++t) {
    const auto table = static_cast<Table>(t);
    if (table == Table::kMeta || table == Table::kAddresses) continue;
    Must(engine.OpenView()->Scan(table, prefix, storage::kv::PrefixEnd(prefix), [&](auto, auto) {
      ++rows;
      return true;
    }));
  }
  return rows;
}

TEST(AccountsTest, ASecretIsMadeOnceForEachName) {
  TempStore store;
  const auto secret = Must(store->Secret("one"));
  EXPECT_EQ(secret.size(), 32U);
  EXPECT_EQ(Must(store->Secret("one")), secret);
  EXPECT_NE(Must(store->Secret("two")), secret);
  store.Reopen();
  EXPECT_EQ(Must(store->Secret("one")), secret);
}

TEST(PskTableTest, KeepsKeysUntilTheyAreRevoked) {
  TempStore store;
  storage::PskTable psks(*store);
  const std::string key(32, 'k');
  Must(psks.Add({"b", AccountId{2}, key, 1'700'000'000}));
  Must(psks.Add({"a", AccountId{1}, key, 1'700'000'001}));
  store.Reopen();
  storage::PskTable again(*store);
  EXPECT_THAT(Must(again.List()), ElementsAre(storage::Psk{"a", AccountId{1}, key, 1'700'000'001},
                                              storage::Psk{"b", AccountId{2}, key, 1'700'000'000}));
  EXPECT_EQ(again.Add({"a", AccountId{2}, key, 0}).error().code, Errc::kInvalidArgument) << "in use";
  EXPECT_TRUE(Must(again.Revoke("a")));
  EXPECT_FALSE(Must(again.Revoke("a")));
  EXPECT_EQ(Must(again.List()).size(), 1U);
}

TEST(PskTableTest, RefusesWhatIsNoIdentityOrNoKey) {
  TempStore store;
  storage::PskTable psks(*store);
  const std::string key(32, 'k');
  for (const auto& identity : {std::string(), std::string("a b"), std::string("a\0b", 3),
                               std::string("caf\xc3\xa9"), std::string(129, 'x')})
    EXPECT_EQ(psks.Add({identity, AccountId{1}, key, 0}).error().code, Errc::kInvalidArgument) << identity;
  Must(psks.Add({std::string(128, 'x'), AccountId{1}, key, 0}));
  EXPECT_EQ(psks.Add({"a", AccountId{1}, std::string(15, 'k'), 0}).error().code, Errc::kInvalidArgument);
  EXPECT_EQ(psks.Add({"a", AccountId{1}, std::string(65, 'k'), 0}).error().code, Errc::kInvalidArgument);
}

/// On disk: these octets stay readable for ever.
TEST(PskTableTest, ItsRowHasTheseOctets) {
  const storage::schema::PskRow row{AccountId{300}, 1'700'000'000, "key"};
  EXPECT_EQ(row.Encode(), std::string("\x01\xac\x02\x80\xc4\x9f\xd5\x0c\x03key", 12));
  EXPECT_EQ(Must(storage::schema::PskRow::Decode(row.Encode())), row);
  for (const auto* bad : {"", "\x02", "\x01\xac\x02\x80\xc4\x9f\xd5\x0c\x03ke"})
    EXPECT_EQ(storage::schema::PskRow::Decode(bad).error().code, Errc::kCorruption);
}

TEST(AccountsTest, IsFoundByEachOfItsAddresses) {
  TempStore store;
  const auto id = Must(store->CreateAccount({.address = "tel:+1",
                                             .aliases = {"sip:b@x", "sip:a@x", "sip:a@x", "tel:+1"},
                                             .role = storage::Role::kPf,
                                             .password_hash = "$6$h",
                                             .quota = {.octets = 10, .messages = 20}}));
  for (const auto* address : {"tel:+1", "sip:a@x", "sip:b@x"}) {
    const auto info = Must(store->FindAccount(address));
    ASSERT_TRUE(info) << address;
    EXPECT_EQ(info->id, id);
    EXPECT_EQ(info->address, "tel:+1");
    EXPECT_THAT(info->aliases, ElementsAre("sip:a@x", "sip:b@x"));
    EXPECT_EQ(info->role, storage::Role::kPf);
    EXPECT_EQ(info->password_hash, "$6$h");
    EXPECT_EQ(info->quota, (QuotaLimits{.octets = 10, .messages = 20}));
    EXPECT_EQ(info->folders, 1U);
    EXPECT_EQ(info->created, 1'700'000'000);
  }
  EXPECT_EQ(Must(store->FindAccount("sip:c@x")), std::nullopt);
}

TEST(AccountsTest, AnAddressBelongsToOneAccount) {
  TempStore store;
  Must(store->CreateAccount({.address = "tel:+1", .aliases = {"sip:a@x"}}));
  EXPECT_EQ(ErrorOf(store->CreateAccount({.address = "tel:+1"})), Errc::kAccountExists);
  EXPECT_EQ(ErrorOf(store->CreateAccount({.address = "sip:a@x"})), Errc::kAccountExists);
  EXPECT_EQ(ErrorOf(store->CreateAccount({.address = "tel:+2", .aliases = {"sip:a@x"}})),
            Errc::kAccountExists);
  EXPECT_EQ(ErrorOf(store->CreateAccount({.address = ""})), Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(store->CreateAccount({.address = "tel:+2", .folders = {{"a//b"}}})), Errc::kNotAllowed);
  EXPECT_EQ(Must(store->FindAccount("tel:+2")), std::nullopt);
  EXPECT_EQ(Must(store->ListAccounts({}, 10)).size(), 1U);
}

TEST(AccountsTest, InitialFoldersAreMadeWithTheAccount) {
  TempStore store;
  const auto id = Must(store->CreateAccount(
      {.address = "tel:+1", .folders = {{"INBOX"}, {"Sent", SpecialUse::kSent}, {"a/b"}}}));
  std::vector<std::string> paths;
  for (const auto& entry : Must(store->ListFolders(id))) paths.push_back(entry.path);
  EXPECT_THAT(paths, ElementsAre("INBOX", "Sent", "a", "a/b"));
  EXPECT_EQ(Must(store->GetFolder(id, "Sent")).use, SpecialUse::kSent);
  EXPECT_THAT(Must(store->ListSubscriptions(id)), ElementsAre("Sent", "a/b"));
}

TEST(AccountsTest, ListIsInIdOrderAndPaged) {
  TempStore store;
  std::vector<AccountId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(CreateAccount(*store, "tel:+" + std::to_string(9 - i)));
  Must(store->DeleteAccount(ids[1]));
  std::vector<AccountId> seen;
  for (AccountId after;;) {
    const auto page = Must(store->ListAccounts(after, 2));
    if (page.empty()) break;
    for (const auto& info : page) seen.push_back(info.id);
    after = seen.back();
  }
  EXPECT_THAT(seen, ElementsAre(ids[0], ids[2], ids[3], ids[4]));
}

TEST(AccountsTest, EditsAreRead) {
  TempStore store(Driver::kRocks);
  const auto id = CreateAccount(*store);
  Must(store->SetPasswordHash(id, "$argon2id$x"));
  Must(store->SetStatus(id, AccountStatus::kDisabled));
  Must(store->SetQuota(id, {.octets = 5, .messages = 6, .folders = 30, .annotation_octets = 0}));
  store.Reopen();
  const auto info = Must(store->GetAccount(id));
  EXPECT_EQ(info.password_hash, "$argon2id$x");
  EXPECT_EQ(info.status, AccountStatus::kDisabled);
  EXPECT_EQ(info.quota, (QuotaLimits{.octets = 5, .messages = 6, .folders = 30, .annotation_octets = 0}));
  EXPECT_EQ(ErrorOf(store->SetStatus(id, AccountStatus::kDeleting)), Errc::kInvalidArgument);
}

TEST(AccountsTest, UnknownAccountIsRefusedEverywhere) {
  TempStore store;
  const AccountId nobody{99};
  EXPECT_EQ(ErrorOf(store->GetAccount(nobody)), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->SetQuota(nobody, {.octets = 1})), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->GetQuota(nobody)), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->ChangeActFor(nobody, {"tel:*"}, {})), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->DeleteAccount(nobody)), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->CreateFolder(nobody, "a", SpecialUse::kNone)), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->Subscribe(nobody, "a")), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(Append(*store, nobody, "INBOX", {"x"})), Errc::kNoSuchAccount);
}

TEST(AccountsTest, DeletedAccountLeavesNoRow) {
  for (const auto driver : {Driver::kMemory, Driver::kRocks}) {
    TempStore store(driver);
    const auto id = CreateAccount(*store);
    const auto other = CreateAccount(*store, "tel:+2");
    const auto before = RowsOf(store.engine(), other);
    Fill(*store, id, "INBOX", 250, {"\\Deleted", "$k"});
    Must(Append(*store, id, "INBOX", {MessageOctets(1, 700'000)}));
    const auto inbox = Must(store->GetFolder(id, "INBOX")).ref;
    Must(store->CreateFolder(id, "a/b", SpecialUse::kNone));
    Must(store->Subscribe(id, "a"));
    Must(store->Copy(inbox, UidRange(1, 200), "a/b"));
    Must(store->Expunge(inbox, UidRange(1, 50)));
    Must(store->DeleteAccount(id));
    EXPECT_EQ(ErrorOf(store->GetAccount(id)), Errc::kNoSuchAccount);
    EXPECT_EQ(Must(store->FindAccount("tel:+1")), std::nullopt);
    EXPECT_EQ(ErrorOf(Append(*store, id, "INBOX", {"x"})), Errc::kNoSuchAccount);
    store->DrainJanitor();
    EXPECT_EQ(RowsOf(store.engine(), id), 0U);
    EXPECT_EQ(RowsOf(store.engine(), other), before);
  }
}

TEST(AccountsTest, DeletedAccountAnswersNothingWhileItsRowsAreThere) {
  TempStore store(Driver::kRocks);
  const auto id = CreateAccount(*store);
  const auto inbox = Fill(*store, id, "INBOX", 2000);
  Must(store->DeleteAccount(id));
  const auto expect_gone = [&] {
    EXPECT_EQ(ErrorOf(store->GetFolder(id, "INBOX")), Errc::kNoSuchAccount);
    EXPECT_EQ(ErrorOf(store->GetFolder(inbox)), Errc::kNoSuchAccount);
    EXPECT_EQ(ErrorOf(store->ListFolders(id)), Errc::kNoSuchAccount);
    EXPECT_EQ(ErrorOf(store->ListSubscriptions(id)), Errc::kNoSuchAccount);
    EXPECT_EQ(ErrorOf(store->OpenFolder(inbox, /*claim_recent=*/true)), Errc::kNoSuchAccount);
    EXPECT_EQ(ErrorOf(store->Stage(id)), Errc::kNoSuchAccount);
    EXPECT_FALSE(store->Read(inbox).has_value());
  };
  expect_gone();
  store->DrainJanitor();
  expect_gone();
}

TEST(JanitorTest, GivesUpAnIntentThatDoesNotDecode) {
  const auto engine = storage::kv::NewMemoryEngine();
  const storage::schema::IntentKey intent{AccountId{1}, storage::schema::IntentKind::kPurge, 5};
  {
    const auto store = Must(storage::MailStore::Open(*engine, {}));
    CreateAccount(*store);
    storage::kv::Batch batch;
    batch.Put(Table::kIntents, intent.Encode(), "?");
    Must(engine->Apply(batch, storage::kv::Durability::kNow));
  }
  std::vector<std::string> notes;
  const auto store = Must(
      storage::MailStore::Open(*engine, {.note = [&](const std::string& note) { notes.push_back(note); }}));
  store->DrainJanitor();
  EXPECT_EQ(notes.size(), 1U);
  EXPECT_TRUE(Must(engine->Get(Table::kIntents, intent.Encode())));
}

TEST(AccountsTest, ChunksStagedForADeletedAccountAreFreed) {
  TempStore store;
  const auto id = CreateAccount(*store);
  {
    auto body = Must(store->Stage(id));
    Must(body.Write(std::string(600'000, 'x')));
    Must(store->DeleteAccount(id));
    store->DrainJanitor();
    EXPECT_EQ(RowsOf(store.engine(), id), 0U);
    EXPECT_EQ(ErrorOf(body.Write(std::string(600'000, 'x'))), Errc::kNoSuchAccount);
  }
  store->DrainJanitor();
  EXPECT_EQ(RowsOf(store.engine(), id), 0U);
}

TEST(AccountsTest, MadeAgainItHasLargerUidValidities) {
  // RFC 3501 §2.3.1.1: a client must not take the new INBOX for the old one. The clock stands still.
  TempStore store;
  const auto id = CreateAccount(*store);
  for (int i = 0; i < 20; ++i) Must(store->CreateFolder(id, "f" + std::to_string(i), SpecialUse::kNone));
  const auto last = Must(store->GetFolder(id, "f19")).uid_validity;
  Must(store->DeleteAccount(id));
  const auto again = CreateAccount(*store);
  EXPECT_NE(again, id);
  EXPECT_GT(Must(store->GetFolder(again, "INBOX")).uid_validity, last);
  Must(store->DeleteAccount(again));
  store->DrainJanitor();
  store.clock.Advance(std::chrono::hours(1));
  const auto third = CreateAccount(*store);
  EXPECT_EQ(Must(store->GetFolder(third, "INBOX")).uid_validity.value, 1'700'003'600U);
}

TEST(AccountsTest, IdsAreNotReusedAfterReopening) {
  TempStore store(Driver::kRocks);
  const auto first = CreateAccount(*store, "tel:+1");
  Must(store->DeleteAccount(first));
  store->DrainJanitor();
  store.Reopen();
  EXPECT_GT(CreateAccount(*store, "tel:+1").value, first.value);
}

TEST(AccountsTest, DeletionGoesOnAfterReopening) {
  TempStore store(Driver::kRocks);
  const auto id = CreateAccount(*store);
  Fill(*store, id, "INBOX", 500);
  Must(store->DeleteAccount(id));
  store.Reopen();
  EXPECT_EQ(ErrorOf(store->GetAccount(id)), Errc::kNoSuchAccount);
  store->DrainJanitor();
  EXPECT_EQ(RowsOf(store.engine(), id), 0U);
}

}  // namespace
}  // namespace tests
