// What a person sees of an object: demo objects, MIME as mail clients write it, and objects that lie.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "protocol/cpm/limits.h"
#include "protocol/cpm/object_view.h"
#include "protocol/cpm/write.h"
#include "protocol/mime/inspect.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

namespace fs = std::filesystem;

struct Object {
  explicit Object(std::string given) : octets(std::move(given)), source(octets) {
    parts = mime::Inspect(source)->parts;
    view = ReadObjectView(parts, source);
  }
  tl::expected<std::string, Fault> File(std::size_t index, std::size_t most = 1 << 20) {
    return ReadObjectFile(parts, source, index, most);
  }

  std::string octets;
  mime::MemorySource source;
  mime::Parts parts;
  ObjectView view;
};

std::string Crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

Object Demo(const std::string& number) {
  for (const auto& entry : fs::directory_iterator(DEMO_OBJECTS_DIR)) {
    if (!entry.path().filename().string().starts_with(number)) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    return Object(std::string{std::istreambuf_iterator<char>(in), {}});
  }
  ADD_FAILURE() << "there is no demo object " << number;
  return Object("");
}

TEST(ObjectView, AChatMessage) {
  const auto object = Demo("05");
  EXPECT_EQ(object.view.what.kind, ObjectKind::kChatMessage);
  EXPECT_EQ(object.view.text.utf8, "Lunch at noon?");
  EXPECT_EQ(object.view.head.imdn_message_id, "pEGbpRuHrz");
  EXPECT_TRUE(object.view.files.empty());
}

TEST(ObjectView, AnImdn) {
  const auto object = Demo("08");
  ASSERT_TRUE(object.view.imdn);
  EXPECT_EQ(object.view.imdn->status, Imdn::Status::kDisplayed);
  EXPECT_TRUE(object.view.text.utf8.empty());
}

TEST(ObjectView, AnMmsHasItsPictureAndText) {
  auto object = Demo("03");
  ASSERT_EQ(object.view.files.size(), 1U);
  EXPECT_EQ(object.view.files[0].name, "evening.jpg");
  EXPECT_EQ(object.view.files[0].type, "image/jpeg");
  EXPECT_EQ(object.view.files[0].section, "") << "parts within CPIM have no number";
  EXPECT_FALSE(object.view.text.utf8.empty());
  const auto octets = object.File(0);
  ASSERT_TRUE(octets);
  EXPECT_EQ(octets->substr(0, 3), "\xff\xd8\xff");
  EXPECT_EQ(octets->size(), object.view.files[0].size);
}

TEST(ObjectView, AFileTransferHasItsFile) {
  auto object = Demo("09");
  ASSERT_EQ(object.view.files.size(), 1U);
  EXPECT_EQ(object.view.files[0].name, "harbour.jpg");
  EXPECT_EQ(object.view.files[0].description, "Harbour at dusk");
  EXPECT_EQ(object.view.files[0].section, "2");
  EXPECT_EQ(object.view.files[0].size, 3278U);
  EXPECT_EQ(object.File(0)->size(), 3278U);
  EXPECT_FALSE(object.File(1)) << "there is but one";
  EXPECT_FALSE(object.File(0, 3277)) << "it is larger";
}

TEST(ObjectView, AFileLinkNamesWhereTheFileIs) {
  auto object = Demo("10");
  ASSERT_EQ(object.view.files.size(), 2U);
  EXPECT_TRUE(object.view.files[0].thumbnail);
  EXPECT_EQ(object.view.files[1].name, "ferry-timetable.jpg");
  EXPECT_EQ(object.view.files[1].url, "https://ft.example.net/f/8c1e");
  EXPECT_FALSE(object.File(1)) << "its octets are elsewhere";
}

TEST(ObjectView, AttachmentsOfAStandaloneMessage) {
  auto object = Demo("11");
  EXPECT_EQ(object.view.text.utf8, "New ferry timetable and the harbour office's card attached.");
  ASSERT_EQ(object.view.files.size(), 2U);
  EXPECT_EQ(object.view.files[0].name, "ferries.csv");
  EXPECT_EQ(object.view.files[0].section, "2");
  EXPECT_EQ(object.view.files[1].section, "3");
  EXPECT_TRUE(object.File(0)->starts_with("from,to,departs"));
}

TEST(ObjectView, SessionInfoOfBothLayouts) {
  const auto document = Demo("27");
  ASSERT_TRUE(document.view.session);
  EXPECT_EQ(document.view.session->type, "Group");
  EXPECT_EQ(document.view.session->participants.size(), 2U);
  const auto fragment = Demo("34");
  ASSERT_TRUE(fragment.view.session);
  ASSERT_EQ(fragment.view.files.size(), 1U);
  EXPECT_EQ(fragment.view.files[0].name, "map.jpg");
}

TEST(ObjectView, AGroupState) {
  const auto object = Demo("32");
  ASSERT_TRUE(object.view.group);
  EXPECT_EQ(object.view.group->participants.size(), 3U);
}

TEST(ObjectView, CharsetsBecomeUtf8) {
  EXPECT_TRUE(text::IsValidUtf8(Demo("24").view.text.utf8));
  EXPECT_NE(Demo("24").view.text.utf8.find("です"), std::string::npos);
  EXPECT_TRUE(text::IsValidUtf8(Demo("26").view.text.utf8));
}

TEST(ObjectView, OfAnAlternativeThePlainTextIsShown) {
  const auto object = Demo("43");
  EXPECT_TRUE(object.view.text.utf8.starts_with("Bonjour"));
  EXPECT_TRUE(object.view.files.empty());
}

TEST(ObjectView, AMediumIsAFile) {
  auto object = Demo("41");
  ASSERT_EQ(object.view.files.size(), 1U);
  EXPECT_EQ(object.view.files[0].section, "1");
  EXPECT_EQ(object.File(0)->size(), object.view.files[0].size);
}

TEST(ObjectView, WrittenObjectsReadBack) {
  ObjectHead head;
  head.from = "\"Bea \\\"B\\\" Ö\" <tel:+15550100222>";
  head.to = "tel:+15550100111";
  head.date = InternalDate{1456910101, 60};
  StandaloneMessage message;
  message.contents = {
      {.octets = "hello\nworld\n"},
      {.type = "image/png", .octets = std::string("\x89PNG\0\r\n", 7), .file_name = "bïld \"1\".png"}};
  for (const auto layout : {Layout::kV20, Layout::k2x}) {
    head.from = "<tel:+15550100222>";
    auto written = WriteObject(head, message, layout);
    ASSERT_TRUE(written) << written.error().text;
    Object object(*written);
    EXPECT_EQ(object.view.text.utf8, "hello\nworld");
    ASSERT_EQ(object.view.files.size(), 1U);
    EXPECT_EQ(object.view.files[0].name, "bïld \"1\".png");
    EXPECT_EQ(*object.File(0), message.contents[1].octets);
  }
}

TEST(ObjectView, NestedPartsHaveTheirSection) {
  const Object object(
      Crlf("From: tel:+1\nDate: Wed, 02 Mar 2016 10:15:01 +0100\n"
           "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/related; boundary=b\n\n"
           "--b\n\ntext\n--b\nContent-Type: image/png; name=one.png\n\nx\n--b--\n--a\n"
           "Content-Type: text/plain; name*=utf-8''%E2%82%AC.txt\n\ny\n--a--\n"));
  EXPECT_EQ(object.view.text.utf8, "text");
  ASSERT_EQ(object.view.files.size(), 2U);
  EXPECT_EQ(object.view.files[0].section, "1.2");
  EXPECT_EQ(object.view.files[1].section, "2");
  EXPECT_EQ(object.view.files[1].name, "€.txt");
}

TEST(ObjectView, MalformedObjectsShowWhatTheyHave) {
  const Object cpim(
      Crlf("From: tel:+1\nContent-Type: message/cpim\n\nFrom: <tel:+1>\n\n"
           "Content-Type: text/plain\nContent-Length: 999\n\nshort"));
  EXPECT_TRUE(cpim.view.what.malformed);
  EXPECT_NE(cpim.view.text.utf8.find("short"), std::string::npos);
  const Object state(Crlf("Content-Type: application/group-state-object+xml\n\n<groupstate"));
  EXPECT_TRUE(state.view.what.malformed);
  EXPECT_FALSE(state.view.group);
}

TEST(ObjectView, LimitsHold) {
  std::string many =
      "From: tel:+1\nDate: Wed, 02 Mar 2016 10:15:01 +0100\nContent-Type: multipart/mixed; boundary=a\n\n";
  for (int i = 0; i < 400; ++i) many += "--a\nContent-Type: image/png\n\nx\n";
  EXPECT_EQ(Object(Crlf(many + "--a--\n")).view.files.size(), kMaxViewFiles);

  std::string text =
      "From: tel:+1\nDate: Wed, 02 Mar 2016 10:15:01 +0100\nContent-Type: text/plain; charset=utf-8\n\n";
  for (int i = 0; i < 40'000; ++i) text += "€";
  const Object object(Crlf(text));
  EXPECT_TRUE(object.view.text.cut);
  EXPECT_LE(object.view.text.utf8.size(), kMaxViewText);
  EXPECT_TRUE(text::IsValidUtf8(object.view.text.utf8));

  const Object name(
      Crlf("From: tel:+1\nContent-Type: image/png; name=\"" + std::string(5000, 'n') + "\"\n\nx"));
  ASSERT_EQ(name.view.files.size(), 1U);
  EXPECT_EQ(name.view.files[0].name.size(), kMaxFileName);
}

TEST(ObjectView, NoOctetsAreAnObjectToo) { EXPECT_EQ(Object("").view.what.kind, ObjectKind::kMedia); }

TEST(DisplayName, IsWhatStandsBeforeTheAddress) {
  EXPECT_EQ(DisplayName("\"Bea \\\"B\\\"\" <tel:+1>"), "Bea \"B\"");
  EXPECT_EQ(DisplayName("=?utf-8?q?Zo=C3=AB?= <sip:z@x>"), "Zoë");
  EXPECT_EQ(DisplayName("<tel:+1>"), "");
  EXPECT_EQ(DisplayName("tel:+1"), "");
}

}  // namespace
}  // namespace protocol::cpm
