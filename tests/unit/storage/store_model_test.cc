#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/bytes.h"
#include "storage/schema/rows.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

// The CPM model in the store: what is made of which kind, what moves, what is deleted, and how a store from
// before kinds comes to have them. The rules themselves are in model_rules_test.cc.

namespace tests {
namespace {

using protocol::SpecialUse;
using storage::Actor;
using storage::Errc;
using storage::FolderKind;
using storage::Role;
using testing::ElementsAre;
using testing::HasSubstr;

storage::StoreOptions Cpm(storage::Profile profile = {}) {
  storage::StoreOptions options;
  options.profile = std::move(profile);
  return options;
}

constexpr std::string_view kLetters = "uidcsr";

class ModelTest : public testing::Test {
 protected:
  explicit ModelTest(storage::StoreOptions options = Cpm()) : store(Driver::kMemory, std::move(options)) {}

  std::optional<Errc> Create(std::string_view path, Role role = Role::kUser) {
    return ErrorOf(store->CreateFolder(account, path, SpecialUse::kNone, Actor({}, role)));
  }
  std::optional<Errc> Rename(std::string_view from, std::string_view to, Role role = Role::kUser) {
    return ErrorOf(store->RenameFolder(account, from, to, Actor({}, role)));
  }
  std::optional<Errc> Put(std::string_view path, Role role = Role::kUser) {
    std::vector<storage::NewMessage> messages;
    messages.push_back(NewMessage(*store, account, MessageOctets(1, 80)));
    return ErrorOf(store->Append(account, path, std::move(messages), Actor({}, role)));
  }
  storage::FolderStatus Status(std::string_view path) { return Must(store->GetFolder(account, path)); }
  /// "path:kind" in path order, with u i d c s r for the kinds; in brackets: \Noselect.
  std::vector<std::string> Tree() {
    std::vector<std::string> out;
    for (const auto& entry : Must(store->ListFolders(account))) {
      const auto kind = kLetters[static_cast<std::size_t>(entry.kind)];
      const auto name = entry.id.value == 0 ? "(" + entry.path + ")" : entry.path;
      out.push_back(name + ":" + kind);
      if (entry.id.value != 0) EXPECT_EQ(Status(entry.path).kind, entry.kind) << entry.path;
    }
    return out;
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
};

TEST_F(ModelTest, AnAccountBeginsWithItsDefaultFolder) {
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i"));
  EXPECT_THAT(Must(store->ListSubscriptions(account)), ElementsAre("Default"));
}

TEST_F(ModelTest, ThePlaceMakesTheKind) {
  EXPECT_EQ(Create("Default/tel:+15550100222"), std::nullopt);
  EXPECT_EQ(Create("Default/conv/contr"), std::nullopt);
  EXPECT_EQ(Create("Friends/Anna"), std::nullopt);
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "Default/conv:c", "Default/conv/contr:s",
                                  "Default/tel:+15550100222:c", "Friends:u", "Friends/Anna:u", "INBOX:i"));
  EXPECT_EQ(Status("Default/tel:+15550100222").conversation_id, "tel:+15550100222");
  EXPECT_EQ(Status("Default/conv").conversation_id, "");
  EXPECT_EQ(Create("Default/conv/contr/deeper"), Errc::kNotAllowed);
  EXPECT_EQ(Create("Default/a/b/c"), Errc::kNotAllowed);
  EXPECT_EQ(Create("Default/tel:+15550100222/contr"), Errc::kNotAllowed);
  EXPECT_EQ(Create("Default/tel:+15550100333/contr"), Errc::kNotAllowed);
  EXPECT_EQ(Tree().size(), 7U) << "a refused CREATE leaves no superiors";
}

TEST_F(ModelTest, OnePeerHasOneFolder) {
  const auto made = store->CreateFolder(account, "Default/sip:+1-555-0100222@x;user=phone", SpecialUse::kNone);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::kNotAllowed);
  EXPECT_THAT(made.error().detail, HasSubstr("\"tel:+15550100222\""));
}

TEST_F(ModelTest, ObjectsGoIntoConversationsNotIntoDefault) {
  Create("Default/conv/contr");
  EXPECT_EQ(Put("Default"), Errc::kNotAllowed);
  EXPECT_EQ(Put("Default", Role::kPf), Errc::kNotAllowed);
  EXPECT_EQ(Put("Default/conv"), std::nullopt);
  EXPECT_EQ(Put("Default/conv/contr"), std::nullopt);
  const auto conversation = Status("Default/conv").ref;
  EXPECT_EQ(ErrorOf(store->Copy(conversation, Uids({1}), "Default")), Errc::kNotAllowed);
  EXPECT_EQ(ErrorOf(store->Copy(conversation, Uids({9}), "Default")), Errc::kNotAllowed);
  EXPECT_EQ(ErrorOf(store->Copy(conversation, Uids({1}), "INBOX")), std::nullopt);
  for (const Role role : {Role::kUser, Role::kPf, Role::kOperator}) {
    for (const auto* source : {"Default/conv", "Default/conv/contr"}) {
      for (const auto* target : {"INBOX", "Default/conv", "Default/conv/contr"})
        EXPECT_EQ(ErrorOf(store->Move(Status(source).ref, Uids({1}), target, Actor({}, role))), Errc::kNotAllowed);
    }
  }
  EXPECT_EQ(ErrorOf(store->Move(Status("INBOX").ref, Uids({1}), "Default/conv")), std::nullopt);
}

TEST_F(ModelTest, AConversationMovesAsAWholeAndIsTheSameFolder) {
  Create("Default/conv/contr");
  Put("Default/conv");
  Put("Default/conv/contr");
  const auto before = Status("Default/conv");
  const auto session = Status("Default/conv/contr");
  EXPECT_EQ(Rename("Default/conv", "Kept/2023/conv"), std::nullopt);
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i", "Kept:u", "Kept/2023:u", "Kept/2023/conv:c",
                                  "Kept/2023/conv/contr:s"));
  const auto after = Status("Kept/2023/conv");
  EXPECT_EQ(after.ref, before.ref);
  EXPECT_EQ(after.uid_validity, before.uid_validity);
  EXPECT_EQ(after.uid_next, before.uid_next);
  EXPECT_EQ(Status("Kept/2023/conv/contr").ref, session.ref);
  EXPECT_EQ(Must(store->Read(session.ref)).status().messages, 1U);

  EXPECT_EQ(Rename("Kept/2023/conv", "conv"), std::nullopt) << "between user folders";
  for (const Role role : {Role::kUser, Role::kPf, Role::kOperator}) {
    EXPECT_EQ(Rename("conv", "Default/conv", role), Errc::kNotAllowed) << "and never back";
    EXPECT_EQ(Rename("conv/contr", "contr", role), Errc::kNotAllowed);
  }
  EXPECT_EQ(Create("conv/another"), std::nullopt);
  EXPECT_EQ(Status("conv/another").kind, FolderKind::kSession);
  EXPECT_EQ(Create("conv/another/below"), Errc::kNotAllowed);
}

TEST_F(ModelTest, NamesOfConversationsAndSessionsAreTheNetworks) {
  Create("Default/conv/contr");
  EXPECT_EQ(Rename("Default/conv", "Default/other"), Errc::kNoPermission);
  EXPECT_EQ(Rename("Default/conv/contr", "Default/conv/other"), Errc::kNoPermission);
  EXPECT_EQ(Rename("Default/conv/contr", "Default/conv/other", Role::kPf), std::nullopt);
  EXPECT_EQ(Rename("Default/conv", "Default/other", Role::kPf), std::nullopt);
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "Default/other:c", "Default/other/other:s", "INBOX:i"));
}

TEST_F(ModelTest, UserFoldersStayOutOfConversations) {
  Create("Default/conv/contr");
  Create("Mine/sub");
  for (const auto* to : {"Default/Mine", "Default/conv/Mine", "Default/conv/contr/Mine", "Default/new/Mine"}) {
    EXPECT_EQ(Rename("Mine", to, Role::kOperator), Errc::kNotAllowed) << to;
    EXPECT_EQ(Rename("INBOX", to, Role::kOperator), Errc::kNotAllowed) << to;
  }
  EXPECT_EQ(Rename("Default/conv", "Mine/sub/conv"), std::nullopt);
  EXPECT_EQ(Rename("Mine", "Yours"), std::nullopt) << "with a conversation in it";
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i", "Yours:u", "Yours/sub:u", "Yours/sub/conv:c",
                                  "Yours/sub/conv/contr:s"));
}

TEST_F(ModelTest, ADeletedConversationTakesItsSessionsAlong) {
  for (int i = 0; i < 40; ++i) Create(fmt::format("Default/conv/{}", i));
  Put("Default/conv");
  Put("Default/conv/7");
  Must(store->DeleteFolder(account, "Default/conv/8"));
  Must(store->DeleteFolder(account, "Default/conv"));
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i"));
  const auto info = Must(store->GetAccount(account));
  EXPECT_EQ(info.folders, 2U);
  EXPECT_EQ(info.used_messages, 0U);
  store->DrainJanitor();
  EXPECT_EQ(Create("Default/conv"), std::nullopt);
}

TEST_F(ModelTest, ADeletedUserFolderLeavesWhatLiesBelow) {
  Create("Default/conv/contr");
  Create("Mine");
  Rename("Default/conv", "Mine/conv");
  Must(store->DeleteFolder(account, "Mine"));
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i", "(Mine):u", "Mine/conv:c", "Mine/conv/contr:s"));
  Must(store->DeleteFolder(account, "Mine/conv"));
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i"));
}

TEST_F(ModelTest, TheDefaultFolderStaysWhereItIs) {
  for (const Role role : {Role::kUser, Role::kPf, Role::kOperator}) {
    EXPECT_EQ(Rename("Default", "Other", role), Errc::kNotAllowed);
    EXPECT_EQ(ErrorOf(store->DeleteFolder(account, "Default", Actor({}, role))), Errc::kNotAllowed);
  }
}

class DeepModelTest : public ModelTest {
 protected:
  DeepModelTest() : ModelTest(Cpm({.default_folder = "cpm/all/default", .permanent_root = "RCSMessageStore"})) {}
};

TEST_F(DeepModelTest, TheSystemsFoldersMayLieAnywhere) {
  EXPECT_THAT(Tree(), ElementsAre("INBOX:i", "RCSMessageStore:r", "cpm:u", "cpm/all:u", "cpm/all/default:d"));
  EXPECT_EQ(Create("cpm/all/default/conv"), std::nullopt);
  EXPECT_EQ(Status("cpm/all/default/conv").kind, FolderKind::kConversation);
  for (const auto* above : {"cpm", "cpm/all"}) EXPECT_EQ(Rename(above, "elsewhere", Role::kOperator), Errc::kNotAllowed);
  Must(store->DeleteFolder(account, "cpm/all"));
  EXPECT_EQ(Status("cpm/all/default").kind, FolderKind::kDefault);
  EXPECT_EQ(Rename("RCSMessageStore", "x", Role::kOperator), Errc::kNotAllowed);
  EXPECT_EQ(ErrorOf(store->DeleteFolder(account, "RCSMessageStore")), Errc::kNotAllowed);
  EXPECT_EQ(Rename("cpm/all/default/conv", "RCSMessageStore/conv"), std::nullopt);
  EXPECT_EQ(Put("RCSMessageStore"), std::nullopt);
}

class NetworkOnlyTest : public ModelTest {
 protected:
  NetworkOnlyTest()
      : ModelTest(Cpm({.owner_may_write_default = false,
                       .permanent_root = "RCS",
                       .user_folders_only_below_root = true})) {}
};

TEST_F(NetworkOnlyTest, TheOwnerReadsMovesAndDeletes) {
  EXPECT_EQ(Create("Default/conv"), Errc::kNoPermission);
  EXPECT_EQ(Create("Default/conv/contr", Role::kPf), std::nullopt);
  Put("INBOX");
  for (const auto* path : {"Default/conv", "Default/conv/contr"}) {
    EXPECT_EQ(Put(path), Errc::kNoPermission);
    EXPECT_EQ(Put(path, Role::kPf), std::nullopt);
    EXPECT_EQ(ErrorOf(store->Copy(Status("INBOX").ref, Uids({1}), path)), Errc::kNoPermission);
    EXPECT_EQ(ErrorOf(store->Move(Status("INBOX").ref, Uids({1}), path)), Errc::kNoPermission);
  }
  EXPECT_EQ(Create("Default/conv/another"), Errc::kNoPermission);
  EXPECT_EQ(Rename("Default/conv", "RCS/conv"), std::nullopt);
  EXPECT_EQ(Put("RCS/conv"), std::nullopt) << "it is the owner's now";
  Must(store->DeleteFolder(account, "RCS/conv"));
}

TEST_F(NetworkOnlyTest, TheOwnersFoldersLieBelowTheRoot) {
  EXPECT_EQ(Create("Mine"), Errc::kNoPermission);
  EXPECT_EQ(Create("INBOX/Mine"), Errc::kNoPermission);
  EXPECT_EQ(Create("Mine", Role::kOperator), std::nullopt);
  EXPECT_EQ(Create("RCS/a/b"), std::nullopt);
  EXPECT_EQ(Rename("RCS/a", "a"), Errc::kNoPermission);
  EXPECT_EQ(Rename("RCS/a", "RCS/c"), std::nullopt);
  EXPECT_EQ(Rename("Mine", "RCS/Mine"), std::nullopt);
  Create("Default/conv", Role::kPf);
  EXPECT_EQ(Rename("Default/conv", "conv"), Errc::kNoPermission);
}

TEST(ModelLimitTest, AnAccountKeepsItsPlaceWhenTheProfileChanges) {
  TempStore store(Driver::kMemory, Cpm());
  const auto account = CreateAccount(*store);
  store.Reopen(Cpm({.default_folder = "Elsewhere"}));
  Must(store->CreateFolder(account, "Elsewhere/x", SpecialUse::kNone));
  EXPECT_EQ(Must(store->GetFolder(account, "Elsewhere/x")).kind, FolderKind::kUser);
  Must(store->CreateFolder(account, "Default/x", SpecialUse::kNone));
  EXPECT_EQ(Must(store->GetFolder(account, "Default/x")).kind, FolderKind::kConversation);
}

/// A store as format 1 left it: all folders but INBOX are user folders.
class OldStoreTest : public ModelTest {
 protected:
  OldStoreTest() : ModelTest(PlainMail()) {}
  void Upgrade(storage::StoreOptions options) {
    storage::kv::Batch batch;
    batch.Put(storage::kv::Table::kMeta, "format", storage::schema::Writer().U32(1).Take());
    Must(store.engine().Apply(batch, storage::kv::Durability::kNow));
    store.Reopen(std::move(options));
  }
};

TEST_F(OldStoreTest, FoldersGetTheirKinds) {
  for (const auto* path : {"Default/tel:+15550100222", "Default/conv/contr", "RCS/Family", "Default/gone/contr"})
    Create(path);
  Must(store->DeleteFolder(account, "Default/gone"));
  Put("Default/conv/contr");
  const auto before = Status("Default/conv/contr");
  Upgrade(Cpm({.permanent_root = "RCS"}));
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "Default/conv:c", "Default/conv/contr:s", "Default/gone:c",
                                  "Default/gone/contr:s", "Default/tel:+15550100222:c", "INBOX:i", "RCS:r",
                                  "RCS/Family:u"));
  EXPECT_EQ(Status("Default/tel:+15550100222").conversation_id, "tel:+15550100222");
  const auto after = Status("Default/conv/contr");
  EXPECT_EQ(after.ref, before.ref);
  EXPECT_EQ(after.uid_validity, before.uid_validity);
  EXPECT_EQ(after.messages, 1U);
}

TEST_F(OldStoreTest, WhatIsMissingIsMade) {
  Upgrade(Cpm({.default_folder = "cpm/default", .permanent_root = "RCS"}));
  EXPECT_THAT(Tree(), ElementsAre("INBOX:i", "RCS:r", "cpm:u", "cpm/default:d"));
}

TEST_F(OldStoreTest, WhatLiesTooDeepMovesOut) {
  for (const auto* path : {"Default/a/b/c/d", "Default/a/b/e", "Default-moved/a/b/e", "Default/f/g/h"}) Create(path);
  Must(store->DeleteFolder(account, "Default/f/g"));
  Put("Default/a/b/c/d");
  Upgrade(Cpm());
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "Default/a:c", "Default/a/b:s", "Default/f:c", "Default-moved:u",
                                  "Default-moved/a:u", "Default-moved/a/b:u", "Default-moved/a/b/c:u",
                                  "Default-moved/a/b/c/d:u", "Default-moved/a/b/e:u", "Default-moved/a/b/e-2:u",
                                  "Default-moved/f:u", "Default-moved/f/g:u", "Default-moved/f/g/h:u", "INBOX:i"));
  EXPECT_EQ(Status("Default-moved/a/b/c/d").messages, 1U);
}

TEST_F(OldStoreTest, ItHappensOnceAndAnInterruptedOneIsMadeUpFor) {
  Create("Default/conv");
  const auto other = CreateAccount(*store, "tel:+2");
  Upgrade(Cpm());
  // As if the last step, the format, had not been written: all is done again, and nothing changes.
  const auto once = Tree();
  const auto modseq = Must(store->GetAccount(account)).modseq;
  Upgrade(Cpm());
  EXPECT_EQ(Tree(), once);
  EXPECT_EQ(Must(store->GetAccount(account)).modseq, modseq);
  EXPECT_EQ(Must(store->GetFolder(other, "Default")).kind, FolderKind::kDefault);
  // Later starts look at no folder.
  EXPECT_EQ(Rename("Default/conv", "conv"), std::nullopt);
  store.Reopen();
  EXPECT_EQ(Status("conv").kind, FolderKind::kConversation);
}

TEST_F(OldStoreTest, AFullAccountAndADeletedOneDoNotKeepTheStoreFromOpening) {
  Create("x");
  const auto gone = CreateAccount(*store, "tel:+2");
  Must(store->DeleteAccount(gone));
  auto options = Cpm();
  options.max_folders = 2;
  Upgrade(options);
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i", "x:u"));
}

}  // namespace
}  // namespace tests
