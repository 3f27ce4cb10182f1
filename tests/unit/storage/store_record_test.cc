// MailStore::Record: every kind of event in both layouts, where it goes, and what is recorded only once.
#include <latch>
#include <thread>

#include <gmock/gmock.h>

#include "protocol/cpm/classify.h"
#include "protocol/mime/inspect.h"
#include "protocol/text/base64_lines.h"
#include "storage/store/event.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_store.h"

namespace tests {
namespace {

namespace cpm = protocol::cpm;
using protocol::ObjectKind;
using storage::Actor;
using storage::Errc;
using storage::Event;
using storage::FolderKind;
using storage::Role;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const Actor kNetwork{storage::Origin{1}, Role::kPf};
const Actor kOwner{storage::Origin{2}, Role::kUser};
constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::string_view kOwn = "tel:+15550100111";
constexpr std::string_view kPeer = "tel:+15550100222";
constexpr std::string_view kGroup = "6c2d1f40-0d7e";
constexpr std::string_view kSession = "0b7de2c11f6e";

storage::StoreOptions WithLayout(cpm::Layout layout) {
  storage::StoreOptions options;
  options.profile.object_layout = layout;
  return options;
}

/// A store with one account, and short ways to make events.
class Recorder {
 public:
  explicit Recorder(cpm::Layout layout = cpm::Layout::k2x) : store(Driver::kMemory, WithLayout(layout)) {}

  static Event Received(Event::What what) {
    Event event;
    event.head.from = kPeer;
    event.head.direction = cpm::Direction::kReceived;
    event.head.date = protocol::InternalDate{1456910101, 60};
    event.head.conversation_id = kGroup;
    event.head.contribution_id = kSession;
    event.head.imdn_message_id = "Qv7x2m0aKf";
    event.what = std::move(what);
    return event;
  }
  static Event Chat(const std::string& id = "Qv7x2m0aKf", const std::string& text = "Lunch?") {
    Event event = Received(cpm::ChatMessage{.content = {.octets = text}});
    event.head.imdn_message_id = id;
    return event;
  }
  static Event OfGroup(Event event, bool in_session = true) {
    event.group = true;
    event.in_session = in_session;
    return event;
  }
  static Event Start(const std::string& session = std::string(kSession)) {
    cpm::SessionInfoObject start{
        .info = {.type = "Ad-Hoc", .participants = {std::string(kOwn), "tel:+1-555-0100-333"}}};
    Event event = OfGroup(Received(std::move(start)));
    event.head.contribution_id = session;
    return event;
  }
  static Event End(const std::string& timestamp, const std::string& id) {
    cpm::GroupStateObject end{.state = {.timestamp = timestamp,
                                        .last_focus_session_id = "sip:f3a9c1@focus.example.net",
                                        .group_type = "Closed",
                                        .participants = {{.name = "Ana", .address = std::string(kOwn)},
                                                         {.name = "Bea", .address = std::string(kPeer)}}}};
    Event event = OfGroup(Received(std::move(end)));
    event.head.date.reset();
    event.head.imdn_message_id = id;
    return event;
  }

  storage::Result<storage::Recorded> Try(Event event) {
    return store->Record(account, std::move(event), kNetwork);
  }
  storage::Recorded Record(Event event) { return Must(Try(std::move(event))); }
  std::string ErrorText(Event event, Errc code) {
    const auto result = Try(std::move(event));
    EXPECT_EQ(ErrorOf(result), code);
    return result ? "" : result.error().detail;
  }

  storage::StagedBody File(std::string_view octets) {
    auto body = Must(store->Stage(account));
    Must(body.Write(octets));
    return body;
  }
  std::string Octets(const storage::Recorded& at) { return OctetsOf(*store, at.folder).at(at.uid.value); }
  ObjectKind KindAt(const storage::Recorded& at) {
    ObjectKind kind{};
    Must(Must(store->Read(at.folder)).Rows(storage::UidSet(at.uid, at.uid), [&](auto, const auto& row) {
      kind = row.object_kind;
      EXPECT_FALSE(row.malformed);
      return true;
    }));
    return kind;
  }
  std::optional<std::string> Annotation(std::string_view path, const std::string& name) {
    const auto answer = Must(store->GetAnnotations(
        account, path, {.entries = {"/shared/vendor/vendor.oma/cpm/" + name}}, account));
    return answer.found.at(0).value;
  }
  std::size_t Messages() { return Must(store->GetAccount(account)).used_messages; }

  TempStore store;
  storage::AccountId account = CreateAccount(*store, std::string(kOwn));
};

class RecordTest : public testing::TestWithParam<cpm::Layout>, public Recorder {
 protected:
  RecordTest() : Recorder(GetParam()) {}
  bool Is20() const { return GetParam() == cpm::Layout::kV20; }
};
INSTANTIATE_TEST_SUITE_P(Layouts, RecordTest, testing::Values(cpm::Layout::kV20, cpm::Layout::k2x),
                         [](const auto& info) { return info.param == cpm::Layout::kV20 ? "V20" : "V2x"; });

TEST_P(RecordTest, ChatMessageWithOnePeer) {
  const auto at = Record(Chat());
  EXPECT_EQ(at.path, "Default/tel:+15550100222");
  EXPECT_TRUE(at.created);
  EXPECT_EQ(at.uid.value, 1U);
  EXPECT_EQ(KindAt(at), ObjectKind::kChatMessage);
  const auto octets = Octets(at);
  const auto head = cpm::ReadObjectHead(octets);
  EXPECT_EQ(head.from, kPeer);
  EXPECT_EQ(head.to, kOwn) << "the owner's address is filled in";
  EXPECT_EQ(head.date->unix_seconds, 1456910101);
  EXPECT_EQ(head.conversation_id, kGroup);
  EXPECT_EQ(head.contribution_id, kSession);
  EXPECT_EQ(head.imdn_message_id, "Qv7x2m0aKf");
  EXPECT_EQ(head.direction, cpm::Direction::kReceived);
  EXPECT_THAT(head.message_id, StartsWith("<"));
  EXPECT_THAT(octets, HasSubstr("Lunch?"));
  const auto folder = Must(store->GetFolder(at.folder));
  EXPECT_EQ(folder.kind, FolderKind::kConversation);
  EXPECT_EQ(folder.conversation_id, kPeer);
  EXPECT_EQ(folder.uid_validity, at.uid_validity);
  EXPECT_EQ(Annotation(at.path, "Participants"), kPeer);
}

TEST_P(RecordTest, SentGoesToTheReceiversConversationUnderAnyOfItsNames) {
  const auto received = Record(Chat());
  Event sent = Chat("another");
  sent.head.direction = cpm::Direction::kSent;
  sent.head.from.clear();
  sent.head.to = "<sip:+1-555-0100-222@ims.example.net;user=phone>";
  const auto at = Record(std::move(sent));
  EXPECT_EQ(at.folder, received.folder);
  EXPECT_EQ(cpm::ReadObjectHead(Octets(at)).from, kOwn);
  Event asserted = Chat("third");
  asserted.head.from = "sip:bea@ims.example.net";
  asserted.peer = "\"Bea\" <sip:bea@ims.example.net>, <tel:+15550100222>";
  EXPECT_EQ(Record(std::move(asserted)).folder, received.folder);
  Event withheld = Chat("fourth");
  withheld.head.from = "<sip:anonymous@anonymous.invalid>";
  EXPECT_EQ(Record(std::move(withheld)).path, "Default/sip:anonymous@anonymous.invalid");
}

TEST_P(RecordTest, StandaloneMessageWithAttachment) {
  cpm::StandaloneMessage message{
      .contents = {{.octets = "Timetable attached."},
                   {.type = "image/png", .octets = "\x89PNG", .id = "tt-1@x", .file_name = "tt.png"}}};
  const auto at = Record(Received(std::move(message)));
  EXPECT_EQ(KindAt(at), ObjectKind::kStandaloneMessage);
  EXPECT_EQ(at.path, "Default/tel:+15550100222");
  EXPECT_THAT(Octets(at), Is20() ? HasSubstr("Content-Type: multipart/mixed") : HasSubstr("message/cpim"));
  EXPECT_THAT(Octets(at), HasSubstr("filename=\"tt.png\""));
}

TEST_P(RecordTest, ImdnFileOverHttpSmsAndMms) {
  Event imdn = Received(cpm::ImdnMessage{{.message_id = "Qv7x2m0aKf",
                                          .date_time = "2016-03-02T09:15:04Z",
                                          .type = cpm::Imdn::Type::kDisplay,
                                          .status = cpm::Imdn::Status::kDisplayed}});
  imdn.head.imdn_message_id = "Zz81ppQe04";
  EXPECT_EQ(KindAt(Record(std::move(imdn))), ObjectKind::kImdn);

  Event http = Received(cpm::HttpFileMessage{.file = {.infos = {{.type = "file",
                                                                 .size = 9,
                                                                 .content_type = "image/jpeg",
                                                                 .url = "https://ft.example.net/1"}}}});
  http.head.imdn_message_id = "Tt40ZbVw2d";
  EXPECT_EQ(KindAt(Record(std::move(http))), ObjectKind::kFileTransferOverHttp);

  Event sms = Received(cpm::SmsMessage{"Running late"});
  sms.head.imdn_message_id.clear();
  sms.head.conversation_id.clear();
  sms.head.contribution_id.clear();
  const auto at = Record(std::move(sms));
  EXPECT_EQ(KindAt(at), ObjectKind::kSms);
  EXPECT_EQ(cpm::ReadObjectHead(Octets(at)).correlator, "Running late");
  EXPECT_EQ(cpm::ReadObjectHead(Octets(at)).context, "pager-message");

  Event mms = Received(cpm::MmsMessage{.contents = {{.type = "application/smil", .octets = "<smil/>"},
                                                    {.type = "image/jpeg", .octets = "x", .id = "i@x"}}});
  mms.head.imdn_message_id.clear();
  mms.head.correlator = "MMS-42";
  EXPECT_EQ(KindAt(Record(std::move(mms))), ObjectKind::kMms);
  EXPECT_EQ(Must(store->GetFolder(at.folder)).messages, 4U);
}

TEST_P(RecordTest, FileTransferWithItsFiles) {
  std::string large(700'000, '\0');  // several chunks
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31 >> 3);
  const auto event = [&] {
    cpm::FileTransferObject transfer{
        .transfer = {.type = "1-1",
                     .participants = {std::string(kOwn)},
                     .files = {{.cid = "a@x"}, {.cid = "b@x"}}},
        .contents = {{.type = "image/jpeg", .id = "a@x", .file_name = "quay.jpg"},
                     {.type = "text/plain", .id = "b@x"}}};
    Event out = Received(std::move(transfer));
    out.head.imdn_message_id.clear();
    out.files.push_back(File(large));
    out.files.push_back(File("short"));
    return out;
  };
  const auto at = Record(event());
  EXPECT_EQ(KindAt(at), ObjectKind::kFileTransfer);
  const auto octets = Octets(at);
  protocol::mime::MemorySource source(octets);
  const auto found = *protocol::mime::Inspect(source);
  const auto read = cpm::ReadFileTransfer(found.parts, source);
  ASSERT_TRUE(read) << read.error().text;
  ASSERT_EQ(read->files.size(), 2U);
  EXPECT_EQ(read->files[0].sdp.name, "quay.jpg");
  EXPECT_EQ(read->files[0].sdp.size, large.size());
  EXPECT_THAT(octets, HasSubstr(Is20() ? "<file-transfer-type>" : "<?xml"));
  // The file comes back as it was.
  std::string lines;
  protocol::text::Base64Lines encoder;
  encoder.Add(lines, large);
  encoder.End(lines);
  EXPECT_THAT(octets, HasSubstr("\r\n\r\n" + lines + "\r\n--cpm\r\n"));
  EXPECT_FALSE(Record(event()).created) << "known by its Contribution-ID";
  store->DrainJanitor();
  EXPECT_EQ(Messages(), 1U);
}

TEST_P(RecordTest, StandAloneMedium) {
  Event event = Received(cpm::MediaObject{{.type = "image/jpeg", .file_name = "quay.jpg"}});
  event.files.push_back(File(std::string(300, '\xff')));
  const auto at = Record(std::move(event));
  EXPECT_EQ(KindAt(at), ObjectKind::kMedia);
  EXPECT_THAT(Octets(at), HasSubstr("////"));
}

TEST_P(RecordTest, GroupSessionFromStartToEnd) {
  const auto start = Record(Start());
  EXPECT_EQ(start.path, "Default/6c2d1f40-0d7e/0b7de2c11f6e");
  EXPECT_EQ(KindAt(start), ObjectKind::kSessionInfo);
  EXPECT_THAT(Octets(start), HasSubstr("<session-type>Ad-Hoc</session-type>"));
  const auto session = Must(store->GetFolder(start.folder));
  EXPECT_EQ(session.kind, FolderKind::kSession);
  EXPECT_EQ(session.conversation_id, kGroup);
  EXPECT_EQ(session.contribution_id, kSession);
  EXPECT_EQ(Annotation(start.path, "SessionInfo"), "1");
  EXPECT_EQ(Annotation(start.path, "Participants"), "tel:+15550100222;tel:+15550100111;tel:+15550100333");
  EXPECT_EQ(Annotation("Default/6c2d1f40-0d7e", "Participants"),
            "tel:+15550100222;tel:+15550100111;tel:+15550100333");

  EXPECT_EQ(Record(OfGroup(Chat("m1"))).folder, start.folder);
  const auto late = Record(OfGroup(Chat("m2"), /*in_session=*/false));
  EXPECT_EQ(late.path, "Default/6c2d1f40-0d7e") << "outside of a session";

  const auto end = Record(End("2016-03-02T11:05:30+01:00", "g1"));
  EXPECT_EQ(end.folder, start.folder);
  EXPECT_EQ(KindAt(end), ObjectKind::kGroupState);
  EXPECT_EQ(cpm::ReadObjectHead(Octets(end)).date->unix_seconds, 1456913130) << "of its timestamp";
  EXPECT_EQ(Annotation(end.path, "GroupState"), "3");
  EXPECT_EQ(Annotation(end.path, "Participants"), "tel:+15550100111;tel:+15550100222");

  // One that comes late is there, but says nothing about now.
  Event older = End("2016-03-02T09:00:00Z", "g0");
  std::get<cpm::GroupStateObject>(older.what).state.participants.pop_back();
  EXPECT_EQ(Record(std::move(older)).uid.value, 4U);
  EXPECT_EQ(Annotation(end.path, "GroupState"), "3");
  EXPECT_EQ(Annotation("Default/6c2d1f40-0d7e", "Participants"), "tel:+15550100111;tel:+15550100222");
}

TEST_P(RecordTest, SessionWithOnePeerLiesInTheConversation) {
  Event start = Start();
  start.group = false;
  EXPECT_EQ(Record(std::move(start)).path, "Default/tel:+15550100222");
  Event chat = Chat();
  chat.in_session = true;
  EXPECT_EQ(Record(std::move(chat)).path, "Default/tel:+15550100222");
}

class RecordOnceTest : public testing::Test, public Recorder {};

TEST_F(RecordOnceTest, KnownByImdnMessageIdAndDirection) {
  const auto first = Record(Chat());
  const auto again = Record(Chat());
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.folder, first.folder);
  EXPECT_EQ(again.path, first.path);
  EXPECT_EQ(again.uid, first.uid);
  EXPECT_EQ(again.uid_validity, first.uid_validity);
  EXPECT_EQ(again.object, first.object);
  // A message to oneself is sent and received.
  Event sent = Chat();
  sent.head.direction = cpm::Direction::kSent;
  sent.head.to = kPeer;
  EXPECT_TRUE(Record(std::move(sent)).created);
  EXPECT_EQ(Messages(), 2U);
  // Nobody's memory is longer than the store's: what was expunged is recorded anew.
  Must(store->UpdateFlags(first.folder, Uids({1}), {protocol::FlagChange::Op::kAdd, Flags({"\\Deleted"})},
                          kOwner));
  Must(store->Expunge(first.folder, std::nullopt, kOwner));
  EXPECT_TRUE(Record(Chat()).created);
}

TEST_F(RecordOnceTest, ACopyInAUserFolderCountsAfterTheOriginal) {
  Must(store->CreateFolder(account, "Kept", {}, kOwner));
  const auto first = Record(Chat());
  Must(store->Copy(first.folder, Uids({1}), "Kept", kOwner));
  EXPECT_EQ(Record(Chat()).path, first.path);
}

TEST_F(RecordOnceTest, WhatAClientUploadedIsKnown) {
  Event event = Chat();
  event.head.to = kOwn;
  const auto octets = *cpm::WriteObject(event.head, std::get<cpm::ChatMessage>(event.what), cpm::Layout::k2x);
  Must(store->CreateFolder(account, "Default/tel:+15550100222", {}, kOwner));
  Must(Append(*store, account, "Default/tel:+15550100222", {octets}));
  EXPECT_FALSE(Record(Chat()).created);
}

TEST_F(RecordOnceTest, TheSmallWordsOfSmsComeMoreThanOnce) {
  const auto sms = [](std::int64_t time, std::string_view peer) {
    Event event = Received(cpm::SmsMessage{"OK"});
    event.head.imdn_message_id.clear();
    event.head.from = peer;
    event.head.date = protocol::InternalDate{time, 0};
    return event;
  };
  EXPECT_TRUE(Record(sms(1000, kPeer)).created);
  EXPECT_FALSE(Record(sms(1000, kPeer)).created);
  EXPECT_TRUE(Record(sms(1001, kPeer)).created) << "another second";
  EXPECT_TRUE(Record(sms(1000, "tel:+15550100333")).created) << "another peer";
}

TEST_F(RecordOnceTest, ALongSmsIsKnownByItsCorrelator) {
  std::string text;
  for (int i = 0; i < 160; ++i) text += "\U0001F6A2";  // 640 octets
  const auto sms = [&] {
    Event event = Received(cpm::SmsMessage{text + " and more than the correlator holds"});
    event.head.imdn_message_id.clear();
    return event;
  };
  EXPECT_TRUE(Record(sms()).created);
  EXPECT_FALSE(Record(sms()).created);
}

TEST_F(RecordOnceTest, SessionsByKindAndContributionId) {
  EXPECT_TRUE(Record(Start()).created);
  Event again = Start();
  again.head.imdn_message_id = "of another element";
  EXPECT_FALSE(Record(std::move(again)).created);
  EXPECT_TRUE(Record(Start("second")).created);
  EXPECT_TRUE(Record(End("2016-03-02T11:05:30Z", "")).created);
  EXPECT_FALSE(Record(End("2016-03-02T11:05:30Z", "")).created);
  EXPECT_TRUE(Record(End("2016-03-02T12:05:30Z", "")).created) << "a session may be torn down more than once";
}

TEST_F(RecordOnceTest, TwoElementsOfTheNetworkAtOnce) {
  constexpr int kEvents = 50;
  std::vector<std::vector<storage::Recorded>> seen(4);
  {
    std::vector<std::jthread> network;
    for (auto& mine : seen) {
      network.emplace_back([&] {
        for (int i = 0; i < kEvents; ++i) mine.push_back(Record(Chat(fmt::format("m{}", i))));
      });
    }
  }
  EXPECT_EQ(Messages(), static_cast<std::size_t>(kEvents));
  for (int i = 0; i < kEvents; ++i) {
    int created = 0;
    for (const auto& mine : seen) {
      const auto& at = mine[static_cast<std::size_t>(i)];
      created += at.created ? 1 : 0;
      EXPECT_EQ(at.uid, seen[0][static_cast<std::size_t>(i)].uid);
    }
    EXPECT_EQ(created, 1);
  }
}

TEST_F(RecordOnceTest, AMovedConversationIsFoundAgain) {
  Must(store->CreateFolder(account, "Kept", {}, kOwner));
  const auto first = Record(Chat("m1"));
  Must(store->RenameFolder(account, first.path, "Kept/Bea", kOwner));
  const auto at = Record(Chat("m2"));
  EXPECT_EQ(at.folder, first.folder);
  EXPECT_EQ(at.path, "Kept/Bea");
  EXPECT_EQ(Record(Chat("m1")).path, "Kept/Bea");
  Must(store->RenameFolder(account, "Kept/Bea", "Kept/Beatrice", kOwner));
  EXPECT_EQ(Record(Chat("m2a")).path, "Kept/Beatrice");

  const auto start = Record(Start());
  Must(store->RenameFolder(account, "Default/6c2d1f40-0d7e", "Kept/Trip", kOwner));
  EXPECT_EQ(Record(OfGroup(Chat("m3"))).path, "Kept/Trip/0b7de2c11f6e");
  EXPECT_EQ(Record(Start("next")).path, "Kept/Trip/next");
  // What was deleted begins anew.
  Must(store->DeleteFolder(account, "Kept/Trip", kOwner));
  EXPECT_EQ(Record(Start()).path, "Default/6c2d1f40-0d7e/0b7de2c11f6e");
  EXPECT_NE(Must(store->GetFolder(account, "Default/6c2d1f40-0d7e/0b7de2c11f6e")).ref, start.folder);
}

TEST_F(RecordOnceTest, AConversationThatIsMovedWhileItIsRecordedInto) {
  for (const auto* path : {"Kept/0", "Kept/1"}) Must(store->CreateFolder(account, path, {}, kOwner));
  const auto first = Record(Chat("first"));
  {
    std::jthread network([&] {
      for (int i = 0; i < 200; ++i) EXPECT_EQ(Record(Chat(fmt::format("m{}", i))).folder, first.folder);
    });
    std::string from = first.path;
    for (int i = 0; i < 50; ++i) {
      const std::string to = fmt::format("Kept/{}/Bea", i % 2);
      Must(store->RenameFolder(account, from, to, kOwner));
      from = to;
    }
  }
  EXPECT_EQ(Must(store->GetFolder(first.folder)).messages, 201U);
  EXPECT_EQ(ErrorOf(store->GetFolder(account, first.path)), Errc::kNoSuchFolder);
}

TEST_F(RecordOnceTest, AnAccountThatIsDeletedWhileItIsRecordedInto) {
  std::latch recording(1);  // it is under way before the account goes
  std::jthread network([&] {
    for (int i = 0;; ++i) {
      const auto result = Try(Chat(fmt::format("m{}", i)));
      if (i == 0) recording.count_down();
      if (result) continue;
      EXPECT_EQ(result.error().code, Errc::kNoSuchAccount);
      return;
    }
  });
  recording.wait();
  Must(store->DeleteAccount(account));
  network.join();
  store->DrainJanitor();  // the invariants are checked at the end: nothing half-written stays
}

TEST_F(RecordOnceTest, DeferredMessages) {
  Event event = Chat();
  event.expiry = kNow + 100;
  const auto at = Record(std::move(event));
  EXPECT_THAT(FlagsOf(*store, at.folder).at(1), testing::ElementsAre("$deferred"));
  store.clock.Advance(std::chrono::seconds(100));
  store->ReapDue();
  EXPECT_THAT(FlagsOf(*store, at.folder), testing::IsEmpty());

  Event past = Chat("past");
  past.expiry = kNow - 1;
  EXPECT_THAT(ErrorText(std::move(past), Errc::kNotAllowed), Not(testing::IsEmpty()));
  Event far = Chat("far");
  far.expiry = 253'370'764'800;  // the year 9999
  EXPECT_THAT(ErrorText(std::move(far), Errc::kNotAllowed), Not(testing::IsEmpty()));
}

TEST_F(RecordOnceTest, ForgedIds) {
  for (const std::string& id :
       std::vector<std::string>{"a/b", "%2F..", "*", "\"q\"", "..", "&AOQ-", "a\\b"}) {
    Event event = Start("s" + id);
    event.head.conversation_id = id;
    const auto at = Record(std::move(event));
    EXPECT_EQ(Must(store->GetFolder(at.folder)).conversation_id, id);
    EXPECT_EQ(Must(store->GetFolder(at.folder)).contribution_id, "s" + id);
    EXPECT_EQ(std::ranges::count(at.path, '/'), 2) << at.path;
    EXPECT_THAT(at.path, Not(testing::ContainsRegex("[*\"\\\\]")));
  }
  for (const std::string& id : {std::string(10'240, 'x'), std::string("a\r\nX: y"), std::string("a\0b", 3)}) {
    Event event = Start();
    event.head.conversation_id = id;
    ErrorText(std::move(event), Errc::kInvalidArgument);
    Event chat = Chat(id);
    ErrorText(std::move(chat), Errc::kInvalidArgument);
  }
  Event long_name = Start();
  long_name.head.conversation_id = std::string(300, 'x');
  EXPECT_THAT(ErrorText(std::move(long_name), Errc::kInvalidArgument), HasSubstr("folder name"));
  // A group that calls itself by a peer's address would write into the conversation with that peer.
  Event peer = Start();
  peer.head.conversation_id = kPeer;
  EXPECT_THAT(ErrorText(std::move(peer), Errc::kInvalidArgument), HasSubstr("conversation_id"));
  EXPECT_EQ(ErrorOf(store->GetFolder(account, "Default/tel:+15550100222")), Errc::kNoSuchFolder);
}

TEST_F(RecordOnceTest, WhatIsMissingIsNamed) {
  const auto without = [&](std::string cpm::ObjectHead::* field) {
    Event event = OfGroup(Chat());
    event.head.*field = "";
    return ErrorText(std::move(event), Errc::kInvalidArgument);
  };
  EXPECT_THAT(without(&cpm::ObjectHead::from), StartsWith("from is missing"));
  EXPECT_THAT(without(&cpm::ObjectHead::conversation_id), StartsWith("conversation_id is missing"));
  EXPECT_THAT(without(&cpm::ObjectHead::contribution_id), StartsWith("contribution_id is missing"));
  EXPECT_THAT(without(&cpm::ObjectHead::imdn_message_id), StartsWith("imdn_message_id is missing"));
  Event undirected = Chat();
  undirected.head.direction.reset();
  EXPECT_THAT(ErrorText(std::move(undirected), Errc::kInvalidArgument), StartsWith("direction is missing"));
  Event nobody = Chat();
  nobody.head.from = "nobody";
  EXPECT_THAT(ErrorText(std::move(nobody), Errc::kInvalidArgument), StartsWith("from names no peer"));
  Event state = End("2016-03-02T11:05:30Z", "g");
  state.group = false;
  EXPECT_THAT(ErrorText(std::move(state), Errc::kInvalidArgument), HasSubstr("no group state"));
  EXPECT_THAT(ErrorText(End("yesterday", "g"), Errc::kInvalidArgument),
              StartsWith("group_state.timestamp is no time"));
  Event imdn = Received(cpm::ImdnMessage{{.message_id = "m", .date_time = "now"}});
  EXPECT_THAT(ErrorText(std::move(imdn), Errc::kInvalidArgument), StartsWith("imdn.date_time is no time"));
  Event files = Chat();
  files.files.push_back(File("a"));
  files.files.push_back(File("b"));
  EXPECT_THAT(ErrorText(std::move(files), Errc::kInvalidArgument), HasSubstr("1 contents and comes with 2"));
  EXPECT_EQ(Messages(), 0U);
  EXPECT_EQ(Must(store->GetAccount(account)).folders, 2U) << "no folder is made for what is refused";
}

TEST_F(RecordOnceTest, LargeContentsAreForFileTransfers) {
  Event event = Chat();
  event.files.push_back(File(std::string(storage::kMaxEventContents + 1, 'x')));
  EXPECT_THAT(ErrorText(std::move(event), Errc::kTooBig), HasSubstr("file transfer"));
  store->DrainJanitor();
}

TEST_F(RecordOnceTest, QuotaRefusesAll) {
  Must(store->SetQuota(account, {.messages = 1}));
  Record(Chat());
  EXPECT_EQ(ErrorText(Start(), Errc::kOverQuota), "the account may hold 1 messages and would have 2");
  EXPECT_EQ(ErrorOf(store->GetFolder(account, "Default/6c2d1f40-0d7e")), Errc::kNoSuchFolder)
      << "nor is its folder made";
  EXPECT_FALSE(Record(Chat()).created) << "what is there is known, full or not";
  const auto used = Must(store->GetAccount(account)).used_octets;
  Must(store->SetQuota(account, {.octets = used + 1}));
  EXPECT_THAT(ErrorText(Chat("another"), Errc::kOverQuota),
              StartsWith(fmt::format("the account may hold {} octets and would have ", used + 1)));
}

}  // namespace
}  // namespace tests
