// What each object is: the table of spec note 2.1, every demo object, and bodies that are not what they
// claim.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "protocol/cpm/classify.h"
#include "protocol/cpm/object_head.h"
#include "protocol/mime/inspect.h"

namespace protocol::cpm {
namespace {

namespace fs = std::filesystem;

Classified ClassifyText(const std::string& object) {
  mime::MemorySource source(object);
  return Classify(*mime::Inspect(source), source);
}

std::string Crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

TEST(Classify, DemoObjects) {
  const std::map<std::string, ObjectKind> expected{{"01", ObjectKind::kSms},
                                                   {"02", ObjectKind::kSms},
                                                   {"03", ObjectKind::kMms},
                                                   {"04", ObjectKind::kSessionInfo},
                                                   {"05", ObjectKind::kChatMessage},
                                                   {"06", ObjectKind::kChatMessage},
                                                   {"07", ObjectKind::kImdn},
                                                   {"08", ObjectKind::kImdn},
                                                   {"09", ObjectKind::kFileTransfer},
                                                   {"10", ObjectKind::kFileTransferOverHttp},
                                                   {"11", ObjectKind::kStandaloneMessage},
                                                   {"12", ObjectKind::kChatMessage},
                                                   {"13", ObjectKind::kChatMessage},
                                                   {"14", ObjectKind::kImdn},
                                                   {"15", ObjectKind::kStandaloneMessage},
                                                   {"16", ObjectKind::kChatMessage},
                                                   {"17", ObjectKind::kImdn},
                                                   {"18", ObjectKind::kChatMessage},
                                                   {"19", ObjectKind::kChatMessage},
                                                   {"20", ObjectKind::kChatMessage},
                                                   {"21", ObjectKind::kImdn},
                                                   {"22", ObjectKind::kChatMessage},
                                                   {"23", ObjectKind::kChatMessage},
                                                   {"24", ObjectKind::kStandaloneMessage},
                                                   {"25", ObjectKind::kChatMessage},
                                                   {"26", ObjectKind::kStandaloneMessage},
                                                   {"27", ObjectKind::kSessionInfo},
                                                   {"28", ObjectKind::kChatMessage},
                                                   {"29", ObjectKind::kChatMessage},
                                                   {"30", ObjectKind::kImdn},
                                                   {"31", ObjectKind::kChatMessage},
                                                   {"32", ObjectKind::kGroupState},
                                                   {"33", ObjectKind::kStandaloneMessage},
                                                   {"34", ObjectKind::kSessionInfo},
                                                   {"35", ObjectKind::kChatMessage},
                                                   {"36", ObjectKind::kChatMessage},
                                                   {"37", ObjectKind::kGroupState},
                                                   {"38", ObjectKind::kChatMessage},
                                                   {"39", ObjectKind::kChatMessage},
                                                   {"40", ObjectKind::kImdn},
                                                   {"41", ObjectKind::kMedia},
                                                   {"42", ObjectKind::kStandaloneMessage},
                                                   {"43", ObjectKind::kStandaloneMessage},
                                                   {"44", ObjectKind::kStandaloneMessage}};
  std::size_t seen = 0;
  for (const auto& entry : fs::directory_iterator(DEMO_OBJECTS_DIR)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string octets{std::istreambuf_iterator<char>(in), {}};
    const std::string name = entry.path().filename().string();
    const auto found = expected.find(name.substr(0, 2));
    ASSERT_NE(found, expected.end()) << name;
    EXPECT_EQ(ClassifyText(octets), Classified{found->second}) << name << ": " << ClassifyText(octets).fault;
    ++seen;
  }
  EXPECT_EQ(seen, expected.size());
}

constexpr const char* kAddressed = "From: a@x\nDate: Wed, 02 Mar 2016 10:15:01 +0100\n";
constexpr const char* kCpim = "From: <sip:a@x>\n\nContent-Type: text/plain\n\nHi";

struct Case {
  const char* name;
  std::string object;
  ObjectKind kind;
  std::string fault = {};
};

class ClassifyCase : public testing::TestWithParam<Case> {};
TEST_P(ClassifyCase, Is) {
  const Case& c = GetParam();
  const Classified expected{c.kind, !c.fault.empty(), c.fault};
  const Classified found = ClassifyText(Crlf(c.object));
  EXPECT_EQ(found, expected) << found.fault;
}

std::string Mail(const std::string& header, const std::string& body = "Hi") {
  return kAddressed + header + "\n" + body;
}
std::string CpimOf(const std::string& header, const std::string& body = kCpim) {
  return Mail("Content-Type: Message/CPIM\n" + header, body);
}
std::string Inside(const std::string& mime_header, const std::string& content) {
  return CpimOf("", "From: <sip:a@x>\n\n" + mime_header + "\n" + content);
}

const std::string kImdnXml =
    "<imdn><message-id>a</message-id><datetime>d</datetime>"
    "<display-notification><status><displayed/></status></display-notification></imdn>";
const std::string kState = "<groupstate timestamp='t' lastfocussessionid='f' group-type='open'/>";

INSTANTIATE_TEST_SUITE_P(
    Kinds, ClassifyCase,
    testing::Values(
        Case{"mail", Mail(""), ObjectKind::kStandaloneMessage},
        Case{"mail_with_html", Mail("Content-Type: TEXT/HTML\n"), ObjectKind::kStandaloneMessage},
        Case{"mail_with_odd_date", "From: a@x\nDate: mer. 2 mars\n\nHi", ObjectKind::kStandaloneMessage},
        Case{"mail_with_senseless_type", Mail("Content-Type: text\n"), ObjectKind::kStandaloneMessage},
        Case{"no_date", "From: a@x\n\nHi", ObjectKind::kMedia},
        Case{"no_from", "Date: Wed, 02 Mar 2016 10:15:01 +0100\n\nHi", ObjectKind::kMedia},
        Case{"nothing", "", ObjectKind::kMedia},
        Case{"image", Mail("Content-Type: image/png\n"), ObjectKind::kMedia},
        Case{"attached_message", Mail("Content-Type: message/rfc822\n", "From: b@x\n\nHi"),
             ObjectKind::kMedia},
        Case{"text_pager", Mail("Message-Context: pager-message\n"), ObjectKind::kSms},
        Case{"text_of_session", Mail("P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session\n"),
             ObjectKind::kChatMessage},
        Case{"chat", CpimOf(""), ObjectKind::kChatMessage},
        Case{"chat_without_outer_addresses", "Content-Type: message/cpim\n\n" + std::string(kCpim),
             ObjectKind::kChatMessage},
        Case{"chat_in_group",
             CpimOf("P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.session.group\n"),
             ObjectKind::kChatMessage},
        Case{"chat_base64", CpimOf("Content-Transfer-Encoding: base64\n", "RnJvbTogPHNpcDphQHg+DQoNCg0KSGk="),
             ObjectKind::kChatMessage},
        Case{"standalone_cpim", CpimOf("P-Asserted-Service: urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg\n"),
             ObjectKind::kStandaloneMessage},
        Case{"large_cpim_any_case",
             CpimOf("p-asserted-service: URN:urn-7:3gpp-service.ims.icsi.oma.cpm.LargeMsg\n"),
             ObjectKind::kStandaloneMessage},
        Case{"sms", CpimOf("Message-Context: pager-message\n"), ObjectKind::kSms},
        Case{"sms_quoted", CpimOf("Message-Context: \"Pager-Message\"\n"), ObjectKind::kSms},
        Case{"mms", CpimOf("Message-Context: multimedia-message\n"), ObjectKind::kMms},
        Case{"imdn", Inside("Content-Type: Message/IMDN+XML; charset=utf-8\n", kImdnXml), ObjectKind::kImdn},
        Case{"imdn_of_sms",
             CpimOf("Message-Context: pager-message\n",
                    "From: <sip:a@x>\n\nContent-Type: message/imdn+xml\n\n" + kImdnXml),
             ObjectKind::kImdn},
        Case{"group_state", Mail("Content-Type: Application/Group-State-Object+XML\n", kState),
             ObjectKind::kGroupState},
        Case{"session_document",
             Mail("Content-Type: application/X-CPM-session\n",
                  "<session><session-type>Group</session-type><invited-participants/></session>"),
             ObjectKind::kSessionInfo},
        Case{"file_transfer_document",
             Mail("Content-Type: application/x-cpm-file-transfer\n",
                  "<file-transfer><file-transfer-type>1-1</file-transfer-type><invited-participants/></"
                  "file-transfer>"),
             ObjectKind::kFileTransfer},
        Case{"related_mail",
             Mail("Content-Type: multipart/related; boundary=b; type=\"text/html\"\n", "--b\n\nx\n--b--\n"),
             ObjectKind::kStandaloneMessage}),
    [](const auto& info) { return std::string(info.param.name); });

std::string Related(const std::string& root) {
  return Mail("Content-Type: multipart/related;boundary=cpm;type=\"Application/X-CPM-Session\"\n",
              "--cpm\n" + root + "\n--cpm--\n");
}

std::string Bomb() {
  std::string xml = "<!DOCTYPE imdn [<!ENTITY a0 'lol'>";
  for (int i = 1; i < 12; ++i) {
    xml += "<!ENTITY a" + std::to_string(i) + " '";
    for (int j = 0; j < 10; ++j) xml += "&a" + std::to_string(i - 1) + ";";
    xml += "'>";
  }
  return xml + "]><imdn><message-id>&a11;</message-id></imdn>";
}

std::string Deep(std::size_t levels) {
  std::string xml;
  for (std::size_t i = 0; i < levels; ++i) xml += "<a>";
  return xml;
}

INSTANTIATE_TEST_SUITE_P(
    Malformed, ClassifyCase,
    testing::Values(
        Case{"cpim_empty", CpimOf("", ""), ObjectKind::kChatMessage, "the CPIM headers do not end"},
        Case{"cpim_prose", CpimOf("", "Hello there\n\nHi\n\n"), ObjectKind::kChatMessage,
             "a line of the CPIM header is no header"},
        Case{"cpim_length_lies_more", Inside("Content-Length: 3\n", "Hi"), ObjectKind::kChatMessage,
             "the Content-Length in the CPIM message is 3, but 2 octets follow"},
        Case{"cpim_length_lies_less", Inside("Content-Length: 1\n", "Hi"), ObjectKind::kChatMessage,
             "the Content-Length in the CPIM message is 1, but 2 octets follow"},
        Case{"cpim_length_huge", Inside("Content-Length: 99999999999999999999\n", "Hi"),
             ObjectKind::kChatMessage, "the Content-Length in the CPIM message is no number"},
        Case{"cpim_length_negative", Inside("Content-Length: -1\n", "Hi"), ObjectKind::kChatMessage,
             "the Content-Length in the CPIM message is no number"},
        Case{"cpim_endless_header", CpimOf("", "Subject: " + std::string(20000, 'x') + "\n\n\n"),
             ObjectKind::kChatMessage, "the CPIM headers exceed 16384 octets"},
        Case{"sms_keeps_its_kind", CpimOf("Message-Context: pager-message\n", "x"), ObjectKind::kSms,
             "the CPIM headers do not end"},
        Case{"imdn_no_xml", Inside("Content-Type: message/imdn+xml\n", "<imdn/>"), ObjectKind::kImdn,
             "the IMDN has no message-id"},
        Case{"imdn_too_long", Inside("Content-Type: message/imdn+xml\n", std::string(70000, ' ')),
             ObjectKind::kImdn, "the XML exceeds 65536 octets"},
        Case{"imdn_bomb", Inside("Content-Type: message/imdn+xml\n", Bomb()), ObjectKind::kImdn,
             "the XML has a document type declaration"},
        Case{"imdn_external_entity",
             Inside("Content-Type: message/imdn+xml\n",
                    "<!DOCTYPE imdn SYSTEM 'file:///etc/passwd'>" + kImdnXml),
             ObjectKind::kImdn, "the XML has a document type declaration"},
        Case{"state_deep", Mail("Content-Type: application/group-state-object+xml\n", Deep(10000)),
             ObjectKind::kGroupState, "XML elements nest deeper than 16"},
        Case{"state_without_focus",
             Mail("Content-Type: application/group-state-object+xml\n",
                  "<groupstate timestamp='t' group-type='open'/>"),
             ObjectKind::kGroupState, "the group state has no lastfocussessionid"},
        Case{"state_of_other_root", Mail("Content-Type: application/group-state-object+xml\n", kImdnXml),
             ObjectKind::kGroupState, "the XML document is no <groupstate>"},
        Case{"state_twice", Mail("Content-Type: application/group-state-object+xml\n", kState + kState),
             ObjectKind::kGroupState, "the XML document is no <groupstate>"},
        Case{"session_without_part", Related("\nHi"), ObjectKind::kSessionInfo,
             "the session info has no part of type Application/X-CPM-Session"},
        Case{"session_without_type",
             Related("Content-Type: application/x-cpm-session\n\n<invited-participants/>"),
             ObjectKind::kSessionInfo, "the session info has no session-type"},
        Case{"session_without_invitees",
             Related("Content-Type: application/x-cpm-session\n\n<session-type>1-1</session-type>"),
             ObjectKind::kSessionInfo, "the session info has no invited-participants"},
        Case{"session_text_around",
             Related("Content-Type: "
                     "application/x-cpm-session\n\nx<session-type>1-1</session-type><invited-participants/>"),
             ObjectKind::kSessionInfo, "the session info has text outside of its elements"},
        Case{"session_unknown_encoding",
             Mail("Content-Type: application/x-cpm-session\nContent-Transfer-Encoding: rot13\n", "x"),
             ObjectKind::kSessionInfo, "its Content-Transfer-Encoding is unknown"},
        Case{
            "http_file_without_url",
            Inside("Content-Type: application/vnd.gsma.rcs-ft-http+xml\n",
                   "<file><file-info "
                   "type='file'><file-size>1</file-size><content-type>a/b</content-type></file-info></file>"),
            ObjectKind::kFileTransferOverHttp, "a file-info has no data with a url"}),
    [](const auto& info) { return std::string(info.param.name); });

/// Counts what is read.
class CountingSource final : public mime::Source {
 public:
  explicit CountingSource(std::string_view octets) : inner_(octets) {}
  std::uint64_t size() const override { return inner_.size(); }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    const std::int64_t got = inner_.Read(offset, out);
    octets += got;
    return got;
  }
  std::int64_t octets = 0;

 private:
  mime::MemorySource inner_;
};

TEST(Classify, ReadsNothingOfPlainMailAndLittleOfALargeChatMessage) {
  const std::string mail = Crlf(Mail("", std::string(1000000, 'x')));
  CountingSource plain(mail);
  const auto plain_found = *mime::Inspect(plain);
  plain.octets = 0;
  EXPECT_EQ(Classify(plain_found, plain).kind, ObjectKind::kStandaloneMessage);
  EXPECT_EQ(plain.octets, 0);

  const std::string chat = Crlf(Inside("Content-Length: 1000000\n", std::string(1000000, 'x')));
  CountingSource cpim(chat);
  const auto cpim_found = *mime::Inspect(cpim);
  cpim.octets = 0;
  EXPECT_EQ(Classify(cpim_found, cpim), Classified{ObjectKind::kChatMessage});
  EXPECT_LE(cpim.octets, 4096);
}

TEST(IsoDateTime, IsReadWithAnyZoneAndFraction) {
  const std::vector<std::pair<std::string_view, std::optional<std::int64_t>>> cases{
      {"1970-01-01T00:00:00Z", 0},
      {"2016-03-02T09:15:01Z", 1'456'910'101'000},
      {"2016-03-02T10:15:01+01:00", 1'456'910'101'000},
      {"2016-03-02T03:45:01-05:30", 1'456'910'101'000},
      {"2016-03-02T09:15:01", 1'456'910'101'000},
      {"2016-03-02T09:15:01.5Z", 1'456'910'101'500},
      {"2016-03-02T09:15:01.0079999Z", 1'456'910'101'007},
      {"2016-02-29T24:00:00Z", 1'456'790'400'000},
      {"1969-12-31T23:59:59Z", -1'000},
      {"", std::nullopt},
      {"yesterday", std::nullopt},
      {"2016-03-02", std::nullopt},
      {"2016-02-30T09:15:01Z", std::nullopt},
      {"2016-13-02T09:15:01Z", std::nullopt},
      {"2016-03-02T25:15:01Z", std::nullopt},
      {"2016-03-02T09:60:01Z", std::nullopt},
      {"2016-03-02T09:15:61Z", std::nullopt},
      {"2016-03-02T09:15:01.Z", std::nullopt},
      {"2016-03-02T09:15:01+1:00", std::nullopt},
      {"2016-03-02T09:15:01+15:00", std::nullopt},
      {"2016-03-02T09:15:01Zulu", std::nullopt},
      {"2016-03-02 09:15:01Z", std::nullopt},
  };
  for (const auto& [text, milliseconds] : cases) EXPECT_EQ(ParseIsoDateTime(text), milliseconds) << text;
}

}  // namespace
}  // namespace protocol::cpm
