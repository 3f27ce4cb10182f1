#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/bytes.h"
#include "storage/schema/rows.h"
#include "storage/store/account_lanes.h"
#include "storage/store/folder_tree.h"
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
  const auto made =
      store->CreateFolder(account, "Default/sip:+1-555-0100222@x;user=phone", SpecialUse::kNone);
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
        EXPECT_EQ(ErrorOf(store->Move(Status(source).ref, Uids({1}), target, Actor({}, role))),
                  Errc::kNotAllowed);
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

TEST_F(ModelTest, WhatTheOwnerKeepsIsTemporaryNoLonger) {
  for (const auto mover : {Role::kUser, Role::kPf}) {
    const std::string name = mover == Role::kUser ? "mine" : "theirs";
    Create("Default/" + name + "/contr");
    for (const auto& path : {"Default/" + name, "Default/" + name + "/contr"}) {
      std::vector<storage::NewMessage> messages;
      messages.push_back(NewMessage(*store, account, MessageOctets(1, 80)));
      messages.back().expiry = 1'700'000'060;
      Must(store->Append(account, path, std::move(messages), Actor({}, Role::kPf)));
    }
    EXPECT_EQ(Rename("Default/" + name, name, mover), std::nullopt);
    const std::set<std::string> expected =
        mover == Role::kUser ? std::set<std::string>{} : std::set<std::string>{"$deferred"};
    EXPECT_EQ(FlagsOf(*store, Status(name).ref).at(1), expected);
    EXPECT_EQ(FlagsOf(*store, Status(name + "/contr").ref).at(1), expected);
  }
}

TEST_F(ModelTest, NamesOfConversationsAndSessionsAreTheNetworks) {
  Create("Default/conv/contr");
  EXPECT_EQ(Rename("Default/conv", "Default/other"), Errc::kNoPermission);
  EXPECT_EQ(Rename("Default/conv/contr", "Default/conv/other"), Errc::kNoPermission);
  EXPECT_EQ(Rename("Default/conv/contr", "Default/conv/other", Role::kPf), std::nullopt);
  EXPECT_EQ(Rename("Default/conv", "Default/other", Role::kPf), std::nullopt);
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "Default/other:c", "Default/other/other:s", "INBOX:i"));
}

TEST_F(ModelTest, AConversationThatIsKeptIsNamedByItsOwner) {
  Create("Default/conv/contr");
  EXPECT_EQ(Rename("Default/conv", "conv"), std::nullopt);
  EXPECT_EQ(Rename("conv", "Trip"), std::nullopt) << "at the top, too";
  EXPECT_EQ(Rename("Trip", "Kept/Trip"), std::nullopt);
  EXPECT_EQ(Rename("Kept/Trip", "Kept/tel:+15550100222"), std::nullopt) << "nobody looks it up there";
  EXPECT_EQ(Rename("Kept/tel:+15550100222/contr", "Kept/tel:+15550100222/other"), Errc::kNoPermission);
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "INBOX:i", "Kept:u", "Kept/tel:+15550100222:c",
                                  "Kept/tel:+15550100222/contr:s"));
}

TEST_F(ModelTest, UserFoldersStayOutOfConversations) {
  Create("Default/conv/contr");
  Create("Mine/sub");
  for (const auto* to :
       {"Default/Mine", "Default/conv/Mine", "Default/conv/contr/Mine", "Default/new/Mine"}) {
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

// As recording does it.
class RecordedFolders : public ModelTest {
 protected:
  template <class F>
  storage::Result<storage::FolderId> InTree(F&& make) {
    storage::AccountLanes lanes(store.engine(), store->feed(), [] { return 0; });
    const storage::StoreOptions options = Cpm();
    storage::FolderId made;
    const auto done = lanes.Run(account, [&](storage::AccountTxn& txn) -> storage::Result<> {
      storage::FolderTree tree(txn, options, Actor({}, Role::kPf));
      ASSIGN_OR_RETURN(made, make(tree));
      return {};
    });
    if (!done) return tl::unexpected<storage::Error>(done.error());
    return made;
  }
  storage::Result<storage::FolderId> Conversation(std::string_view identity) {
    return InTree([&](storage::FolderTree& tree) { return tree.CreateConversation(identity); });
  }
  storage::Result<storage::FolderId> Session(storage::FolderId conversation, std::string_view contribution) {
    return InTree([&](storage::FolderTree& tree) { return tree.CreateSession(conversation, contribution); });
  }
};

TEST_F(RecordedFolders, AreNamedByTheirIdsAndMadeOnce) {
  const auto group = Must(Conversation("a/b%c"));
  const auto session = Must(Session(group, "*\"x"));
  EXPECT_EQ(Must(Conversation("a/b%c")), group);
  EXPECT_EQ(Must(Session(group, "*\"x")), session);
  const auto peer = Must(Conversation("tel:+15550100222"));
  EXPECT_EQ(Must(Conversation("tel:+15550100222")), peer);
  EXPECT_THAT(Tree(), ElementsAre("Default:d", "Default/a%2Fb%25c:c", "Default/a%2Fb%25c/%2A%22x:s",
                                  "Default/tel:+15550100222:c", "INBOX:i"));
  const auto made = Status("Default/a%2Fb%25c/%2A%22x");
  EXPECT_EQ(made.ref.folder, session);
  EXPECT_EQ(made.conversation_id, "a/b%c");
  EXPECT_EQ(made.contribution_id, "*\"x");
  EXPECT_EQ(Status("Default/a%2Fb%25c").conversation_id, "a/b%c");
}

TEST_F(RecordedFolders, AFolderMadeByItsNameTakesTheIdOn) {
  Create("Default/conv/contr");
  const auto conversation = Must(Conversation("conv"));
  EXPECT_EQ(conversation, Status("Default/conv").ref.folder);
  EXPECT_EQ(Must(Session(conversation, "contr")), Status("Default/conv/contr").ref.folder);
  EXPECT_EQ(Status("Default/conv").conversation_id, "conv");
  EXPECT_EQ(Status("Default/conv/contr").contribution_id, "contr");
}

TEST_F(RecordedFolders, WhatWasMovedAwayIsFoundAgain) {
  const auto kept = Must(Conversation("conv"));
  EXPECT_EQ(Rename("Default/conv", "conv"), std::nullopt);
  EXPECT_EQ(Must(Conversation("conv")), kept);
  EXPECT_EQ(Status("conv").conversation_id, "conv");
}

TEST_F(RecordedFolders, AnotherConversationsNameIsNotTaken) {
  Must(Conversation("one"));
  EXPECT_EQ(Rename("Default/one", "Default/two", Role::kPf), std::nullopt);
  EXPECT_EQ(ErrorOf(Conversation("two")), Errc::kFolderExists);
}

TEST_F(RecordedFolders, IdsWithoutANameAreRefused) {
  EXPECT_EQ(ErrorOf(Conversation("")), Errc::kInvalidArgument);
  EXPECT_EQ(ErrorOf(Conversation(std::string(10'000, '/'))), Errc::kInvalidArgument);
  const auto peer = Must(Conversation("tel:+15550100222"));
  EXPECT_EQ(ErrorOf(Session(peer, "contr")), Errc::kNotAllowed);
  EXPECT_EQ(ErrorOf(Session(Must(Conversation("g")), "")), Errc::kInvalidArgument);
}

TEST_F(ModelTest, TheCheckerKnowsWhatMayLieWhere) {
  Create("Default/conv/contr");
  Create("Mine/sub");
  /// Both rows of a folder, as they would be if it had been made as another kind.
  const auto set_kind = [&](std::string_view path, FolderKind kind) {
    storage::AccountLanes lanes(store.engine(), store->feed(), [] { return 0; });
    Must(lanes.Run(account, [&](storage::AccountTxn& txn) -> storage::Result<> {
      const auto id = Status(path).ref.folder;
      ASSIGN_OR_RETURN(auto row, txn.Folder(id));
      row.kind = static_cast<std::uint8_t>(kind);
      txn.PutFolder(id, row);
      txn.Put(storage::kv::Table::kFolderNames, storage::schema::PathKey{account, std::string(path)}.Encode(),
              storage::schema::FolderNameRow{id, row.kind, row.use}.Encode());
      return {};
    }));
  };
  const std::vector<std::pair<std::string, FolderKind>> wrong{{"Default", FolderKind::kUser},
                                                              {"Default/conv", FolderKind::kUser},
                                                              {"Default/conv/contr", FolderKind::kUser},
                                                              {"Mine/sub", FolderKind::kSession},
                                                              {"Mine", FolderKind::kDefault},
                                                              {"Mine", FolderKind::kSession},
                                                              {"Mine", FolderKind::kConversation},
                                                              {"Mine", FolderKind::kInbox},
                                                              {"INBOX", FolderKind::kUser},
                                                              {"Mine", static_cast<FolderKind>(99)}};
  for (const auto& [path, kind] : wrong) {
    const auto right = Status(path).kind;
    set_kind(path, kind);
    const auto report = Must(storage::check::Fsck(store.engine(), {.default_folder = true}));
    ASSERT_FALSE(report.violations.empty()) << path << " as " << static_cast<int>(kind);
    for (const auto& violation : report.violations) EXPECT_EQ(violation.invariant, 20) << violation.text;
    set_kind(path, right);
  }
  EXPECT_TRUE(Must(storage::check::Fsck(store.engine(), {.default_folder = true})).violations.empty());
}

class DeepModelTest : public ModelTest {
 protected:
  DeepModelTest()
      : ModelTest(Cpm({.default_folder = "cpm/all/default", .permanent_root = "RCSMessageStore"})) {}
};

TEST_F(DeepModelTest, TheSystemsFoldersMayLieAnywhere) {
  EXPECT_THAT(Tree(), ElementsAre("INBOX:i", "RCSMessageStore:r", "cpm:u", "cpm/all:u", "cpm/all/default:d"));
  EXPECT_EQ(Create("cpm/all/default/conv"), std::nullopt);
  EXPECT_EQ(Status("cpm/all/default/conv").kind, FolderKind::kConversation);
  for (const auto* above : {"cpm", "cpm/all"})
    EXPECT_EQ(Rename(above, "elsewhere", Role::kOperator), Errc::kNotAllowed);
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

// Spec note 3.4, "Default ACLs"; storage/README.md says where the store gives other rights than it names.
TEST_F(NetworkOnlyTest, MyRightsAndTheOwnersEntrySayWhatIsLeftToThem) {
  Create("Default/conv", Role::kPf);
  Create("Default/conv/contr", Role::kPf);
  Create("RCS/Mine");
  const auto letters = [&](std::string_view path, Role role) {
    return Must(store->MyRights(account, path, Actor({}, role))).Letters();
  };
  const std::vector<std::tuple<std::string, std::string, std::string>> rows{
      {"Default", "lrswteand", "lrswktencd"},
      {"Default/conv", "lrswxteancd", "lrswipkxtencd"},
      {"Default/conv/contr", "lrswxteancd", "lrswipxtencd"},
      {"INBOX", "lrswipxteancd", "lrswipkxtencd"},
      {"RCS", "lrswipkteancd", "lrswipktencd"},
      {"RCS/Mine", "lrswipkxteancd", "lrswipkxtencd"},
  };
  for (const auto& [path, owner, network] : rows) {
    EXPECT_EQ(letters(path, Role::kUser), owner) << path;
    EXPECT_EQ(letters(path, Role::kPf), network) << path;
    EXPECT_EQ(Must(store->GetAcl(account, path)).front().rights.Letters(), owner) << path;
  }
  // A conversation that its owner keeps is theirs.
  ASSERT_EQ(Rename("Default/conv", "RCS/conv"), std::nullopt);
  EXPECT_EQ(letters("RCS/conv", Role::kUser), "lrswipkxteancd");
  // What the list takes away and what the model leaves to nobody are both not told.
  Must(store->SetAcl(account, "Default", "tel:+1",
                     {protocol::RightsChange::Op::kReplace, *protocol::Rights::Parse("lrsi")}));
  EXPECT_EQ(letters("Default", Role::kUser), "lrsa");
  EXPECT_EQ(Must(store->GetAcl(account, "Default")).front().rights.Letters(), "lrsa");
}

std::string GroupState(std::string_view timestamp) {
  return fmt::format(
      "From: sip:c@x\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\n"
      "Content-Type: application/group-state-object+xml\r\n\r\n"
      "<groupstate timestamp=\"{}\" lastfocussessionid=\"sip:f@x\" group-type=\"Closed\"/>",
      timestamp);
}
const std::string kSessionInfo =
    "From: sip:c@x\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\nContent-Type: "
    "Application/X-CPM-Session\r\n\r\n<session/>";
const std::string kMail = "From: a@x\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\n\r\nHello\r\n";

class ObjectsTest : public ModelTest {
 protected:
  explicit ObjectsTest(storage::StoreOptions options = Cpm()) : ModelTest(std::move(options)) {
    Create("Default/conv/contr");
  }
  std::optional<Errc> PutOctets(std::string_view path, const std::string& octets) {
    return ErrorOf(Append(*store, account, path, {octets}));
  }
  /// "kind" or "kind!" (malformed), by UID.
  std::vector<std::string> Kinds(std::string_view path) {
    std::vector<std::string> out;
    const auto reader = Must(store->Read(Status(path).ref));
    Must(reader.Rows(UidRange(1, 0xffffffff), [&](storage::Uid, const storage::MessageRow& row) {
      out.push_back(std::to_string(static_cast<int>(row.object_kind)) + (row.malformed ? "!" : ""));
      return true;
    }));
    return out;
  }
};

constexpr std::string_view kSession = "Default/conv/contr";

TEST_F(ObjectsTest, AreClassifiedOnAppendAndCopiesAreTheSame) {
  EXPECT_EQ(PutOctets(kSession, kMail), std::nullopt);
  EXPECT_EQ(PutOctets(kSession, kSessionInfo), std::nullopt);
  EXPECT_EQ(PutOctets(kSession, GroupState("2024-05-17T18:00:00Z")), std::nullopt);
  EXPECT_EQ(PutOctets(kSession, "Content-Type: image/jpeg\r\n\r\nx"), std::nullopt);
  EXPECT_THAT(Kinds(kSession), ElementsAre("2", "8!", "9", "10"));
  Must(store->Copy(Status(kSession).ref, Uids({2, 4}), "INBOX"));
  EXPECT_THAT(Kinds("INBOX"), ElementsAre("8!", "10"));
}

TEST_F(ObjectsTest, GroupStateStaysInSessionFolders) {
  EXPECT_EQ(PutOctets("Default/conv", GroupState("2024-05-17T18:00:00Z")), Errc::kNotAllowed);
  EXPECT_EQ(PutOctets("INBOX", GroupState("2024-05-17T18:00:00Z")), Errc::kNotAllowed);
  EXPECT_EQ(PutOctets(kSession, GroupState("2024-05-17T18:00:00Z")), std::nullopt);
  EXPECT_EQ(PutOctets(kSession, kMail), std::nullopt);
  EXPECT_EQ(ErrorOf(store->Copy(Status(kSession).ref, Uids({1, 2}), "INBOX")), Errc::kNotAllowed);
  EXPECT_EQ(Status("INBOX").messages, 0U) << "all or none";
  EXPECT_EQ(ErrorOf(store->Copy(Status(kSession).ref, Uids({2}), "INBOX")), std::nullopt);
}

TEST_F(ObjectsTest, ARefusedCopyNamesWhatToLeaveOut) {
  const auto state = GroupState("2024-05-17T18:00:00Z");
  Must(Append(*store, account, kSession, {kMail, state, state, kMail, state}));
  const auto refused = store->Copy(Status(kSession).ref, UidRange(1, 9), "INBOX");
  EXPECT_EQ(ErrorOf(refused), Errc::kNotAllowed);
  EXPECT_THAT(refused.error().detail, HasSubstr("leave out UID 2:3,5"));
  EXPECT_EQ(ErrorOf(store->Copy(Status(kSession).ref, Uids({1, 4}), "INBOX")), std::nullopt);
  // Not without end: a status line is for a person to read.
  for (int i = 0; i < 25; ++i) Must(Append(*store, account, kSession, {state, kMail}));
  const auto many = store->Copy(Status(kSession).ref, UidRange(4, 99), "INBOX");
  EXPECT_THAT(many.error().detail, testing::EndsWith(",44 and 5 more"));
}

TEST_F(ObjectsTest, ARefusedMoveNamesThemToo) {
  Must(Append(*store, account, "INBOX", {kMail, kSessionInfo, kMail}));
  const auto refused = store->Move(Status("INBOX").ref, UidRange(1, 3), "Default/conv");
  EXPECT_EQ(ErrorOf(refused), Errc::kNotAllowed);
  EXPECT_THAT(refused.error().detail, HasSubstr("leave out UID 2"));
  EXPECT_EQ(Status("INBOX").messages, 3U);
}

TEST_F(ObjectsTest, ALongCopyThatMeetsAGroupStateLeavesNothing) {
  Fill(*store, account, kSession, 150);
  EXPECT_EQ(PutOctets(kSession, GroupState("2024-05-17T18:00:00Z")), std::nullopt);
  EXPECT_EQ(ErrorOf(store->Copy(Status(kSession).ref, UidRange(1, 200), "INBOX")), Errc::kNotAllowed);
  store->DrainJanitor();
  EXPECT_EQ(Status("INBOX").messages, 0U);
}

class StrictObjectsTest : public ObjectsTest {
 protected:
  StrictObjectsTest() : ObjectsTest(Cpm({.strict = true})) {}
};

TEST_F(StrictObjectsTest, WhatIsMalformedIsRefusedWithTheFault) {
  const auto done = Append(*store, account, kSession, {kMail, GroupState("")});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::kNotAllowed);
  EXPECT_THAT(done.error().detail, HasSubstr("timestamp"));
  EXPECT_EQ(Status(kSession).messages, 0U);
  EXPECT_EQ(PutOctets(kSession, GroupState("2024-05-17T18:00:00Z")), std::nullopt);
  EXPECT_EQ(PutOctets("INBOX", kMail), std::nullopt);
}

TEST_F(StrictObjectsTest, TheRefusalSaysWhatIsWrong) {
  const auto refusal = [&](std::string_view type, std::string_view body) {
    const auto done = Append(*store, account, kSession,
                             {fmt::format("Content-Type: {}\r\nFrom: a@b\r\n\r\n{}", type, body)});
    EXPECT_EQ(ErrorOf(done), Errc::kNotAllowed);
    return done ? "" : done.error().detail;
  };
  EXPECT_THAT(refusal("message/cpim", "From: <a>\r\n\r\nContent-Length: 9\r\n\r\nHi"),
              HasSubstr("the Content-Length in the CPIM message is 9, but 2 octets follow"));
  EXPECT_THAT(refusal("message/imdn+xml", "<!DOCTYPE imdn [<!ENTITY a 'lol'>]><imdn>&a;</imdn>"),
              HasSubstr("the XML has a document type declaration"));
  EXPECT_THAT(refusal("application/x-cpm-session", "<session/>"), HasSubstr("no session-type"));
  EXPECT_EQ(Status(kSession).messages, 0U);
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
  for (const auto* path :
       {"Default/tel:+15550100222", "Default/conv/contr", "RCS/Family", "Default/gone/contr"})
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
  for (const auto* path : {"Default/a/b/c/d", "Default/a/b/e", "Default-moved/a/b/e", "Default/f/g/h"})
    Create(path);
  Must(store->DeleteFolder(account, "Default/f/g"));
  Put("Default/a/b/c/d");
  Upgrade(Cpm());
  EXPECT_THAT(Tree(),
              ElementsAre("Default:d", "Default/a:c", "Default/a/b:s", "Default/f:c", "Default-moved:u",
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
