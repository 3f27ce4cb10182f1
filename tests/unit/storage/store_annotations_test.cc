#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/schema/rows.h"
#include "storage/store/account_lanes.h"
#include "storage/store/annotation_edit.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

// METADATA (RFC 5464) as the store keeps it.

namespace tests {
namespace {

using protocol::MetadataDepth;
using storage::Actor;
using storage::Annotation;
using storage::AnnotationChange;
using storage::AnnotationQuery;
using storage::Errc;
using storage::FolderId;
using storage::Origin;
using storage::Role;
using storage::ServerAnnotation;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kCpm = "/shared/vendor/vendor.oma/cpm/";
constexpr auto kNil = std::nullopt;

class AnnotationsTest : public testing::Test {
 protected:
  explicit AnnotationsTest(storage::StoreOptions options = {}) : store(Driver::kMemory, std::move(options)) {}

  std::optional<Errc> Set(std::string_view path, const std::vector<AnnotationChange>& changes,
                          Role role = Role::kUser) {
    return ErrorOf(store->SetAnnotations(account, path, changes, account, Actor(Origin{9}, role)));
  }
  std::string WhyNot(std::string_view path, const std::vector<AnnotationChange>& changes,
                     Role role = Role::kUser) {
    const auto done = store->SetAnnotations(account, path, changes, account, Actor({}, role));
    return done ? "" : done.error().detail;
  }
  storage::AnnotationAnswer Get(std::string_view path, std::vector<std::string> entries,
                                MetadataDepth depth = MetadataDepth::kEntry,
                                std::optional<std::uint64_t> max_size = {}) {
    return Must(store->GetAnnotations(account, path, {std::move(entries), depth, max_size}, account));
  }
  std::optional<std::string> Value(std::string_view path, std::string entry) {
    return Get(path, {std::move(entry)}).found.at(0).value;
  }
  /// "name=value" of all below `entry`.
  std::vector<std::string> Below(std::string_view path, std::string entry,
                                 MetadataDepth depth = MetadataDepth::kInfinity) {
    std::vector<std::string> out;
    for (const auto& found : Get(path, {std::move(entry)}, depth).found)
      out.push_back(found.entry + "=" + found.value.value_or("(none)"));
    return out;
  }
  /// As the code that appends and expunges does.
  void Keep(std::string_view path, ServerAnnotation name, std::optional<std::string> value) {
    const auto folder = Must(store->GetFolder(account, path)).ref.folder;
    storage::AccountLanes lanes(store.engine(), store->feed(), [] { return 0; });
    Must(lanes.Run(account, [&](storage::AccountTxn& txn) {
      return storage::SetServerAnnotation(txn, folder, name, value);
    }));
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
};

TEST_F(AnnotationsTest, AreSetReplacedAndRemovedWithoutRegardToCase) {
  EXPECT_EQ(Set("INBOX", {{"/private/Comment", "one"}, {"/shared/comment", "two"}}), std::nullopt);
  EXPECT_EQ(Value("INBOX", "/PRIVATE/comment"), "one");
  EXPECT_EQ(Get("INBOX", {"/Shared/Comment"}).found,
            (std::vector<Annotation>{{"/Shared/Comment", "two", false}}));
  EXPECT_EQ(Set("INBOX", {{"/private/COMMENT", "three"}}), std::nullopt);
  EXPECT_THAT(Below("INBOX", "/private"), ElementsAre("/private/COMMENT=three"));
  EXPECT_EQ(Set("INBOX", {{"/PRIVATE/COMMENT", kNil}}), std::nullopt);
  EXPECT_EQ(Value("INBOX", "/private/comment"), kNil);
  EXPECT_EQ(Value("INBOX", "/shared/comment"), "two");
  EXPECT_EQ(Value("", "/private/comment"), kNil);
}

TEST_F(AnnotationsTest, AnEmptyValueIsAValueAndOctetsAreKept) {
  const std::string octets("\0\xff\r\n\"\\", 6);
  EXPECT_EQ(Set("INBOX", {{"/private/a", ""}, {"/private/b", octets}}), std::nullopt);
  EXPECT_EQ(Value("INBOX", "/private/a"), "");
  EXPECT_EQ(Value("INBOX", "/private/b"), octets);
}

TEST_F(AnnotationsTest, OfTheServerArePerAccountAndOfAFolderPerFolder) {
  const auto other = CreateAccount(*store, "tel:+2");
  EXPECT_EQ(Set("", {{"/private/comment", "mine"}}), std::nullopt);
  EXPECT_EQ(Must(store->GetAnnotations(other, "", {{"/private/comment"}}, other)).found.at(0).value, kNil);
  Must(store->CreateFolder(account, "a", protocol::SpecialUse::kNone));
  EXPECT_EQ(Set("a", {{"/private/comment", "a's"}}), std::nullopt);
  EXPECT_EQ(Value("INBOX", "/private/comment"), kNil);
}

TEST_F(AnnotationsTest, PrivateOnesArePerViewer) {
  const auto viewer = CreateAccount(*store, "tel:+2");
  EXPECT_EQ(Set("INBOX", {{"/private/comment", "owner's"}, {"/shared/comment", "all's"}}), std::nullopt);
  Must(store->SetAnnotations(account, "INBOX", {{"/private/comment", "viewer's"}}, viewer));
  EXPECT_EQ(Value("INBOX", "/private/comment"), "owner's");
  const AnnotationQuery all{{"/private", "/shared/comment"}, MetadataDepth::kInfinity, {}};
  EXPECT_EQ(Must(store->GetAnnotations(account, "INBOX", all, viewer)).found,
            (std::vector<Annotation>{{"/private/comment", "viewer's", false},
                                     {"/shared/comment", "all's", false}}));
}

TEST_F(AnnotationsTest, DepthReachesAsFarAsItSays) {
  // RFC 5464 §4.2.2. A longer name is no inferior, and neither is "/private/a-b", which sorts between.
  for (const auto* name :
       {"/private/a", "/private/a-b", "/private/a/x", "/private/a/x/y", "/private/ab", "/shared/a/x"})
    EXPECT_EQ(Set("INBOX", {{name, "v"}}), std::nullopt);
  EXPECT_THAT(Below("INBOX", "/private/a", MetadataDepth::kEntry), ElementsAre("/private/a=v"));
  EXPECT_THAT(Below("INBOX", "/Private/a", MetadataDepth::kChildren),
              ElementsAre("/Private/a=v", "/private/a/x=v"));
  EXPECT_THAT(Below("INBOX", "/private/a"),
              ElementsAre("/private/a=v", "/private/a/x=v", "/private/a/x/y=v"));
  EXPECT_THAT(Below("INBOX", "/private", MetadataDepth::kChildren),
              ElementsAre("/private/a=v", "/private/a-b=v", "/private/ab=v"));
  // What was named need not have a value, and nothing is told twice.
  EXPECT_THAT(Below("INBOX", "/private/none"), IsEmpty());
  EXPECT_EQ(Get("INBOX", {"/private/a", "/private/a/X"}, MetadataDepth::kInfinity).found.size(), 3U);
}

TEST_F(AnnotationsTest, LongValuesAreLeftOutAndTheLongestIsTold) {
  // RFC 5464 §4.2.1.
  EXPECT_EQ(Set("INBOX", {{"/shared/a", "1234"}, {"/shared/b", "12345"}, {"/shared/c", "1234567"}}),
            std::nullopt);
  const auto some =
      Get("INBOX", {"/shared/a", "/shared/b", "/shared/c", "/shared/d"}, MetadataDepth::kEntry, 4);
  EXPECT_EQ(some.found, (std::vector<Annotation>{{"/shared/a", "1234", false}, {"/shared/d", kNil, false}}));
  EXPECT_EQ(some.longest_left_out, 7U);
  EXPECT_EQ(Get("INBOX", {"/shared"}, MetadataDepth::kChildren, 7).longest_left_out, 0U);
}

TEST_F(AnnotationsTest, WrongNamesAreRefused) {
  for (const auto* name :
       {"", "comment", "/comment", "/shared", "/shared/", "/shared//a", "/shared/a*", "/shared/%",
        "/shared/\x01", "/shared/\xc3\xa9", "/private/vendor/cmu", "/sharedcomment/a"}) {
    EXPECT_EQ(Set("INBOX", {{name, "v"}}), Errc::kInvalidArgument) << name;
    EXPECT_EQ(ErrorOf(store->GetAnnotations(account, "INBOX", {{name}}, account)), Errc::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(Set("INBOX", {{"/shared/" + std::string(600, 'x'), "v"}}), Errc::kInvalidArgument);
  EXPECT_EQ(Set("INBOX", {{"/shared/a\0b" + std::string(1, '\0'), "v"}}), Errc::kInvalidArgument);
}

TEST_F(AnnotationsTest, NeedAFolder) {
  EXPECT_EQ(Set("none", {{"/shared/comment", "v"}}), Errc::kNoSuchFolder);
  EXPECT_EQ(ErrorOf(store->GetAnnotations(account, "none", {{"/shared/comment"}}, account)),
            Errc::kNoSuchFolder);
  EXPECT_EQ(Set("a\x01", {{"/shared/comment", "v"}}), Errc::kNoSuchFolder);
  Must(store->CreateFolder(account, "a/b", protocol::SpecialUse::kNone));
  Must(store->DeleteFolder(account, "a"));
  EXPECT_EQ(Set("a", {{"/shared/comment", "v"}}), Errc::kNotAllowed);
  EXPECT_EQ(ErrorOf(store->GetAnnotations(account, "a", {{"/shared/comment"}}, account)), Errc::kNotAllowed);
  Must(store->DeleteAccount(account));
  EXPECT_EQ(Set("INBOX", {{"/shared/comment", "v"}}), Errc::kNoSuchAccount);
  EXPECT_EQ(ErrorOf(store->GetAnnotations(account, "", {{"/shared/comment"}}, account)),
            Errc::kNoSuchAccount);
}

TEST_F(AnnotationsTest, FollowARenameAndEndWithTheirFolder) {
  // RFC 5464 §4.1.
  Must(store->CreateFolder(account, "a/b", protocol::SpecialUse::kNone));
  EXPECT_EQ(Set("a/b", {{"/private/comment", "b's"}}), std::nullopt);
  Must(store->RenameFolder(account, "a", "c"));
  EXPECT_EQ(Value("c/b", "/private/comment"), "b's");
  Must(store->DeleteFolder(account, "c/b"));
  Must(store->CreateFolder(account, "c/b", protocol::SpecialUse::kNone));
  EXPECT_EQ(Value("c/b", "/private/comment"), kNil);
  store.Reopen();
  EXPECT_EQ(Value("c/b", "/private/comment"), kNil);
}

TEST_F(AnnotationsTest, RenamingInboxLeavesACopyOnBoth) {
  EXPECT_EQ(Set("INBOX", {{"/private/comment", "mine"}, {"/shared/a", "b"}}), std::nullopt);
  Must(store->RenameFolder(account, "INBOX", "old"));
  EXPECT_EQ(Value("INBOX", "/private/comment"), "mine");
  EXPECT_EQ(Value("old", "/private/comment"), "mine");
  EXPECT_EQ(Value("old", "/shared/a"), "b");
  EXPECT_EQ(Set("old", {{"/private/comment", "old's"}}), std::nullopt);
  EXPECT_EQ(Value("INBOX", "/private/comment"), "mine");
}

TEST_F(AnnotationsTest, RenamingALongInboxCopiesThemToo) {
  Fill(*store, account, "INBOX", 250);
  EXPECT_EQ(Set("INBOX", {{"/private/comment", "mine"}}), std::nullopt);
  Must(store->RenameFolder(account, "INBOX", "old"));
  EXPECT_EQ(Value("old", "/private/comment"), "mine");
  EXPECT_EQ(Value("INBOX", "/private/comment"), "mine");
}

TEST_F(AnnotationsTest, EndWithTheAccount) {
  EXPECT_EQ(Set("", {{"/private/comment", "mine"}}), std::nullopt);
  EXPECT_EQ(Set("INBOX", {{"/private/comment", "mine"}}), std::nullopt);
  Must(store->DeleteAccount(account));
  store->DrainJanitor();
  std::size_t rows = 0;
  Must(store.engine().OpenView()->Scan(storage::kv::Table::kAnnotations, {}, {}, [&](auto, auto) {
    ++rows;
    return true;
  }));
  EXPECT_EQ(rows, 0U);
}

// What the store keeps itself

TEST_F(AnnotationsTest, DefaultFolderLocationAnswersUnderAnyNameThatEndsSo) {
  const std::string canonical = kCpm + "DefaultFolderLocation";
  EXPECT_EQ(Value("", canonical), "Default");
  for (const auto* name :
       {"/shared/vendor/vendor.oma/CPM/defaultfolderlocation", "/private/DefaultFolderLocation",
        "/shared/vendor/oma/cpm/2.0/DEFAULTFOLDERLOCATION"}) {
    EXPECT_EQ(Get("", {name}).found, (std::vector<Annotation>{{name, "Default", true}}));
    for (const Role role : {Role::kUser, Role::kPf, Role::kOperator})
      EXPECT_EQ(Set("", {{name, "Elsewhere"}}, role), Errc::kNotAllowed) << name;
  }
  EXPECT_THAT(Below("", "/shared/vendor"), ElementsAre(canonical + "=Default"));
  EXPECT_THAT(Below("", "/shared/vendor", MetadataDepth::kChildren), IsEmpty());
  EXPECT_EQ(Value("", "/shared/vendor/vendor.oma/cpm/XDefaultFolderLocation"), kNil);
  EXPECT_EQ(Value("INBOX", canonical), kNil);
}

class ProfiledAnnotationsTest : public AnnotationsTest {
 protected:
  ProfiledAnnotationsTest()
      : AnnotationsTest(
            {.profile = {.default_folder = "Chats/All", .admin_contact = "mailto:op@example.com"}}) {}
};

TEST_F(ProfiledAnnotationsTest, TheProfileSaysWhereAndWho) {
  EXPECT_EQ(Value("", kCpm + "DefaultFolderLocation"), "Chats/All");
  EXPECT_EQ(Value("", "/shared/admin"), "mailto:op@example.com");
  // RFC 5464 §3.2.1.1: always read-only.
  EXPECT_EQ(Set("", {{"/shared/admin", "mailto:me@example.com"}}), Errc::kNotAllowed);
  EXPECT_EQ(Set("", {{"/shared/admin", kNil}}, Role::kOperator), Errc::kNotAllowed);
  EXPECT_EQ(Value("INBOX", "/shared/admin"), kNil);
}

TEST_F(AnnotationsTest, TheServersCommentIsTheOperators) {
  EXPECT_EQ(Value("", "/shared/admin"), kNil);
  EXPECT_EQ(Set("", {{"/shared/comment", "v"}}), Errc::kNoPermission);
  EXPECT_EQ(Set("", {{"/shared/comment", "v"}}, Role::kPf), Errc::kNoPermission);
  EXPECT_EQ(Set("", {{"/shared/comment", "Down on Sunday"}}, Role::kOperator), std::nullopt);
  EXPECT_EQ(Value("", "/shared/comment"), "Down on Sunday");
  EXPECT_EQ(Set("INBOX", {{"/shared/comment", "mine"}}), std::nullopt);
}

TEST_F(AnnotationsTest, AFolderTellsItsKindAndIds) {
  EXPECT_EQ(Value("INBOX", kCpm + "FolderKind"), "inbox");
  Must(store->CreateFolder(account, "a", protocol::SpecialUse::kNone));
  EXPECT_EQ(Value("a", kCpm + "folderkind"), "user");
  EXPECT_EQ(Value("a", kCpm + "ConversationID"), kNil);
  // Nobody makes conversations yet: as whoever does will write it.
  const auto ref = Must(store->GetFolder(account, "a")).ref;
  storage::AccountLanes lanes(store.engine(), store->feed(), [] { return 0; });
  Must(lanes.Run(account, [&](storage::AccountTxn& txn) -> storage::Result<> {
    ASSIGN_OR_RETURN(auto row, txn.Folder(ref.folder));
    row.conversation_id = "conv-1";
    row.contribution_id = "contr-2";
    txn.PutFolder(ref.folder, row);
    return {};
  }));
  EXPECT_THAT(Below("a", "/shared"), ElementsAre(kCpm + "ContributionID=contr-2",
                                                 kCpm + "ConversationID=conv-1", kCpm + "FolderKind=user"));
  for (const auto* name : {"FolderKind", "ConversationID", "ContributionID", "Participants", "Anything"}) {
    for (const Role role : {Role::kUser, Role::kPf, Role::kOperator})
      EXPECT_EQ(Set("a", {{kCpm + name, "v"}}, role), Errc::kNotAllowed) << name;
  }
  // Only the three whose full names are not known answer by their suffix.
  EXPECT_EQ(Set("a", {{"/private/vendor/x/FolderKind", "v"}}), std::nullopt);
  EXPECT_EQ(Value("a", "/private/vendor/x/FolderKind"), "v");
}

TEST_F(AnnotationsTest, SessionInfoAndGroupStateAreTheServersAndThePfs) {
  for (const auto* name : {"SessionInfo", "GroupState"}) {
    EXPECT_EQ(Set("INBOX", {{kCpm + name, "1"}}), Errc::kNoPermission) << name;
    EXPECT_EQ(Set("INBOX", {{std::string("/private/vendor/x/") + name, "1"}}), Errc::kNoPermission) << name;
    EXPECT_EQ(Set("INBOX", {{kCpm + name, "17"}}, Role::kPf), std::nullopt);
    EXPECT_EQ(Value("INBOX", std::string("/shared/vendor/oma/x/y/") + name), "17");
    EXPECT_EQ(Value("", kCpm + name), kNil);
  }
  EXPECT_THAT(WhyNot("INBOX", {{kCpm + "GroupState", "1"}}), HasSubstr("Participating Function"));
  // Under another path, it is the same entry.
  EXPECT_EQ(Set("INBOX", {{"/shared/vendor/oma/cpm/2.1/sessioninfo", "18"}}, Role::kPf), std::nullopt);
  EXPECT_THAT(Below("INBOX", "/shared"),
              ElementsAre(kCpm + "FolderKind=inbox", kCpm + "GroupState=17", kCpm + "SessionInfo=18"));
  EXPECT_EQ(Set("INBOX", {{kCpm + "SessionInfo", kNil}}, Role::kPf), std::nullopt);
  EXPECT_EQ(Value("INBOX", kCpm + "SessionInfo"), kNil);
}

TEST_F(AnnotationsTest, TheServerKeepsItsOwnWithinATransaction) {
  Keep("INBOX", ServerAnnotation::kParticipants, "tel:+1;tel:+2");
  Keep("INBOX", ServerAnnotation::kSessionInfo, "3");
  Keep("INBOX", ServerAnnotation::kGroupState, "4");
  Keep("INBOX", ServerAnnotation::kGroupState, "5");
  EXPECT_THAT(Below("INBOX", "/shared"),
              ElementsAre(kCpm + "FolderKind=inbox", kCpm + "GroupState=5",
                          kCpm + "Participants=tel:+1;tel:+2", kCpm + "SessionInfo=3"));
  Keep("INBOX", ServerAnnotation::kGroupState, kNil);
  Keep("INBOX", ServerAnnotation::kGroupState, kNil);
  EXPECT_EQ(Value("INBOX", kCpm + "GroupState"), kNil);
}

// All or nothing, and limits

class LimitedAnnotationsTest : public AnnotationsTest {
 protected:
  LimitedAnnotationsTest()
      : AnnotationsTest(
            {.max_annotation_octets = 100, .max_annotations = 3, .max_account_annotation_octets = 300}) {}
};

TEST_F(LimitedAnnotationsTest, OneRefusalRefusesAll) {
  // RFC 5464 §4.3: nothing else may be changed.
  EXPECT_EQ(Set("INBOX", {{"/private/a", "old"}}), std::nullopt);
  const auto modseq = Must(store->GetAccount(account)).modseq;
  EXPECT_EQ(Set("INBOX", {{"/private/a", "new"}, {"/private/b", std::string(101, 'x')}}),
            Errc::kAnnotationTooBig);
  EXPECT_EQ(Set("INBOX", {{"/private/a", "new"}, {kCpm + "FolderKind", "x"}}), Errc::kNotAllowed);
  EXPECT_EQ(Set("INBOX", {{"/private/a", kNil},
                          {"/private/b", "1"},
                          {"/private/c", "2"},
                          {"/private/d", "3"},
                          {"/private/e", "4"}}),
            Errc::kTooManyAnnotations);
  EXPECT_EQ(Value("INBOX", "/private/a"), "old");
  EXPECT_EQ(Value("INBOX", "/private/b"), kNil);
  EXPECT_EQ(Must(store->GetAccount(account)).modseq, modseq);
}

TEST_F(LimitedAnnotationsTest, ATooLongValueIsToldTheLimit) {
  const auto refused = store->SetAnnotations(account, "", {{"/private/a", std::string(101, 'x')}}, account);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::kAnnotationTooBig);
  EXPECT_EQ(refused.error().limit, 100U);
  EXPECT_EQ(Set("", {{"/private/a", std::string(100, 'x')}}), std::nullopt);
}

TEST_F(LimitedAnnotationsTest, AFullFolderTakesNoNewOneButChangesOfOldOnes) {
  EXPECT_EQ(Set("INBOX", {{"/private/a", "1"}, {"/private/b", "2"}, {"/shared/c", "3"}}), std::nullopt);
  EXPECT_EQ(Set("INBOX", {{"/private/d", "4"}}), Errc::kTooManyAnnotations);
  EXPECT_EQ(Set("INBOX", {{"/private/a", "one"}}), std::nullopt);
  EXPECT_EQ(Set("INBOX", {{"/private/d", "4"}, {"/private/b", kNil}}), std::nullopt);
  EXPECT_EQ(Set("", {{"/private/a", "1"}}), std::nullopt);
  // What the server keeps is not refused.
  Keep("INBOX", ServerAnnotation::kSessionInfo, "3");
  EXPECT_EQ(Value("INBOX", kCpm + "SessionInfo"), "3");
}

TEST_F(LimitedAnnotationsTest, AnAccountHoldsSoManyOctets) {
  const std::string value(80, 'x');
  EXPECT_EQ(Set("INBOX", {{"/private/a", value}, {"/private/b", value}, {"/private/c", value}}),
            std::nullopt);
  EXPECT_EQ(Set("", {{"/private/a", value}}), Errc::kTooManyAnnotations);
  EXPECT_EQ(ErrorOf(store->RenameFolder(account, "INBOX", "copy")), Errc::kTooManyAnnotations);
  EXPECT_EQ(ErrorOf(store->GetFolder(account, "copy")), Errc::kNoSuchFolder);
  EXPECT_EQ(Set("INBOX", {{"/private/a", "short"}}), std::nullopt);
  EXPECT_EQ(Set("", {{"/private/a", "short"}}), std::nullopt);
  // A deleted folder gives back what its entries took.
  Must(store->CreateFolder(account, "a", protocol::SpecialUse::kNone));
  EXPECT_EQ(Set("a", {{"/private/a", "1234567890"}}), std::nullopt);
  EXPECT_EQ(Set("", {{"/private/b", value}}), Errc::kTooManyAnnotations);
  Must(store->DeleteFolder(account, "a"));
  EXPECT_EQ(Set("", {{"/private/b", std::string(45, 'x')}}), std::nullopt);
}

TEST_F(AnnotationsTest, WritersAtOnceAllGetTheirs) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([this, i] {
      for (int n = 0; n < 10; ++n)
        Must(store->SetAnnotations(account, "INBOX", {{fmt::format("/private/w{}/{}", i, n), "v"}}, account));
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(Below("INBOX", "/private").size(), 80U);
}

// News

class AnnotationNewsTest : public AnnotationsTest, public storage::ChangeListener {
 protected:
  void OnChange(const std::shared_ptr<const storage::Change>& change) noexcept override {
    changes.push_back(change);
  }

  std::vector<std::shared_ptr<const storage::Change>> changes;
  storage::ChangeFeed::Subscription subscription = store->feed().Subscribe(account, *this);
};

TEST_F(AnnotationNewsTest, AChangeIsToldOnceWithItsNamesAndAModseq) {
  const auto before = Must(store->GetAccount(account)).modseq;
  EXPECT_EQ(Set("INBOX", {{"/private/a", "1"}, {"/shared/b", "2"}, {"/private/none", kNil}}), std::nullopt);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0]->origin, Origin{9});
  EXPECT_EQ(changes[0]->modseq.value, before.value + 1);
  EXPECT_EQ(Must(store->GetAccount(account)).modseq.value, before.value + 1);
  const auto& what = std::get<storage::AnnotationsChanged>(changes[0]->what);
  EXPECT_EQ(what.path, "INBOX");
  EXPECT_EQ(what.viewer, account);
  EXPECT_THAT(what.entries, ElementsAre("/private/a", "/shared/b"));
  EXPECT_EQ(Set("INBOX", {{"/private/a", "1"}, {"/private/none", kNil}}), std::nullopt);
  EXPECT_EQ(changes.size(), 1U) << "nothing changed";
  EXPECT_EQ(Set("", {{"/private/a", "1"}}), std::nullopt);
  EXPECT_EQ(std::get<storage::AnnotationsChanged>(changes.at(1)->what).folder, FolderId{0});
}

TEST_F(AnnotationNewsTest, WhatTheServerKeepsIsToldAsNobodysChange) {
  Keep("INBOX", ServerAnnotation::kSessionInfo, "3");
  Keep("INBOX", ServerAnnotation::kSessionInfo, "3");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0]->origin, Origin{});
  EXPECT_THAT(std::get<storage::AnnotationsChanged>(changes[0]->what).entries,
              ElementsAre(kCpm + "SessionInfo"));
}

// The checker

class DamagedAnnotationsTest : public testing::Test {
 protected:
  using Key = storage::schema::AnnotationKey;
  using Row = storage::schema::AnnotationRow;
  using Use = storage::schema::AnnotationUseRow;

  void Put(const Key& key, const std::string& value) {
    storage::kv::Batch batch;
    batch.Put(storage::kv::Table::kAnnotations, key.Encode(), value);
    Must(engine->Apply(batch, storage::kv::Durability::kNow));
  }
  std::vector<int> Violations() {
    std::vector<int> out;
    for (const auto& violation : Must(storage::check::Fsck(*engine)).violations)
      out.push_back(violation.invariant);
    return out;
  }

  std::unique_ptr<storage::kv::Engine> engine = storage::kv::NewMemoryEngine();
  std::unique_ptr<storage::MailStore> store = Must(storage::MailStore::Open(*engine, {}));
  storage::AccountId account = CreateAccount(*store);
  FolderId inbox = Must(store->GetFolder(account, "INBOX")).ref.folder;
};

TEST_F(DamagedAnnotationsTest, TheCheckerFindsWhatIsWrong) {
  Must(store->SetAnnotations(account, "INBOX", {{"/shared/comment", "v"}}, account));
  EXPECT_THAT(Violations(), IsEmpty());
  const Use good{1, 16};
  Put(Key::Use(account, inbox), Use{2, 16}.Encode());
  EXPECT_THAT(Violations(), ElementsAre(18));
  Put(Key::Use(account, inbox), good.Encode());
  Put(Key::Use(account, storage::schema::kAllAnnotations), Use{1, 17}.Encode());
  EXPECT_THAT(Violations(), ElementsAre(18));
  Put(Key::Use(account, storage::schema::kAllAnnotations), good.Encode());
  Put(Key{account, inbox, "/shared/comment", {}}, Row{"/shared/another", "v"}.Encode());
  EXPECT_THAT(Violations(), ElementsAre(17));
  Put(Key{account, inbox, "/shared/comment", {}}, "\x09");
  EXPECT_THAT(Violations(), testing::Contains(1));
}

TEST_F(DamagedAnnotationsTest, TheCheckerFindsStrayRows) {
  Put(Key{account, {77}, "/shared/comment", {}}, Row{"/shared/comment", "v"}.Encode());
  EXPECT_THAT(Violations(), ElementsAre(17));
}

TEST_F(DamagedAnnotationsTest, TheCheckerFindsAViewerWhereNoneBelongs) {
  Put(Key{account, inbox, "/shared/a", account}, Row{"/shared/a", "v"}.Encode());
  EXPECT_THAT(Violations(), ElementsAre(17, 18, 18));
}

TEST_F(DamagedAnnotationsTest, TheCheckerFindsACountOfNothing) {
  Put(Key::Use(account, inbox), Use{1, 1}.Encode());
  EXPECT_THAT(Violations(), ElementsAre(18));
}

}  // namespace
}  // namespace tests
