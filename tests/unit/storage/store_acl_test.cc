// Access control lists as the store keeps them (RFC 4314), and what every call asks them.
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/rows.h"
#include "storage/store/rights.h"
#include "tests/support/counting_engine.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

using protocol::FlagChange;
using protocol::RightsChange;
using storage::AccountId;
using storage::Actor;
using storage::Errc;
using storage::FolderRef;
using storage::Origin;
using storage::Principal;
using storage::Right;
using storage::Rights;
using storage::Role;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

Rights R(std::string_view letters) { return *Rights::Parse(letters); }

storage::StoreOptions Sharing(storage::Sharing sharing) {
  storage::StoreOptions options = PlainMail();
  options.profile.sharing = sharing;
  return options;
}

FolderRef CreateFolder(storage::MailStore& store, AccountId account, std::string_view path) {
  return Must(store.CreateFolder(account, path, protocol::SpecialUse::kNone)).ref;
}

void AppendMessage(storage::MailStore& store, AccountId account, std::string_view path,
                   const std::vector<std::string>& flags = {}) {
  Must(Append(store, account, path, {MessageOctets(1, 60)}, flags));
}

std::set<std::string> FlagsAt(storage::MailStore& store, FolderRef folder, std::uint32_t uid) {
  return FlagsOf(store, folder).at(uid);
}

std::size_t RowsOf(storage::kv::Engine& engine, storage::kv::Table table) {
  std::size_t rows = 0;
  Must(engine.OpenView()->Scan(table, {}, {}, [&](auto, auto) { return ++rows != 0; }));
  return rows;
}

class AclTest : public testing::Test {
 protected:
  explicit AclTest(storage::Sharing sharing = storage::Sharing::kAnyone)
      : store(Driver::kMemory, Sharing(sharing)) {}

  Actor Guest(AccountId who) {
    const auto info = Must(store->GetAccount(who));
    return {Origin{7}, std::make_shared<const Principal>(info.id, info.address, info.aliases)};
  }
  std::optional<Errc> Set(std::string_view path, std::string_view who, std::string_view letters,
                          const Actor& actor = {}) {
    return ErrorOf(store->SetAcl(ann, path, who, {RightsChange::Op::kReplace, R(letters)}, actor));
  }
  void GiveBea(std::string_view path, Rights rights) {
    Must(store->SetAcl(ann, path, "tel:+15550100222", {RightsChange::Op::kReplace, rights}));
  }
  /// "identifier rights"
  std::vector<std::string> Acl(std::string_view path) {
    std::vector<std::string> out;
    for (const auto& entry : Must(store->GetAcl(ann, path)))
      out.push_back(entry.identifier + " " + entry.rights.Letters());
    return out;
  }
  std::string MyRights(std::string_view path, const Actor& actor = {}) {
    const auto rights = store->MyRights(ann, path, actor);
    return rights ? rights->Letters() : "none";
  }
  /// Paths of Ann's folders that somebody sees.
  std::vector<std::string> SharedWith(AccountId who) {
    std::vector<std::string> out;
    for (const auto& folder : Must(store->ListShared(*Guest(who).guest))) out.push_back(folder.path);
    return out;
  }

  TempStore store;
  AccountId ann = CreateAccount(*store, "tel:+15550100111");
  AccountId bea = CreateAccount(*store, "tel:+15550100222");
  Actor guest = Guest(bea);
  const std::string kAll = "lrswipkxteancd";
  const std::string kOwner = "tel:+15550100111 lrswipkxteancd";
};

/// Asks for what is shared when the news come: before the call that made them returns, as no listener but
/// this test may.
class SharedAsHeard final : public storage::ChangeListener {
 public:
  SharedAsHeard(storage::MailStore& store, AccountId owner, std::shared_ptr<const Principal> guest)
      : store_(store),
        owner_(owner),
        guest_(std::move(guest)),
        subscription_(store.feed().Subscribe(owner, *this)) {}
  void OnChange(const std::shared_ptr<const storage::Change>& /*change*/) noexcept override {
    const std::vector<AccountId> watched{owner_};
    const auto shared = store_.ListShared(*guest_, watched);
    std::string paths;
    if (shared)
      for (const auto& folder : *shared) paths += (paths.empty() ? "" : " ") + folder.path;
    heard.push_back(shared ? paths : "error");
  }
  std::vector<std::string> heard;

 private:
  storage::MailStore& store_;
  const AccountId owner_;
  const std::shared_ptr<const Principal> guest_;
  const storage::ChangeFeed::Subscription subscription_;
};

TEST_F(AclTest, WhoHearsOfAListFindsWhatItShares) {
  CreateFolder(*store, ann, "a");
  SharedAsHeard news(*store, ann, guest.guest);
  GiveBea("a", R("lr"));
  CreateFolder(*store, ann, "a/b");
  EXPECT_FALSE(ErrorOf(store->DeleteAcl(ann, "a", "tel:+15550100222")));
  EXPECT_THAT(news.heard, ElementsAre("a", "a a/b", "a a/b", "a/b"));
}

TEST_F(AclTest, WithoutAListAllIsItsOwners) {
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner));
  EXPECT_EQ(MyRights("INBOX"), kAll);
  EXPECT_EQ(MyRights("INBOX", guest), "none");
  EXPECT_THAT(SharedWith(bea), IsEmpty());
}

TEST_F(AclTest, ReplacesAddsAndTakesAway) {
  Set("INBOX", "+15550100222", "lr");
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner, "tel:+15550100222 lr"));
  Must(store->SetAcl(ann, "INBOX", "+15550100222", {RightsChange::Op::kAdd, R("d")}));
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner, "tel:+15550100222 lrted"));
  Must(store->SetAcl(ann, "INBOX", "+15550100222", {RightsChange::Op::kRemove, R("rt")}));
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner, "tel:+15550100222 led"));
  Set("INBOX", "+15550100222", "");
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner));
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kAcl), 0U);
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kGrants), 0U);
}

TEST_F(AclTest, DeletesWhatIsThereAndWhatIsNot) {
  Set("INBOX", "bea@example.com", "lr");
  Set("INBOX", "-bea@example.com", "r");
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner, "-sip:bea@example.com r", "sip:bea@example.com lr"));
  Must(store->DeleteAcl(ann, "INBOX", "-bea@example.com"));
  Must(store->DeleteAcl(ann, "INBOX", "-bea@example.com"));
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner, "sip:bea@example.com lr"));
}

// The issue: the owner always keeps `a` and `l`.
TEST_F(AclTest, OwnersDoNotLockThemselvesOut) {
  Set("INBOX", "tel:+15550100111", "");
  EXPECT_THAT(Acl("INBOX"), ElementsAre("tel:+15550100111 la"));
  EXPECT_EQ(ErrorOf(store->GetFolder(ann, "INBOX")), Errc::kNoPermission);
  Set("INBOX", "-tel:+15550100111", kAll);
  EXPECT_EQ(MyRights("INBOX"), "la");
  Must(store->DeleteAcl(ann, "INBOX", "-tel:+15550100111"));
  Must(store->DeleteAcl(ann, "INBOX", "tel:+15550100111"));
  EXPECT_EQ(MyRights("INBOX"), kAll);
}

TEST_F(AclTest, NoMoreThanSoMany) {
  for (std::size_t i = 0; i < storage::kMaxAclEntries; ++i)
    ASSERT_EQ(Set("INBOX", "user" + std::to_string(i) + "@example.com", "lr"), std::nullopt);
  EXPECT_EQ(Set("INBOX", "one.more@example.com", "lr"), Errc::kLimit);
  EXPECT_EQ(Set("INBOX", "user7@example.com", "lrs"), std::nullopt);
  Must(store->DeleteAcl(ann, "INBOX", "user7@example.com"));
  EXPECT_EQ(Set("INBOX", "one.more@example.com", "lr"), std::nullopt);
}

TEST_F(AclTest, WhatChangesNothingIsNoNews) {
  Set("INBOX", "anyone", "lr");
  const auto before = Must(store->GetAccount(ann)).modseq;
  Set("INBOX", "anyone", "rl");
  Must(store->DeleteAcl(ann, "INBOX", "nobody@example.com"));
  EXPECT_EQ(Must(store->GetAccount(ann)).modseq, before);
}

class SharingNobodyTest : public AclTest {
 protected:
  SharingNobodyTest() : AclTest(storage::Sharing::kNobody) {}
};

TEST_F(SharingNobodyTest, RefusesAllButTheOwners) {
  EXPECT_EQ(Set("INBOX", "bea@example.com", "lr"), Errc::kNotAllowed);
  EXPECT_EQ(Set("INBOX", "anyone", "lr"), Errc::kNotAllowed);
  EXPECT_EQ(Set("INBOX", "tel:+15550100111", "lr"), std::nullopt);
  EXPECT_EQ(Must(store->ListRights(ann, "INBOX", "bea@example.com")).optional, Rights());
}

class SharingNamedTest : public AclTest {
 protected:
  SharingNamedTest() : AclTest(storage::Sharing::kNamed) {}
};

TEST_F(SharingNamedTest, RefusesEverybodyAtOnce) {
  EXPECT_EQ(Set("INBOX", "anyone", "l"), Errc::kNotAllowed);
  EXPECT_EQ(Set("INBOX", "authenticated", "l"), Errc::kNotAllowed);
  EXPECT_EQ(Set("INBOX", "bea@example.com", "lr"), std::nullopt);
}

TEST_F(SharingNamedTest, WhatWasSharedCanBeTakenBack) {
  store.Reopen(Sharing(storage::Sharing::kAnyone));
  Set("INBOX", "anyone", "lrw");
  store.Reopen(Sharing(storage::Sharing::kNobody));
  EXPECT_EQ(Set("INBOX", "anyone", "lrws"), Errc::kNotAllowed);
  EXPECT_EQ(Set("INBOX", "anyone", "lr"), std::nullopt);
  Must(store->DeleteAcl(ann, "INBOX", "anyone"));
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner));
}

TEST_F(SharingNamedTest, WhatWasSharedIsSharedOfNewFoldersToo) {
  CreateFolder(*store, ann, "shared");
  GiveBea("shared", R("lr"));
  store.Reopen(Sharing(storage::Sharing::kNobody));
  CreateFolder(*store, ann, "shared/new");
  EXPECT_EQ(Set("shared/new", "tel:+15550100222", "lrs"), Errc::kNotAllowed) << "no more is given";
  EXPECT_THAT(SharedWith(bea), ElementsAre("shared", "shared/new"));
}

TEST_F(AclTest, GuestsSeeExactlyWhatWasGranted) {
  for (const char* path : {"a", "b", "c"}) CreateFolder(*store, ann, path);
  Set("a", "+15550100222", "lr");
  Set("b", "+15550100222", "r");  // not to be seen
  Set("c", "anyone", "l");
  EXPECT_THAT(SharedWith(bea), ElementsAre("a", "c"));
  Must(store->DeleteAcl(ann, "a", "+15550100222"));
  EXPECT_THAT(SharedWith(bea), ElementsAre("c"));
}

TEST_F(AclTest, NewFoldersInheritAndMovedOnesKeep) {
  CreateFolder(*store, ann, "a");
  Set("a", "+15550100222", "lrk");
  CreateFolder(*store, ann, "a/b/c");
  store->DrainJanitor();
  EXPECT_THAT(Acl("a/b"), ElementsAre(kOwner, "tel:+15550100222 lrkc"));
  EXPECT_THAT(SharedWith(bea), ElementsAre("a", "a/b", "a/b/c"));
  // RFC 4314 §4: RENAME changes no list.
  Must(store->RenameFolder(ann, "a/b", "elsewhere"));
  EXPECT_THAT(SharedWith(bea), ElementsAre("a", "elsewhere", "elsewhere/c"));
  CreateFolder(*store, ann, "a/b");
  store->DrainJanitor();
  EXPECT_EQ(MyRights("a/b", guest), "lrkc");
}

TEST_F(AclTest, ADeletedFolderTakesItsListWithIt) {
  CreateFolder(*store, ann, "a");
  Set("a", "+15550100222", "lr");
  Must(store->DeleteFolder(ann, "a"));
  store->DrainJanitor();
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kAcl), 0U);
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kGrants), 0U);
  CreateFolder(*store, ann, "a");
  EXPECT_THAT(Acl("a"), ElementsAre(kOwner));
}

TEST_F(AclTest, ADeletedAccountTakesItsListsWithIt) {
  for (int i = 0; i < 20; ++i) {
    CreateFolder(*store, ann, "f" + std::to_string(i));
    Set("f" + std::to_string(i), "+15550100222", "lr");
  }
  Must(store->DeleteAccount(ann));
  EXPECT_THAT(Must(store->ListShared(*guest.guest)), IsEmpty());
  store->DrainJanitor();
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kAcl), 0U);
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kGrants), 0U);
}

TEST_F(AclTest, WhoeverGetsAnAddressLaterGetsNoRightsWithIt) {
  Set("INBOX", "+15550100222", "lr");
  Set("INBOX", "-+15550100222", "w");
  Must(store->DeleteAccount(bea));
  EXPECT_THAT(Acl("INBOX"), ElementsAre(kOwner));
  const AccountId next = CreateAccount(*store, "tel:+15550100222");
  EXPECT_THAT(SharedWith(next), IsEmpty());
  EXPECT_EQ(MyRights("INBOX", Guest(next)), "none");
}

TEST_F(AclTest, ACrashBeforeTheGrantIsMadeUpForAtTheNextStart) {
  Set("INBOX", "+15550100222", "lr");
  // As if it had happened before Grants::Settle.
  const FolderRef inbox = Must(store->GetFolder(ann, "INBOX")).ref;
  storage::kv::Batch batch;
  batch.Erase(storage::kv::Table::kGrants,
              storage::schema::GrantKey{"tel:+15550100222", ann, inbox.folder}.Encode());
  batch.Put(storage::kv::Table::kGrants,
            storage::schema::GrantKey{"sip:gone@example.com", ann, inbox.folder}.Encode(),
            storage::schema::MarkerRow());
  batch.Put(
      storage::kv::Table::kIntents,
      storage::schema::IntentKey{ann, storage::schema::IntentKind::kGrants, inbox.folder.value}.Encode(),
      storage::schema::GrantsRow{{1}, {"sip:gone@example.com", "tel:+15550100222"}}.Encode());
  Must(store.engine().Apply(batch, storage::kv::Durability::kNow));
  EXPECT_THAT(SharedWith(bea), IsEmpty());
  store.Reopen();
  store->DrainJanitor();
  EXPECT_THAT(SharedWith(bea), ElementsAre("INBOX"));
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kGrants), 1U);
  EXPECT_EQ(RowsOf(store.engine(), storage::kv::Table::kIntents), 0U);
}

TEST_F(AclTest, ListsAndGrantsMustAgree) {
  Set("INBOX", "+15550100222", "lr");
  const FolderRef inbox = Must(store->GetFolder(ann, "INBOX")).ref;
  const auto key = storage::schema::GrantKey{"tel:+15550100222", ann, inbox.folder}.Encode();
  const auto violated = [&](const storage::kv::Batch& batch) {
    Must(store.engine().Apply(batch, storage::kv::Durability::kNow));
    std::vector<int> out;
    for (const auto& violation :
         Must(storage::check::Fsck(store.engine(), {.default_folder = false})).violations)
      out.push_back(violation.invariant);
    return out;
  };
  storage::kv::Batch none;
  none.Erase(storage::kv::Table::kGrants, key);
  EXPECT_THAT(violated(none), ElementsAre(22));
  storage::kv::Batch another;
  another.Put(storage::kv::Table::kGrants, key, storage::schema::MarkerRow());
  another.Put(storage::kv::Table::kGrants, storage::schema::GrantKey{"anyone", ann, inbox.folder}.Encode(),
              storage::schema::MarkerRow());
  EXPECT_THAT(violated(another), ElementsAre(22));
  storage::kv::Batch no_list;
  no_list.Erase(storage::kv::Table::kGrants, storage::schema::GrantKey{"anyone", ann, inbox.folder}.Encode());
  no_list.Erase(storage::kv::Table::kGrants, key);
  const auto list = storage::schema::FolderKey{ann, inbox.folder}.Encode();
  no_list.Erase(storage::kv::Table::kAcl, list);
  EXPECT_THAT(violated(no_list), ElementsAre(21));
  storage::kv::Batch repaired;
  repaired.Put(storage::kv::Table::kGrants, key, storage::schema::MarkerRow());
  repaired.Put(storage::kv::Table::kAcl, list,
               storage::schema::AclRow{{{"tel:+15550100222", R("lr")}}}.Encode());
  EXPECT_THAT(violated(repaired), IsEmpty());
}

TEST(ListShared, ReadsWhatWasGrantedWhateverAccountsThereAre) {
  CountingEngine engine;
  auto store = Must(storage::MailStore::Open(engine, Sharing(storage::Sharing::kAnyone)));
  const AccountId bea = CreateAccount(*store, "tel:+15550100222");
  const Principal guest(bea, "tel:+15550100222", {});
  const auto share = [&](const std::string& owner, const std::string& with) {
    const AccountId account = CreateAccount(*store, owner);
    for (const auto* path : {"shared", "other"}) CreateFolder(*store, account, path);
    Must(store->SetAcl(account, "shared", with, {RightsChange::Op::kReplace, R("lr")}));
  };
  const auto reads = [&] {
    store->DrainJanitor();
    std::vector<int> before;
    for (int i = 0; i < 32; ++i) before.push_back(engine.Of(static_cast<storage::kv::Table>(i)).rows);
    EXPECT_EQ(Must(store->ListShared(guest)).size(), 3U);
    for (int i = 0; i < 32; ++i)
      before[static_cast<std::size_t>(i)] =
          engine.Of(static_cast<storage::kv::Table>(i)).rows - before[static_cast<std::size_t>(i)];
    return before;
  };
  for (int i = 0; i < 3; ++i) share(fmt::format("tel:+1555010{:04}", i), "+15550100222");
  const auto of_few = reads();
  EXPECT_EQ(of_few[static_cast<std::size_t>(storage::kv::Table::kGrants)], 3);
  EXPECT_GT(of_few[static_cast<std::size_t>(storage::kv::Table::kFolders)], 0);
  for (int i = 1000; i < 1200; ++i) share(fmt::format("tel:+1555010{:04}", i), "somebody@example.com");
  EXPECT_EQ(reads(), of_few);
}

/// Of a folder that is hidden one learns that its name is taken, and only where one may make folders.
TEST_F(AclTest, ATakenNameIsToldToWhoMayMakeFoldersThere) {
  CreateFolder(*store, ann, "shared");
  GiveBea("shared", R("lr"));
  CreateFolder(*store, ann, "shared/hidden");
  GiveBea("shared/hidden", R(""));
  const auto make = [&](const char* path) { return ErrorOf(store->CreateFolder(ann, path, {}, guest)); };
  EXPECT_EQ(make("shared/hidden"), Errc::kNoPermission);
  EXPECT_EQ(make("shared/free"), Errc::kNoPermission);
  GiveBea("shared", R("lrk"));
  EXPECT_EQ(make("shared/hidden"), Errc::kFolderExists);
  EXPECT_EQ(make("shared/hidden/below"), Errc::kNoSuchFolder) << "it is its list that counts below";
}

/// Pages of grants, the last of them full: whoever has very many of them sees each.
TEST_F(AclTest, ListSharedLeavesOutNothing) {
  CreateFolder(*store, ann, "shared");
  GiveBea("shared", R("l"));
  std::vector<std::string> paths{"shared"};
  for (int i = 1; i < 2048; ++i) {
    paths.push_back(fmt::format("shared/{}", i));
    CreateFolder(*store, ann, paths.back());
  }
  store->DrainJanitor();
  EXPECT_THAT(SharedWith(bea), testing::UnorderedElementsAreArray(paths));
}

// What each call asks: with the right it is done, without it refused; and without `l` as if the folder were
// not there.
class AskingTest : public AclTest {
 protected:
  FolderRef folder = CreateFolder(*store, ann, "a");
  FolderRef other = CreateFolder(*store, ann, "to");
};

TEST_F(AskingTest, EveryCallAsksForItsRight) {
  using Store = storage::MailStore;
  const auto all = UidRange(1, 9);
  const FlagChange seen{FlagChange::Op::kAdd, {protocol::SystemFlag::kSeen}};
  const FlagChange flagged{FlagChange::Op::kAdd, {protocol::SystemFlag::kFlagged}};
  const FlagChange deleted{FlagChange::Op::kAdd, {protocol::SystemFlag::kDeleted}};
  const std::vector<std::pair<std::string, std::function<std::optional<Errc>(Store&, const Actor&)>>> calls{
      {"r", [&](Store& s, const Actor& a) { return ErrorOf(s.GetFolder(ann, "a", a)); }},
      {"i", [&](Store& s, const Actor& a) { return ErrorOf(s.GetFolder(ann, "a", a, Right::kInsert)); }},
      {"r", [&](Store& s, const Actor& a) { return ErrorOf(s.OpenFolder(folder, false, a)); }},
      {"r", [&](Store& s, const Actor& a) { return ErrorOf(s.Read(folder, a)); }},
      {"k", [&](Store& s, const Actor& a) { return ErrorOf(s.CreateFolder(ann, "a/new", {}, a)); }},
      {"a", [&](Store& s, const Actor& a) { return ErrorOf(s.GetAcl(ann, "a", a)); }},
      {"a", [&](Store& s, const Actor& a) { return ErrorOf(s.ListRights(ann, "a", "anyone", a)); }},
      {"a", [&](Store& s, const Actor& a) { return ErrorOf(s.SetAcl(ann, "a", "x@example.com", {}, a)); }},
      {"a", [&](Store& s, const Actor& a) { return ErrorOf(s.DeleteAcl(ann, "a", "x@example.com", a)); }},
      {"s", [&](Store& s, const Actor& a) { return ErrorOf(s.UpdateFlags(folder, all, seen, a)); }},
      {"w", [&](Store& s, const Actor& a) { return ErrorOf(s.UpdateFlags(folder, all, flagged, a)); }},
      {"t", [&](Store& s, const Actor& a) { return ErrorOf(s.UpdateFlags(folder, all, deleted, a)); }},
      {"e", [&](Store& s, const Actor& a) { return ErrorOf(s.Expunge(folder, std::nullopt, a)); }},
      {"n",
       [&](Store& s, const Actor& a) {
         return ErrorOf(s.SetAnnotations(ann, "a", {{"/shared/comment", "x"}}, bea, a));
       }},
      {"x", [&](Store& s, const Actor& a) { return ErrorOf(s.DeleteFolder(ann, "a", a)); }},
  };
  for (const auto& [right, call] : calls) {
    // `r` is what everything in a selected mailbox needs.
    Set("a", "+15550100222", "lr" + right);
    EXPECT_EQ(call(*store, guest), std::nullopt) << right;
    if (right == "x") folder = CreateFolder(*store, ann, "a");
    const Rights rest = Rights::All() - R(right);
    GiveBea("a", rest);
    EXPECT_EQ(call(*store, guest), Errc::kNoPermission) << right;
    GiveBea("a", rest - Right::kLookup);
    // Who could change some flags has it selected, and knows that it is there.
    const bool flags = right == "s" || right == "w" || right == "t";
    EXPECT_EQ(call(*store, guest), flags ? Errc::kNoPermission : Errc::kNoSuchFolder) << right;
  }
}

TEST_F(AskingTest, FlagsThatMayNotBeSetAreDropped) {
  AppendMessage(*store, ann, "a", {"\\Seen", "\\Flagged", "\\Deleted", "$Forwarded"});
  Set("a", "+15550100222", "lr");
  Set("to", "+15550100222", "lri");
  const auto copied = Must(store->Copy(folder, Uids({1}), "to", guest));
  EXPECT_EQ(copied.target, Uids({1}));
  EXPECT_EQ(FlagsAt(*store, other, 1), (std::set<std::string>{}));
  Set("to", "+15550100222", "lriw");
  Must(store->Copy(folder, Uids({1}), "to", guest));
  EXPECT_EQ(FlagsAt(*store, other, 2), (std::set<std::string>{"\\flagged", "$forwarded"}));
  Set("to", "+15550100222", "lrist");
  Must(store->Copy(folder, Uids({1}), "to", guest));
  EXPECT_EQ(FlagsAt(*store, other, 3), (std::set<std::string>{"\\seen", "\\deleted"}));
}

TEST_F(AskingTest, StoreChangesWhatItMayAndLeavesTheRest) {
  AppendMessage(*store, ann, "a", {"\\Flagged", "\\Deleted", "$Forwarded"});
  Set("a", "+15550100222", "lrs");
  const FlagChange replace{FlagChange::Op::kReplace, Flags({"\\Seen", "\\Draft", "new"})};
  Must(store->UpdateFlags(folder, Uids({1}), replace, guest));
  EXPECT_EQ(FlagsAt(*store, folder, 1), (std::set<std::string>{"\\flagged", "\\deleted", "$forwarded"}))
      << "\\Seen is the guest's own";
  const FlagChange remove{FlagChange::Op::kRemove, Flags({"\\Seen", "\\Flagged"})};
  Must(store->UpdateFlags(folder, Uids({1}), remove, guest));
  EXPECT_EQ(FlagsAt(*store, folder, 1), (std::set<std::string>{"\\flagged", "\\deleted", "$forwarded"}));
}

// RFC 6851 §4.2: a MOVE needs what STORE, COPY and EXPUNGE do.
TEST_F(AskingTest, MoveAndCopyAskAtBothEnds) {
  AppendMessage(*store, ann, "a");
  Set("to", "+15550100222", "li");
  for (const char* rights : {"lrt", "lre", "lri"}) {
    Set("a", "+15550100222", rights);
    EXPECT_EQ(ErrorOf(store->Move(folder, Uids({1}), "to", guest)), Errc::kNoPermission) << rights;
  }
  Set("a", "+15550100222", "lrte");
  Set("to", "+15550100222", "lrswpkxtean");
  EXPECT_EQ(ErrorOf(store->Move(folder, Uids({1}), "to", guest)), Errc::kNoPermission);
  Set("to", "+15550100222", "r");
  EXPECT_EQ(ErrorOf(store->Copy(folder, Uids({1}), "to", guest)), Errc::kNoSuchFolder);
  Set("to", "+15550100222", "i");
  EXPECT_EQ(ErrorOf(store->Move(folder, Uids({1}), "to", guest)), std::nullopt);
}

TEST_F(AskingTest, IntoAnotherAccountAndBack) {
  AppendMessage(*store, ann, "a", {"\\Seen", "$Forwarded"});
  Set("a", "+15550100222", "lri");
  const Actor own(Origin{7});
  const auto out = Must(store->CopyAcross(folder, Uids({1}), guest, bea, "INBOX", own));
  EXPECT_EQ(out.source, Uids({1}));
  const FolderRef inbox = Must(store->GetFolder(bea, "INBOX")).ref;
  EXPECT_EQ(FlagsAt(*store, inbox, 1), (std::set<std::string>{"$forwarded"}))
      << "it is her who has not seen it";
  EXPECT_EQ(ErrorOf(store->MoveAcross(folder, Uids({1}), guest, bea, "INBOX", own)), Errc::kNoPermission);
  Must(store->MoveAcross(inbox, Uids({1}), own, ann, "a", guest));
  EXPECT_EQ(Must(store->GetFolder(bea, "INBOX")).messages, 0U);
  EXPECT_EQ(FlagsAt(*store, folder, 2), (std::set<std::string>{}));
  Set("a", "+15550100222", "lr");
  EXPECT_EQ(ErrorOf(store->CopyAcross(folder, Uids({1}), guest, ann, "a", guest)), Errc::kNoPermission);
}

TEST_F(AskingTest, GuestsMakeNoFoldersAtTheTop) {
  Set("a", "+15550100222", "lrk");
  EXPECT_EQ(ErrorOf(store->CreateFolder(ann, "mine", {}, guest)), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->CreateFolder(ann, "a/b/c", {}, guest)), std::nullopt);
  EXPECT_EQ(ErrorOf(store->RenameFolder(ann, "a/b/c", "mine", guest)), Errc::kNoPermission);
  Set("a/b/c", "+15550100222", "lx");
  EXPECT_EQ(ErrorOf(store->RenameFolder(ann, "a/b/c", "mine", guest)), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->RenameFolder(ann, "a/b/c", "a/d", guest)), std::nullopt);
}

// What they do is no access by the owner (spec note 6).
TEST_F(AskingTest, OperatorAndNetworkAreNotBoundByAList) {
  AppendMessage(*store, ann, "a");
  Set("a", "tel:+15550100111", "la");
  for (const Role role : {Role::kPf, Role::kOperator}) {
    EXPECT_EQ(ErrorOf(store->Read(folder, Actor({}, role))), std::nullopt);
    EXPECT_EQ(ErrorOf(store->Copy(folder, Uids({1}), "to", Actor({}, role))), std::nullopt);
  }
  EXPECT_EQ(
      ErrorOf(store->SetAcl(ann, "a", "anyone", {RightsChange::Op::kReplace, R("l")}, Actor({}, Role::kPf))),
      Errc::kNoPermission);
  EXPECT_EQ(ErrorOf(store->Read(folder)), Errc::kNoPermission);
}

/// What a guest has seen: a row of his own in `seen`, a modseq in the page, and nothing else.
TEST_F(AskingTest, AGuestsSeenIsHisOwn) {
  AppendMessage(*store, ann, "a");
  AppendMessage(*store, ann, "a", {"\\Seen"});
  Set("a", "+15550100222", "lrswi");
  const auto seen_by = [&](const Actor& actor) {
    storage::UidSet seen;
    Must(Must(store->Read(folder, actor)).States(UidRange(1, 100), [&](const storage::MessageState& state) {
      if (state.flags.Has(protocol::SystemFlag::kSeen)) seen.Add(state.uid);
    }));
    return seen;
  };
  EXPECT_EQ(seen_by(Actor()), Uids({2}));
  EXPECT_EQ(seen_by(guest), Uids({}));
  const FlagChange see{FlagChange::Op::kAdd, Flags({"\\Seen"})};
  const auto before = Must(store->GetFolder(folder)).highest_modseq;
  const auto done = Must(store->UpdateFlags(folder, Uids({1}), see, guest));
  ASSERT_EQ(done.changed.size(), 1U);
  EXPECT_TRUE(done.changed[0].flags.Has(protocol::SystemFlag::kSeen));
  EXPECT_GT(done.changed[0].modseq, before);
  EXPECT_EQ(seen_by(guest), Uids({1}));
  EXPECT_EQ(seen_by(Actor()), Uids({2}));
  EXPECT_TRUE(Must(store->UpdateFlags(folder, Uids({1}), see, guest)).changed.empty()) << "no-op";
  EXPECT_EQ(Must(store->GetFolder(folder)).unseen, 1U);
  EXPECT_EQ(Must(store->GetFolderFor(folder, bea)).unseen, 1U);
  EXPECT_EQ(Must(store->OpenFolder(folder, false, guest)).first_unseen, storage::Uid{2});
  const FlagChange none{FlagChange::Op::kReplace, Flags({})};
  Must(store->UpdateFlags(folder, Uids({1, 2}), none, guest));
  EXPECT_EQ(seen_by(guest), Uids({}));
  EXPECT_EQ(seen_by(Actor()), Uids({2})) << "the owner's stays";
  Must(store->UpdateFlags(folder, Uids({1, 2}), see, guest));
  Must(store->DeleteFolder(ann, "a"));
  store->DrainJanitor();
  Must(store.engine().OpenView()->Scan(storage::kv::Table::kSeen, {}, {}, [](auto, auto) {
    ADD_FAILURE() << "what was seen outlived its folder";
    return true;
  }));
}

/// Invariant 22, which is looked at in the end: nobody looks for what is their own.
TEST_F(AskingTest, AnOwnersInheritedEntryLeavesNothingWhenItGoes) {
  const auto owner = Must(store->GetAccount(ann)).address;
  Must(store->CreateFolder(ann, "lent", {}));
  Must(store->SetAcl(ann, "lent", owner, {protocol::RightsChange::Op::kRemove, protocol::Right::kRead}));
  Must(store->CreateFolder(ann, "lent/below", {}));
  Must(store->SetAcl(ann, "lent/below", owner, {protocol::RightsChange::Op::kAdd, protocol::Right::kRead}));
}

/// RFC 4314 §4 asks for "x" on what is deleted; a conversation takes its sessions along.
TEST(ConversationAclTest, IsDeletedWithItsSessionsOnlyByWhoMayDeleteThemAll) {
  TempStore store(Driver::kMemory, [] {
    storage::StoreOptions options = PlainMail();
    options.profile.default_folder = "Default";
    return options;
  }());
  const AccountId ann = CreateAccount(*store, "tel:+15550100111");
  const AccountId bea = CreateAccount(*store, "tel:+15550100222");
  const auto info = Must(store->GetAccount(bea));
  const Actor guest{Origin{7}, std::make_shared<const Principal>(info.id, info.address, info.aliases)};
  const auto give = [&](std::string_view path, std::string_view letters) {
    Must(store->SetAcl(ann, path, info.address, {RightsChange::Op::kReplace, R(letters)}));
  };
  for (const auto* path : {"Default/conv", "Default/conv/1", "Default/conv/2"}) {
    CreateFolder(*store, ann, path);
    give(path, "lx");
  }
  ASSERT_EQ(Must(store->GetFolder(ann, "Default/conv/2")).kind, storage::FolderKind::kSession);
  for (const auto* denied : {"l", ""}) {
    give("Default/conv/2", denied);
    EXPECT_EQ(ErrorOf(store->DeleteFolder(ann, "Default/conv", guest)), Errc::kNoPermission) << denied;
    for (const auto* path : {"Default/conv", "Default/conv/1", "Default/conv/2"})
      EXPECT_TRUE(store->GetFolder(ann, path)) << path;
  }
  give("Default/conv/2", "lx");
  Must(store->DeleteFolder(ann, "Default/conv", guest));
  EXPECT_EQ(ErrorOf(store->GetFolder(ann, "Default/conv/2")), Errc::kNoSuchFolder);
}

}  // namespace
}  // namespace tests
