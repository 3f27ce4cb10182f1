#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

// What conversation and session folders say of themselves in annotations that the store keeps (spec
// note 3.3): SessionInfo, GroupState and Participants, whatever brings the objects and whatever takes them
// away.

namespace tests {
namespace {

using storage::Actor;
using storage::Errc;
using storage::Role;
using testing::IsEmpty;

constexpr std::int64_t kNow = 1'700'000'000;
const std::string kCpm = "/shared/vendor/vendor.oma/cpm/";
const std::string kConversation = "Default/conv";
const std::string kSession = "Default/conv/contr";
const std::string kPeerFolder = "Default/tel:+15550100222";
const Actor kOwner({}, Role::kUser);
const Actor kNetwork({}, Role::kPf);

std::string GroupState(std::string_view timestamp, const std::vector<std::string>& participants = {}) {
  std::string list;
  for (const auto& one : participants) list += fmt::format("<participant comm-addr=\"{}\"/>", one);
  return fmt::format(
      "From: sip:c@x\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\n"
      "Content-Type: application/group-state-object+xml\r\n\r\n"
      "<groupstate timestamp=\"{}\" lastfocussessionid=\"sip:f@x\" group-type=\"Closed\">{}</groupstate>",
      timestamp, list);
}

std::string SessionInfo(std::string_view inviter = "tel:+1", std::string_view invited = "tel:+2;tel:+3") {
  return fmt::format(
      "From: {}\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\nContent-Type: application/x-cpm-session\r\n\r\n"
      "<session><session-type>Ad-Hoc</session-type><invited-participants>{}</invited-participants></session>",
      inviter, invited);
}
const std::string kBrokenInfo =
    "From: tel:+1\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\nContent-Type: application/x-cpm-session\r\n\r\n"
    "<session/>";
const std::string kMail = "From: a@x\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\n\r\nHello\r\n";

storage::StoreOptions Cpm() { return {}; }

class MarksTest : public testing::Test {
 protected:
  explicit MarksTest(storage::StoreOptions options = Cpm()) : store(Driver::kMemory, std::move(options)) {
    Create(kSession);
  }

  void Create(const std::string& path) { Must(store->CreateFolder(account, path, {}, kNetwork)); }
  void Put(const std::string& path, const std::vector<std::string>& objects) {
    Must(Append(*store, account, path, objects));
  }
  void PutTemporary(const std::string& path, const std::string& octets, std::int64_t expiry) {
    std::vector<storage::NewMessage> messages;
    messages.push_back(NewMessage(*store, account, octets));
    messages.back().expiry = expiry;
    Must(store->Append(account, path, std::move(messages), kNetwork));
  }
  storage::FolderRef Ref(const std::string& path) { return Must(store->GetFolder(account, path)).ref; }
  void Delete(const std::string& path, std::initializer_list<std::uint32_t> uids) {
    Must(store->UpdateFlags(Ref(path), Uids(uids), {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted"})}));
  }
  void Expunge(const std::string& path, std::initializer_list<std::uint32_t> uids) {
    Delete(path, uids);
    Must(store->Expunge(Ref(path), std::nullopt));
  }
  std::string Value(const std::string& path, const std::string& name) {
    const auto answer = Must(store->GetAnnotations(account, path, {{kCpm + name}, {}, {}}, account));
    return answer.found.at(0).value.value_or("-");
  }
  /// SessionInfo and GroupState of a folder.
  std::string Marks(const std::string& path) {
    return Value(path, "SessionInfo") + " " + Value(path, "GroupState");
  }
  std::string Participants(const std::string& path) { return Value(path, "Participants"); }
  /// The one that a DEPTH query finds, to be the same as that which is asked for by name.
  std::vector<std::string> ParticipantsBelow(const std::string& path) {
    std::vector<std::string> out;
    const storage::AnnotationQuery query{{"/shared"}, protocol::MetadataDepth::kInfinity, {}};
    for (const auto& found : Must(store->GetAnnotations(account, path, query, account)).found)
      if (found.entry == kCpm + "Participants") out.push_back(found.value.value_or("-"));
    return out;
  }

  TempStore store;
  storage::AccountId account = CreateAccount(*store);
};

// SessionInfo and GroupState

TEST_F(MarksTest, TheSessionNamesItsInfoAndItsLatestGroupState) {
  EXPECT_EQ(Marks(kSession), "- -");
  Put(kSession, {kBrokenInfo});
  Put(kSession, {GroupState("2024-05-17T18:00:00Z")});
  EXPECT_EQ(Marks(kSession), "1 2");
  Put(kSession, {GroupState("2024-05-17T19:30:00+02:00")});  // half an hour before
  EXPECT_EQ(Marks(kSession), "1 2");
  Put(kSession, {GroupState("2024-05-17T18:00:00.5Z")});
  Put(kSession, {GroupState("yesterday")});
  Put(kSession, {kMail});
  EXPECT_EQ(Marks(kSession), "1 4");
  Put(kSession, {SessionInfo()});
  EXPECT_EQ(Marks(kSession), "7 4") << "the newest of two session infos";

  Expunge(kSession, {6});
  Expunge(kSession, {4});
  EXPECT_EQ(Marks(kSession), "7 2");
  Expunge(kSession, {7});
  Expunge(kSession, {2});
  EXPECT_EQ(Marks(kSession), "1 3");
  Expunge(kSession, {3});
  EXPECT_EQ(Marks(kSession), "1 5") << "better a malformed one than none";
  Expunge(kSession, {5});
  Expunge(kSession, {1});
  EXPECT_EQ(Marks(kSession), "- -");
}

TEST_F(MarksTest, ManyInOneAppendAndInOneExpunge) {
  Put(kSession, {GroupState("2024-05-17T18:00:00Z"), SessionInfo(), GroupState("2024-05-17T20:00:00Z"),
                 GroupState("2024-05-17T19:00:00Z"), SessionInfo()});
  EXPECT_EQ(Marks(kSession), "5 3");
  Expunge(kSession, {3, 4, 5});
  EXPECT_EQ(Marks(kSession), "2 1");
}

TEST_F(MarksTest, OfTwoGroupStatesOfOneTimeTheNewestCounts) {
  Put(kSession, {GroupState("2024-05-17T18:00:00Z")});
  Put(kSession, {GroupState("2024-05-17T20:00:00+02:00")});
  EXPECT_EQ(Marks(kSession), "- 2");
  Expunge(kSession, {2});
  EXPECT_EQ(Marks(kSession), "- 1");
}

TEST_F(MarksTest, CopiesAreNamedToo) {
  Put(kSession, {SessionInfo(), GroupState("2024-05-17T18:00:00Z")});
  Create("Default/conv/second");
  Must(store->Copy(Ref(kSession), Uids({2}), "Default/conv/second"));
  EXPECT_EQ(Marks("Default/conv/second"), "- 1");
  Must(store->Copy(Ref(kSession), Uids({1, 2}), kSession));
  EXPECT_EQ(Marks(kSession), "3 4");
}

TEST_F(MarksTest, ALongCopyWritesItsRowsAheadAndNamesThem) {
  Fill(*store, account, kSession, 150);
  Put(kSession, {GroupState("2024-05-17T18:00:00Z"), SessionInfo(), GroupState("2024-05-17T17:00:00Z")});
  Create("Default/conv/second");
  Must(store->Copy(Ref(kSession), UidRange(1, 200), "Default/conv/second"));
  EXPECT_EQ(Marks("Default/conv/second"), "152 151");
}

TEST_F(MarksTest, WhatIsMovedInIsNamedAndNothingMovesOut) {
  Put("INBOX", {kMail, SessionInfo()});
  Must(store->Move(Ref("INBOX"), Uids({2}), kSession));
  EXPECT_EQ(Marks(kSession), "1 -");
  EXPECT_EQ(ErrorOf(store->Move(Ref(kSession), Uids({1}), "INBOX")), Errc::kNotAllowed);
  EXPECT_EQ(Marks(kSession), "1 -");
}

TEST_F(MarksTest, WhatExpiresIsNamedNoLonger) {
  Put(kSession, {SessionInfo(), GroupState("2024-05-17T18:00:00Z")});
  PutTemporary(kSession, GroupState("2024-05-17T19:00:00Z"), kNow + 100);
  PutTemporary(kSession, SessionInfo(), kNow + 200);
  EXPECT_EQ(Marks(kSession), "4 3");
  store.clock.Advance(std::chrono::seconds(100));
  store->ReapDue();
  EXPECT_EQ(Marks(kSession), "4 2");
  store.clock.Advance(std::chrono::seconds(100));
  store->ReapDue();
  EXPECT_EQ(Marks(kSession), "1 2");
}

class GraceMarksTest : public MarksTest {
 protected:
  static storage::StoreOptions Grace() {
    storage::StoreOptions options;
    options.profile.deleted_grace = 60;
    return options;
  }
  GraceMarksTest() : MarksTest(Grace()) {}
};

TEST_F(GraceMarksTest, WhatIsPurgedIsNamedNoLonger) {
  Put(kSession, {GroupState("2024-05-17T18:00:00Z"), GroupState("2024-05-17T19:00:00Z")});
  Delete(kSession, {2});
  EXPECT_EQ(Marks(kSession), "- 2") << "it is still there";
  store.clock.Advance(std::chrono::seconds(60));
  store->ReapDue();
  EXPECT_EQ(Marks(kSession), "- 1");
}

TEST_F(MarksTest, MarksFollowTheirFolderAndEndWithIt) {
  Put(kSession, {SessionInfo(), GroupState("2024-05-17T18:00:00Z"), GroupState("2024-05-17T19:00:00Z")});
  Must(store->CreateFolder(account, "Kept", {}, kOwner));
  Must(store->RenameFolder(account, kConversation, "Kept/Trip", kOwner));
  EXPECT_EQ(Marks("Kept/Trip/contr"), "1 3");
  Expunge("Kept/Trip/contr", {3});
  EXPECT_EQ(Marks("Kept/Trip/contr"), "1 2");
  Must(store->DeleteFolder(account, "Kept/Trip", kOwner));
  Create(kSession);
  EXPECT_EQ(Marks(kSession), "- -");
}

TEST_F(MarksTest, OnlySessionFoldersNameObjects) {
  Create(kPeerFolder);
  Put(kPeerFolder, {SessionInfo()});
  EXPECT_EQ(Marks(kPeerFolder), "- -");
}

// Participants

TEST_F(MarksTest, AConversationWithOnePeerShowsThePeerWhateverMadeIt) {
  Create(kPeerFolder);
  EXPECT_EQ(Participants(kPeerFolder), "tel:+15550100222");
  EXPECT_THAT(ParticipantsBelow(kPeerFolder), testing::ElementsAre("tel:+15550100222"));
  EXPECT_EQ(Value(kPeerFolder, "FolderKind"), "conversation");
  // It is the peer's wherever it lies and whatever it is called by then.
  Must(store->CreateFolder(account, "Kept", {}, kOwner));
  Must(store->RenameFolder(account, kPeerFolder, "Kept/Bea", kOwner));
  EXPECT_EQ(Participants("Kept/Bea"), "tel:+15550100222");
  Must(store->RenameFolder(account, "Kept/Bea", "Kept/tel:+15550100333", kNetwork));
  EXPECT_EQ(Participants("Kept/tel:+15550100333"), "tel:+15550100222");
  // Another is made under the name that is free again.
  Create(kPeerFolder);
  EXPECT_EQ(Participants(kPeerFolder), "tel:+15550100222");
  Create("Default/sip:anonymous@anonymous.invalid");
  EXPECT_EQ(Participants("Default/sip:anonymous@anonymous.invalid"), "sip:anonymous@anonymous.invalid");
}

TEST_F(MarksTest, OtherFoldersHaveNoParticipantsOfTheirName) {
  Must(store->CreateFolder(account, "tel:+15550100222", {}, kOwner));
  for (const auto& path : {std::string("tel:+15550100222"), std::string("INBOX"), std::string("Default"),
                           kConversation, kSession}) {
    EXPECT_EQ(Participants(path), "-") << path;
    EXPECT_THAT(ParticipantsBelow(path), IsEmpty()) << path;
  }
}

TEST_F(MarksTest, NobodySetsParticipants) {
  Create(kPeerFolder);
  for (const Role role : {Role::kUser, Role::kPf, Role::kOperator}) {
    EXPECT_EQ(ErrorOf(store->SetAnnotations(account, kPeerFolder, {{kCpm + "Participants", "tel:+9"}},
                                            account, Actor({}, role))),
              Errc::kNotAllowed);
  }
}

TEST_F(MarksTest, AGroupsAreWhomTheInviterInvitedThenWhoWasThere) {
  Put(kSession, {SessionInfo("\"Ana\" <tel:+15550100111>", "tel:+1-555-0100-222;tel:+15550100111;nobody")});
  EXPECT_EQ(Participants(kSession), "tel:+15550100111;tel:+15550100222;nobody");
  EXPECT_EQ(Participants(kConversation), Participants(kSession));
  Put(kSession, {GroupState("2024-05-17T18:00:00Z", {"tel:+1", "tel:+2"})});
  EXPECT_EQ(Participants(kSession), "tel:+1;tel:+2");
  EXPECT_EQ(Participants(kConversation), "tel:+1;tel:+2");
  // What comes late says nothing about now, nor does what cannot be read or lists nobody.
  Put(kSession, {GroupState("2024-05-17T17:00:00Z", {"tel:+3"})});
  Put(kSession, {SessionInfo("tel:+4", "tel:+5")});
  EXPECT_EQ(Participants(kSession), "tel:+1;tel:+2");
  Put(kSession, {GroupState("2024-05-17T19:00:00Z")});
  EXPECT_EQ(Marks(kSession), "4 5");
  EXPECT_EQ(Participants(kSession), "tel:+1;tel:+2");
  // Who took part did, whatever becomes of the object that says so.
  Expunge(kSession, {1, 2, 3, 4, 5});
  EXPECT_EQ(Marks(kSession), "- -");
  EXPECT_EQ(Participants(kConversation), "tel:+1;tel:+2");
}

TEST_F(MarksTest, TheConversationShowsThoseOfTheLatestNews) {
  Create("Default/conv/second");
  Put(kSession, {SessionInfo("tel:+1", "tel:+2")});
  Put("Default/conv/second", {SessionInfo("tel:+1", "tel:+3")});
  EXPECT_EQ(Participants(kConversation), "tel:+1;tel:+3");
  EXPECT_EQ(Participants(kSession), "tel:+1;tel:+2");
  Must(store->CreateFolder(account, "Kept", {}, kOwner));
  Must(store->RenameFolder(account, kConversation, "Kept/Trip", kOwner));
  EXPECT_EQ(Participants("Kept/Trip"), "tel:+1;tel:+3");
  Put("Kept/Trip/contr", {GroupState("2024-05-17T18:00:00Z", {"tel:+4"})});
  EXPECT_EQ(Participants("Kept/Trip"), "tel:+4");
}

TEST_F(MarksTest, AMalformedObjectSaysNobody) {
  Put(kSession, {kBrokenInfo});
  Put(kSession, {"From: tel:+1\r\nDate: Fri, 17 May 2024 18:00:00 +0200\r\n"
                 "Content-Type: application/group-state-object+xml\r\n\r\n<groupstate"});
  EXPECT_EQ(Marks(kSession), "1 2");
  EXPECT_EQ(Participants(kSession), "-");
  EXPECT_EQ(Participants(kConversation), "-");
}

TEST_F(MarksTest, BothLayoutsOfSessionInfoAreRead) {
  Put(kSession, {"From: <tel:+15550100222>\r\nDate: Wed, 02 Mar 2016 10:14:50 +0100\r\n"
                 "Content-Type: multipart/related;boundary=cpm;type=\"Application/X-CPM-Session\"\r\n\r\n"
                 "--cpm\r\nContent-Type: Application/X-CPM-Session\r\n\r\n"
                 "<session-type>Ad-Hoc</session-type>\r\n"
                 "<invited-participants>tel:+15550100111;tel:+15550100333</invited-participants>\r\n"
                 "--cpm--\r\n"});
  EXPECT_EQ(Participants(kConversation), "tel:+15550100222;tel:+15550100111;tel:+15550100333");
}

}  // namespace
}  // namespace tests
