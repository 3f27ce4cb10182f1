// Objects written, classified and read back, each beside its golden octets in tests/data/cpm. After a
// deliberate change write them anew with CMS_WRITE_EXPECTED=1 and read the difference.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "protocol/cpm/address.h"
#include "protocol/cpm/classify.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/names.h"
#include "protocol/cpm/write.h"
#include "protocol/mime/inspect.h"
#include "protocol/text/base64_lines.h"

namespace protocol::cpm {
namespace {

namespace fs = std::filesystem;

ObjectHead Head() {
  return {.from = "tel:+15550100222",
          .to = "tel:+15550100111",
          .date = InternalDate{1456910101, 60},
          .subject = "Grüße",
          .message_id = "<1@cms1.example.net>",
          .conversation_id = "6c2d1f40",
          .contribution_id = "0b7de2c1",
          .in_reply_to_contribution_id = "0b7de2c0",
          .imdn_message_id = "Qv7x2m0aKf",
          .direction = Direction::kReceived};
}

/// Compares with the golden file, classifies, reads the header back; gives the octets.
template <typename Body>
std::string Check(const std::string& name, const Body& body, Layout layout, ObjectKind kind) {
  const auto written = WriteObject(Head(), body, layout);
  EXPECT_TRUE(written) << written.error().text;
  if (!written) return {};
  const fs::path path =
      fs::path(TEST_DATA_DIR) / "cpm" / (name + (layout == Layout::kV20 ? "-20.eml" : "-2x.eml"));
  if (std::getenv("CMS_WRITE_EXPECTED") != nullptr) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << *written;
  }
  std::ifstream in(path, std::ios::binary);
  EXPECT_EQ(*written, (std::string{std::istreambuf_iterator<char>(in), {}})) << path;

  mime::MemorySource source(*written);
  const auto found = *mime::Inspect(source);
  EXPECT_EQ(Classify(found, source), Classified{kind}) << Classify(found, source).fault;
  ObjectHead read = ReadObjectHead(*written);
  if (kind == ObjectKind::kSms) EXPECT_EQ(read.correlator, CorrelatorOf("Zu spät\nsorry"));
  read.correlator.clear();
  read.context.clear();
  read.asserted_service.clear();
  EXPECT_EQ(read, Head());
  return *written;
}

struct Opened {
  explicit Opened(const std::string& octets) : source(octets), found(*mime::Inspect(source)) {}
  mime::MemorySource source;
  mime::Inspection found;
};

std::string BodyOf(const std::string& object) { return object.substr(object.find("\r\n\r\n") + 4); }

std::string InsideOf(const std::string& object) {
  const std::string body = BodyOf(object);
  const auto cpim = ReadCpim(body);
  EXPECT_TRUE(cpim);
  return cpim ? body.substr(cpim->content_begin, cpim->content_size) : std::string();
}

class Objects : public testing::TestWithParam<Layout> {};
INSTANTIATE_TEST_SUITE_P(BothLayouts, Objects, testing::Values(Layout::kV20, Layout::k2x),
                         [](const auto& info) { return info.param == Layout::kV20 ? "V20" : "V2x"; });

TEST_P(Objects, Chat) {
  const auto written = Check("chat", ChatMessage{.content = {.octets = "Mittag?\nJa 🌅"}}, GetParam(),
                             ObjectKind::kChatMessage);
  EXPECT_EQ(InsideOf(written), "Mittag?\r\nJa 🌅");
  EXPECT_EQ(*ReadCpim(BodyOf(written))->Imdn("Message-ID"), "Qv7x2m0aKf");
}

TEST_P(Objects, Standalone) {
  const Content text{.octets = "Timetable"};
  Check("standalone", StandaloneMessage{.contents = {text}}, GetParam(), ObjectKind::kStandaloneMessage);
  const Content image{.type = "image/png", .octets = "\x89PNG", .id = "tt@x", .file_name = "tábla.png"};
  Check("standalone-file", StandaloneMessage{.contents = {text, image}}, GetParam(),
        ObjectKind::kStandaloneMessage);
}

TEST_P(Objects, ImdnOfEveryStatus) {
  for (const auto type : {Imdn::Type::kDelivery, Imdn::Type::kDisplay, Imdn::Type::kProcessing}) {
    for (const auto status :
         {Imdn::Status::kDelivered, Imdn::Status::kFailed, Imdn::Status::kForbidden, Imdn::Status::kError,
          Imdn::Status::kDisplayed, Imdn::Status::kProcessed, Imdn::Status::kStored}) {
      const Imdn imdn{"a&<b>\"", "2016-03-02T09:15:04Z", "tel:+1", "tel:+2", "", type, status};
      const auto written = WriteObject(Head(), ImdnMessage{imdn}, GetParam());
      ASSERT_EQ(written.has_value(), Fits(type, status));
      if (written) EXPECT_EQ(ReadImdn(InsideOf(*written)), imdn);
    }
  }
  Check("imdn", ImdnMessage{{.message_id = "Qv7", .date_time = "2016-03-02T09:15:04Z"}}, GetParam(),
        ObjectKind::kImdn);
}

TEST_P(Objects, SmsAndMms) {
  Check("sms", SmsMessage{"Zu spät\nsorry"}, GetParam(), ObjectKind::kSms);
  Check("mms",
        MmsMessage{{{.type = "application/smil", .octets = "<smil/>", .id = "s@x"}, {.octets = "--mms"}}},
        GetParam(), ObjectKind::kMms);
}

TEST_P(Objects, HttpFile) {
  const HttpFile file{{{"thumbnail", 2048, "", "image/jpeg", "https://x/t?a&b", "2016-04-01T00:00:00Z"},
                       {"file", 183042, "<h>.jpg", "image/jpeg", "https://x/f", "2016-04-01T00:00:00Z"}}};
  EXPECT_EQ(ReadHttpFile(InsideOf(
                Check("http-file", HttpFileMessage{file}, GetParam(), ObjectKind::kFileTransferOverHttp))),
            file);
}

TEST_P(Objects, SessionInfo) {
  SessionInfo info{.type = "Ad-Hoc",
                   .participants = {"tel:+1", "sip:b@x"},
                   .media = {{"map@x", "m=image 9 TCP/MSRP *\na=sendrecv"}}};
  const auto alone = Check("session", SessionInfoObject{info}, GetParam(), ObjectKind::kSessionInfo);
  Opened opened(alone);
  EXPECT_EQ(ReadSessionInfo(opened.found.parts, opened.source), info);

  const auto with =
      Check("session-media", SessionInfoObject{info, {{.type = "image/png", .octets = "x", .id = "map@x"}}},
            GetParam(), ObjectKind::kSessionInfo);
  Opened media(with);
  info.media[0].part = 2;
  EXPECT_EQ(ReadSessionInfo(media.found.parts, media.source), info);
}

TEST_P(Objects, FileTransfer) {
  FileTransfer transfer{.type = "1-1", .participants = {"tel:+1"}};
  transfer.files.push_back({"a@x",
                            {"Harbour", "sendonly", "h\"%\r\n.jpg", "image/jpeg", 3, "sha-1:72:24", "render",
                             "Wed, 02 Mar 2016 09:29:31 +0100", "", "x"}});
  transfer.files.push_back({"b@x", {}});
  const auto written =
      Check("file-transfer",
            FileTransferObject{transfer,
                               {{.octets = "--cpm\n", .id = "b@x"},
                                {.type = "image/jpeg", .octets = std::string(200, '\0'), .id = "a@x"}}},
            GetParam(), ObjectKind::kFileTransfer);
  Opened opened(written);
  transfer.files[0].part = 3;
  transfer.files[1].part = 2;
  EXPECT_EQ(ReadFileTransfer(opened.found.parts, opened.source), transfer);
}

TEST_P(Objects, GroupStateAndMedia) {
  const GroupState state{"2016-03-02T11:05:30+01:00",
                         "sip:f@x",
                         "Closed",
                         "c1",
                         "Trip",
                         {{"<Ana> & \"B\"", "tel:+1", "chairman"}, {"", "tel:+2", ""}}};
  EXPECT_EQ(ReadGroupState(
                BodyOf(Check("group-state", GroupStateObject{state}, GetParam(), ObjectKind::kGroupState))),
            state);
  Check("media", MediaObject{{.type = "image/jpeg", .octets = "x", .file_name = "quay.jpg"}}, GetParam(),
        ObjectKind::kMedia);
}

/// The pieces with the octets between them, which come in small parts.
std::string Assemble(const Pieces& pieces, const std::vector<Content>& contents) {
  EXPECT_EQ(pieces.size(), contents.size() + 1);
  std::string out = pieces[0];
  for (std::size_t i = 0; i < contents.size(); ++i) {
    text::Base64Lines lines;
    for (std::size_t at = 0; at < contents[i].octets.size(); at += 1 + at % 130)
      lines.Add(out, std::string_view(contents[i].octets).substr(at, 1 + at % 130));
    lines.End(out);
    out += pieces[i + 1];
  }
  return out;
}

TEST_P(Objects, AroundFilesThatAreElsewhere) {
  std::string octets;
  for (int i = 0; i < 1000; ++i) octets += static_cast<char>(i * 7);
  FileTransferObject transfer{.transfer = {.type = "1-1", .participants = {"tel:+15550100111"}}};
  for (const std::size_t size : {std::size_t{1000}, std::size_t{57}, std::size_t{0}}) {
    const std::string cid = "f" + std::to_string(size) + "@x";
    transfer.transfer.files.push_back({.cid = cid});
    transfer.contents.push_back({.type = "image/jpeg", .octets = octets.substr(0, size), .id = cid});
  }
  const auto pieces = WriteAround(Head(), transfer, GetParam());
  ASSERT_TRUE(pieces) << pieces.error().text;
  EXPECT_EQ(Assemble(*pieces, transfer.contents), *WriteObject(Head(), transfer, GetParam()));

  const MediaObject media{{.type = "video/mp4", .octets = octets, .file_name = "a.mp4"}};
  const auto around = WriteAround(Head(), media, GetParam());
  ASSERT_TRUE(around) << around.error().text;
  EXPECT_EQ(Assemble(*around, {media.content}), *WriteObject(Head(), media, GetParam()));

  transfer.contents[1].id = "another@x";
  EXPECT_FALSE(WriteAround(Head(), transfer, GetParam()));
  transfer.contents.clear();
  EXPECT_EQ(*WriteAround(Head(), transfer, GetParam()), Pieces{*WriteObject(Head(), transfer, GetParam())});
}

TEST(WriteObject, RefusesHeaderInjection) {
  for (const std::string& bad : {std::string("a\r\nX: y"), std::string("a\nb"), std::string("a\0b", 3),
                                 std::string(" a"), std::string(1000, 'a')}) {
    for (auto field :
         {&ObjectHead::from, &ObjectHead::to, &ObjectHead::message_id, &ObjectHead::conversation_id,
          &ObjectHead::contribution_id, &ObjectHead::in_reply_to_contribution_id,
          &ObjectHead::imdn_message_id, &ObjectHead::context, &ObjectHead::asserted_service}) {
      ObjectHead head = Head();
      head.*field = bad;
      EXPECT_FALSE(WriteObject(head, ChatMessage{}, Layout::k2x));
    }
    EXPECT_FALSE(
        WriteObject(Head(), ChatMessage{.content = {.type = "text/plain; x=" + bad + "\n"}}, Layout::k2x));
  }
  ObjectHead head = Head();
  head.subject = "a\r\nX: y";
  const auto written = WriteObject(head, ChatMessage{}, Layout::k2x);
  EXPECT_EQ(written->find("\nX:"), std::string::npos);
  EXPECT_EQ(ReadObjectHead(*written).subject, "a  X: y");  // DecodeWords() gives one line
}

TEST(Names, OfIds) {
  EXPECT_EQ(FolderNameOfId("6c2d-~:@+!$'(),;="), "6c2d-~:@+!$'(),;=");
  EXPECT_EQ(FolderNameOfId("a/b%c*\"\\\x01\xff&"), "a%2Fb%25c%2A%22%5C%01%FF%26");
  EXPECT_EQ(FolderNameOfId(".."), "%2E%2E");
  EXPECT_EQ(FolderNameOfId("..."), "...");
  EXPECT_TRUE(FolderNameOfId(std::string(255, 'a')));
  EXPECT_FALSE(FolderNameOfId(std::string(256, 'a')));
  EXPECT_FALSE(FolderNameOfId(std::string(10240, '/')));
  EXPECT_FALSE(FolderNameOfId(""));
}

TEST(Names, OfPeers) {
  const std::string tel = "tel:+15550100222";
  EXPECT_EQ(ConversationFolderName("+15550100222"), tel);
  EXPECT_EQ(ConversationFolderName("Bea <15550100222>"), tel);
  EXPECT_EQ(ConversationFolderName("\"a, b\" <sip:bea@x;y=1>, <tel:+1-555-010-0222>"), tel);
  EXPECT_EQ(ConversationFolderName("<tel:+15550100222>, \"Anonymous\" <sip:Anonymous@x>"), kAnonymousAddress);
  EXPECT_EQ(ConversationFolderName("sip:+15550100222@anonymous.invalid;user=phone"), kAnonymousAddress);
  EXPECT_EQ(ConversationFolderName("tel:anonymous"), kAnonymousAddress);
  EXPECT_FALSE(ConversationFolderName("nobody"));
}

}  // namespace
}  // namespace protocol::cpm
