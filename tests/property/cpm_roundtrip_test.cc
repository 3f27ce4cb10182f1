// CPM objects of arbitrary content: what the writers write, the readers read back the same, in both layouts.
// What is well-formed is written; what is not is a fault or comes back the same, never something else.

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "protocol/cpm/classify.h"
#include "protocol/cpm/cpim.h"
#include "protocol/cpm/names.h"
#include "protocol/cpm/write.h"
#include "protocol/mime/inspect.h"

namespace protocol::cpm {
namespace {

constexpr Layout kLayouts[] = {Layout::kV20, Layout::k2x};

/// What means something to XML, MIME, SDP, URIs or RFC 2047, and characters that are easily lost.
const std::vector<std::string> kInLine{"a",
                                       "Ana",
                                       " ",
                                       "  ",
                                       "0",
                                       "&",
                                       "<",
                                       ">",
                                       "\"",
                                       "'",
                                       "]]>",
                                       "&amp;",
                                       "&#38;",
                                       "<!--",
                                       "<?xml",
                                       "cid:",
                                       "%22",
                                       "%",
                                       "\\",
                                       "--",
                                       "--cpm",
                                       "=",
                                       "=?utf-8?b?YQ==?=",
                                       ":",
                                       "/",
                                       "i=",
                                       "tel:+1",
                                       "sip:b@x",
                                       "\u00e9",
                                       "\u0386",
                                       "\u202e",
                                       "\u00a0",
                                       "\u0085",
                                       "\u2028",
                                       "\U0001f6b2",
                                       "\U0001f469\u200d\U0001f467"};
/// What ends a line, or cannot stand in XML, among the same.
const std::vector<std::string> kAnything{"\n", "\r\n", "\r",     "\t",     "\x01",  "\x7f",
                                         ";",  "\xff", "\ufffe", "a",      " ",     "&",
                                         "<",  "\"",   "%",      "\u00e9", "--cpm", "name:"};

/// Short enough for 60 of them to fit into one XML document.
rc::Gen<std::string> Joined(const std::vector<std::string>& pieces) {
  return rc::gen::resize(
      12, rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(pieces)),
                       [](const std::vector<std::string>& chosen) {
                         std::string out;
                         for (const auto& piece : chosen) out += piece;
                         return out;
                       }));
}

std::string Trimmed(const std::string& text) {
  constexpr std::string_view kWhite = " \t\r\n";
  const auto begin = text.find_first_not_of(kWhite);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWhite) - begin + 1);
}

/// A line without space around it, or nothing.
rc::Gen<std::string> OptionalLine() { return rc::gen::map(Joined(kInLine), Trimmed); }

rc::Gen<std::string> Line() {
  return rc::gen::suchThat(OptionalLine(), [](const std::string& line) { return !line.empty(); });
}

rc::Gen<std::string> Anything() {
  return rc::gen::oneOf(OptionalLine(), Joined(kAnything), rc::gen::arbitrary<std::string>());
}

/// Of a part: what stands between the brackets of a Content-ID.
std::string Cid(std::size_t number) { return fmt::format("{}.é%&-{}@x", number, *rc::gen::inRange(0, 100)); }

ObjectHead Head() {
  return {.from = "tel:+15550100222",
          .to = "tel:+15550100111",
          .date = InternalDate{1456910101, 60},
          .message_id = "<1@cms1.example.net>",
          .conversation_id = "6c2d1f40",
          .contribution_id = "0b7de2c1",
          .imdn_message_id = "Qv7x2m0aKf",
          .direction = Direction::kReceived};
}

struct Opened {
  explicit Opened(const std::string& octets) : source(octets), found(*mime::Inspect(source)) {}
  mime::MemorySource source;
  mime::Inspection found;
};

std::string BodyOf(const std::string& object) { return object.substr(object.find("\r\n\r\n") + 4); }

/// What stands in a message/cpim.
std::string InsideOf(const std::string& object) {
  const std::string body = BodyOf(object);
  const auto cpim = ReadCpim(body);
  RC_ASSERT(cpim.has_value());
  return body.substr(cpim->content_begin, cpim->content_size);
}

/// Writes an object, which must be possible, and looks at it as APPEND does.
template <class Body>
std::string Written(const Body& body, Layout layout, ObjectKind kind) {
  const auto octets = WriteObject(Head(), body, layout);
  if (!octets) RC_FAIL(octets.error().text);
  Opened opened(*octets);
  RC_ASSERT(Classify(opened.found, opened.source) == Classified{kind});
  return *octets;
}

/// What reads `octets` gives that value; no fault, no other.
template <class Value>
void ExpectRead(const tl::expected<Value, Fault>& read, const Value& value) {
  if (!read) RC_FAIL(read.error().text);
  RC_ASSERT(*read == value);
}

std::vector<std::string> Lines(int most) {
  return *rc::gen::resize(most, rc::gen::container<std::vector<std::string>>(Line()));
}

/// Addresses, which stand between semicolons.
std::vector<std::string> Participants() {
  auto out = Lines(60);
  for (auto& one : out) std::erase(one, ';');
  return out;
}

void ChooseStatus(Imdn& imdn) {
  constexpr Imdn::Type kTypes[] = {Imdn::Type::kDelivery, Imdn::Type::kDisplay, Imdn::Type::kProcessing};
  constexpr Imdn::Status kStatuses[] = {
      Imdn::Status::kDelivered, Imdn::Status::kFailed,    Imdn::Status::kForbidden, Imdn::Status::kError,
      Imdn::Status::kDisplayed, Imdn::Status::kProcessed, Imdn::Status::kStored};
  imdn.type = *rc::gen::elementOf(std::vector(std::begin(kTypes), std::end(kTypes)));
  imdn.status =
      *rc::gen::suchThat(rc::gen::elementOf(std::vector(std::begin(kStatuses), std::end(kStatuses))),
                         [&](Imdn::Status status) { return Fits(imdn.type, status); });
}

RC_GTEST_PROP(CpmRoundTrip, AnImdn, ()) {
  Imdn imdn{.message_id = *Line(),
            .date_time = *Line(),
            .recipient_uri = *OptionalLine(),
            .original_recipient_uri = *OptionalLine(),
            .subject = *OptionalLine()};
  ChooseStatus(imdn);
  for (const Layout layout : kLayouts)
    ExpectRead(ReadImdn(InsideOf(Written(ImdnMessage{imdn}, layout, ObjectKind::kImdn))), imdn);
}

RC_GTEST_PROP(CpmRoundTrip, AGroupState, ()) {
  GroupState state{.timestamp = *Line(),
                   .last_focus_session_id = *Line(),
                   .group_type = *Line(),
                   .contribution_id = *OptionalLine(),
                   .subject = *OptionalLine()};
  for (const auto& address : Participants())
    state.participants.push_back({*OptionalLine(), address, *OptionalLine()});
  for (const Layout layout : kLayouts) {
    const auto octets = Written(GroupStateObject{state}, layout, ObjectKind::kGroupState);
    ExpectRead(ReadGroupState(BodyOf(octets)), state);
  }
}

RC_GTEST_PROP(CpmRoundTrip, AFileOnAServer, ()) {
  HttpFile file;
  for (const auto& url : Lines(20)) {
    file.infos.push_back({.type = *OptionalLine(),
                          .size = *rc::gen::arbitrary<std::uint64_t>(),
                          .name = *OptionalLine(),
                          .content_type = *Line(),
                          .url = url,
                          .until = *OptionalLine()});
  }
  file.infos.insert(file.infos.begin() + *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(file.infos) + 1),
                    {.type = "file", .content_type = "image/jpeg", .url = "https://x/f"});
  for (const Layout layout : kLayouts) {
    const auto octets = Written(HttpFileMessage{file}, layout, ObjectKind::kFileTransferOverHttp);
    ExpectRead(ReadHttpFile(InsideOf(octets)), file);
  }
}

/// Octets for some of the ids, in another order; says which part each became.
std::vector<Content> SomeContents(const std::vector<std::string>& cids) {
  std::vector<Content> out;
  for (std::size_t i = cids.size(); i-- > 0;) {
    if (*rc::gen::arbitrary<bool>()) {
      out.push_back({.type = *rc::gen::elementOf(std::vector<std::string>{"image/png", "text/plain"}),
                     .octets = *Anything(),
                     .id = cids[i],
                     .file_name = *OptionalLine(),
                     .description = *OptionalLine()});
    }
  }
  return out;
}

/// The XML is part 1, below the multipart.
std::optional<std::size_t> PartOfContent(const std::vector<Content>& contents, const std::string& cid) {
  for (std::size_t i = 0; i < contents.size(); ++i) {
    if (contents[i].id == cid) return i + 2;
  }
  return std::nullopt;
}

std::string Sdp() {
  std::string out;
  for (const auto& line : Lines(20)) out += (out.empty() ? "" : "\n") + line;
  return out;
}

RC_GTEST_PROP(CpmRoundTrip, ASession, ()) {
  SessionInfo info{.type = *Line(), .participants = Participants()};
  info.sdp = Sdp();
  std::vector<std::string> cids;
  for (std::size_t i = *rc::gen::inRange<std::size_t>(0, 5); i > 0; --i) {
    cids.push_back(Cid(i));
    info.media.push_back({.cid = cids.back(), .sdp = Sdp()});
  }
  const auto contents = SomeContents(cids);
  for (auto& media : info.media) media.part = PartOfContent(contents, media.cid);
  for (const Layout layout : kLayouts) {
    auto expected = info;
    if (layout == Layout::kV20) expected.sdp.clear();  // it has no place for it
    const auto octets = Written(SessionInfoObject{info, contents}, layout, ObjectKind::kSessionInfo);
    Opened opened(octets);
    ExpectRead(ReadSessionInfo(opened.found.parts, opened.source), expected);
  }
}

std::string Token() {
  auto out = *OptionalLine();
  std::erase_if(out, [](char c) { return c == '"' || c == ' '; });
  return out;
}

std::string Date() {
  auto out = *OptionalLine();
  std::erase(out, '"');
  return Trimmed(out);
}

FileSdp AFile() {
  FileSdp out{.information = *OptionalLine(),
              .direction = *rc::gen::elementOf(
                  std::vector<std::string>{"", "sendonly", "recvonly", "sendrecv", "inactive"}),
              .name = *rc::gen::oneOf(OptionalLine(), Joined({"\n", "\r", " ", "\"", "%22", "%", "a", "é"})),
              .type = Token(),
              .hash = Token(),
              .disposition = Token(),
              .created = Date(),
              .modified = Date(),
              .read = Date()};
  if (*rc::gen::arbitrary<bool>()) out.size = *rc::gen::arbitrary<std::uint64_t>();
  return out;
}

RC_GTEST_PROP(CpmRoundTrip, AFileTransfer, ()) {
  FileTransfer transfer{.type = *Line(), .participants = Participants()};
  std::vector<std::string> cids;
  for (std::size_t i = *rc::gen::inRange<std::size_t>(0, 5); i > 0; --i) {
    cids.push_back(Cid(i));
    transfer.files.push_back({.cid = cids.back(), .sdp = AFile()});
  }
  const auto contents = SomeContents(cids);
  for (auto& file : transfer.files) file.part = PartOfContent(contents, file.cid);
  for (const Layout layout : kLayouts) {
    const auto octets = Written(FileTransferObject{transfer, contents}, layout, ObjectKind::kFileTransfer);
    Opened opened(octets);
    ExpectRead(ReadFileTransfer(opened.found.parts, opened.source), transfer);
  }
}

// One field holds anything at all: a fault, or the same again.

/// Gives field after field, of which one is `Anything()`.
class OddOne {
 public:
  explicit OddOne(int fields) : odd_(*rc::gen::inRange(0, fields)) {}
  std::string operator()(const std::string& proper) { return at_++ == odd_ ? *Anything() : proper; }

 private:
  const int odd_;
  int at_ = 0;
};

RC_GTEST_PROP(CpmWriters, AnImdnIsRefusedOrComesBack, ()) {
  OddOne field(5);
  Imdn imdn{.message_id = field(*Line()),
            .date_time = field(*Line()),
            .recipient_uri = field(*Line()),
            .original_recipient_uri = field(*Line()),
            .subject = field(*Line())};
  const auto xml = WriteImdn(imdn);
  if (!xml) return;
  imdn.subject = Trimmed(imdn.subject);
  ExpectRead(ReadImdn(*xml), imdn);
}

RC_GTEST_PROP(CpmWriters, AGroupStateIsRefusedOrComesBack, ()) {
  OddOne field(8);
  GroupState state{.timestamp = field(*Line()),
                   .last_focus_session_id = field(*Line()),
                   .group_type = field(*Line()),
                   .contribution_id = field(*Line()),
                   .subject = field(*Line()),
                   .participants = {{field(*Line()), field(*Line()), field(*Line())}}};
  const auto xml = WriteGroupState(state);
  if (!xml) return;
  state.subject = Trimmed(state.subject);
  ExpectRead(ReadGroupState(*xml), state);
}

RC_GTEST_PROP(CpmWriters, AFileOnAServerIsRefusedOrComesBack, ()) {
  OddOne field(4);
  const HttpFile file{{{"file", 1, field(*Line()), field(*Line()), field(*Line()), field(*Line())}}};
  const auto xml = WriteHttpFile(file);
  if (xml) ExpectRead(ReadHttpFile(*xml), file);
}

RC_GTEST_PROP(CpmWriters, ASessionIsRefusedOrComesBack, ()) {
  OddOne field(5);
  const SessionInfo info{.type = field(*Line()),
                         .participants = {field("tel:+1")},
                         .sdp = field(Sdp()),
                         .media = {{.cid = field("a@x"), .sdp = field(Sdp()), .part = {}}}};
  for (const Layout layout : kLayouts) {
    const auto xml = WriteSessionXml(info, layout);
    if (!xml) continue;
    auto expected = info;
    if (layout == Layout::kV20) expected.sdp.clear();
    ExpectRead(ReadSessionXml(*xml), expected);
  }
}

RC_GTEST_PROP(CpmWriters, AFileTransferIsRefusedOrComesBack, ()) {
  OddOne field(9);
  FileSdp sdp;
  sdp.information = field(*Line());
  sdp.name = field(*Line());
  sdp.type = field(Token());
  sdp.hash = field(Token());
  sdp.disposition = field(Token());
  sdp.created = field(Date());
  sdp.modified = field(Date());
  sdp.read = field(Date());
  const FileTransfer transfer{
      .type = field(*Line()), .participants = {}, .files = {{.cid = "a@x", .sdp = sdp, .part = {}}}};
  for (const Layout layout : kLayouts) {
    const auto xml = WriteFileTransferXml(transfer, layout);
    if (xml) ExpectRead(ReadFileTransferXml(*xml), transfer);
  }
}

RC_GTEST_PROP(CpmWriters, AChatMessageHoldsItsOctets, ()) {
  const std::string octets = *Anything();
  const ChatMessage chat{.content = {.type = "application/x", .octets = octets}};
  const auto written = Written(chat, Layout::k2x, ObjectKind::kChatMessage);
  const auto view = BodyOf(written);
  const auto cpim = ReadCpim(view);
  RC_ASSERT(cpim.has_value());
  RC_ASSERT(cpim->content_encoding == "base64");
  RC_ASSERT(*cpim->Imdn("Message-ID") == Head().imdn_message_id);
}

RC_GTEST_PROP(CpmWriters, CpimValuesComeBack, ()) {
  const std::string value =
      *rc::gen::suchThat(Anything(), [](const std::string& text) { return !text.empty(); });
  const auto read = ReadCpim(WriteCpim({{"Subject", value}}, {.type = "text/plain", .octets = "x"}));
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read->Find("subject") == value);
}

RC_GTEST_PROP(CpmWriters, IdsNameFoldersOneToOne, ()) {
  const std::string a = *Anything();
  const std::string b = *rc::gen::oneOf(Anything(), rc::gen::just(a));
  const auto x = FolderNameOfId(a);
  const auto y = FolderNameOfId(b);
  if (x && y) RC_ASSERT((a == b) == (*x == *y));
}

TEST(CpmWriters, AGroupOfFiveHundredFitsAndOneOfFiveThousandIsRefused) {
  GroupState state{"2016-03-02T11:05:30+01:00", "sip:f@x", "Closed", "", "", {}};
  for (int i = 0; i < 500; ++i)
    state.participants.push_back(
        {fmt::format("Participant <{}>", i), fmt::format("tel:+1555010{:04}", i), ""});
  const auto xml = WriteGroupState(state);
  ASSERT_TRUE(xml) << xml.error().text;
  EXPECT_EQ(ReadGroupState(*xml), state);
  while (state.participants.size() < 5000) state.participants.push_back(state.participants[0]);
  EXPECT_FALSE(WriteGroupState(state));

  SessionInfo info{.type = "Group"};
  for (int i = 0; i < 2000; ++i) info.participants.push_back(fmt::format("tel:+1555010{:04}", i));
  for (const Layout layout : kLayouts) {
    const auto session = WriteSessionXml(info, layout);
    ASSERT_TRUE(session) << session.error().text;
    EXPECT_EQ(ReadSessionXml(*session), info);
  }
}

}  // namespace
}  // namespace protocol::cpm
