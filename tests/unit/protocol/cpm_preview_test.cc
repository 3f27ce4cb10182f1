// PREVIEW (RFC 8970): one line of each kind of object, and what hostile ones cost.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "protocol/cpm/classify.h"
#include "protocol/cpm/html_text.h"
#include "protocol/cpm/limits.h"
#include "protocol/cpm/preview.h"
#include "protocol/mime/inspect.h"
#include "protocol/text/charset.h"

namespace protocol::cpm {
namespace {

namespace fs = std::filesystem;

/// As FETCH does it: the kind and the parts are what was found at delivery.
std::string PreviewOf(const std::string& octets) {
  mime::MemorySource source(octets);
  const auto found = mime::Inspect(source);
  if (!found) return "(not inspected)";
  const auto preview = Preview(Classify(*found, source).kind, found->parts, source);
  return preview ? *preview : "(unreadable)";
}

std::string Crlf(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' ? "\r\n" : std::string(1, c);
  return out;
}

std::string Demo(const std::string& number) {
  for (const auto& entry : fs::directory_iterator(DEMO_OBJECTS_DIR)) {
    if (!entry.path().filename().string().starts_with(number)) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    return PreviewOf(std::string{std::istreambuf_iterator<char>(in), {}});
  }
  ADD_FAILURE() << "there is no demo object " << number;
  return {};
}

std::string Mail(const std::string& type, const std::string& body) {
  return PreviewOf(Crlf("From: a@example.com\nDate: Sat, 3 Jan 2015 10:00:00 +0000\nContent-Type: " + type +
                        "\n\n" + body));
}

TEST(Preview, OfEveryDemoObjectIsOneShortLineOfUtf8) {
  int shown = 0;
  for (const auto& entry : fs::directory_iterator(DEMO_OBJECTS_DIR)) {
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string preview = PreviewOf(std::string{std::istreambuf_iterator<char>(in), {}});
    EXPECT_TRUE(text::IsValidUtf8(preview)) << entry.path();
    EXPECT_TRUE(std::ranges::none_of(preview, [](char c) { return static_cast<unsigned char>(c) < 0x20; }))
        << entry.path();
    EXPECT_LE(preview.size(), kPreviewCharacters * 4) << entry.path();
    shown += preview.empty() ? 0 : 1;
  }
  EXPECT_GT(shown, 5);
}

TEST(Preview, OfAChatMessageIsTheTextInItsCpim) { EXPECT_EQ(Demo("05"), "Lunch at noon?"); }

TEST(Preview, OfPlainTextHasItsWhiteSpaceJoined) {
  EXPECT_EQ(Mail("text/plain; charset=utf-8",
                 "\n  Dear Bea,\n\n\tlunch\xc2\xa0"
                 "at\x01noon?  \n"),
            "Dear Bea, lunch at noon?");
  EXPECT_EQ(Mail("text/plain; charset=iso-8859-1", "caf\xe9\n"), "caf\xc3\xa9");
  EXPECT_EQ(Mail("text/plain", "\n \n"), "");
}

TEST(Preview, OfAnAnswerLeavesOutWhatItQuotes) {
  EXPECT_EQ(Mail("text/plain", "> Lunch?\n>> No.\nYes!\n> Bye\nAt noon\n"), "Yes! At noon");
  EXPECT_EQ(Mail("text/plain", "> Lunch?\n"), "> Lunch?");
}

TEST(Preview, HasAtMostTwoHundredCharactersAndNoHalfOnes) {
  std::string accents;
  for (int i = 0; i < 300; ++i) accents += "\xc3\xa9";
  EXPECT_EQ(Mail("text/plain; charset=utf-8", accents), accents.substr(0, 400));
  const std::string words = Mail("text/plain", std::string(199, 'x') + " yy");
  EXPECT_EQ(words, std::string(199, 'x')) << "no space at the end";
}

TEST(Preview, OfHtmlIsWhatItShows) {
  EXPECT_EQ(Mail("text/html; charset=utf-8",
                 "<html><head><title>t</title><style>p { color: red }</style></head><body><!-- no -->\n"
                 "<script>if (a < b) alert('x')</script><p>Caf&eacute; &amp; <b>b</b>ar</p><p>at&nbsp;noon"),
            "Caf\xc3\xa9 & bar at noon");
  EXPECT_EQ(Mail("text/html; charset=iso-8859-1", "<meta charset=utf-8><p>caf\xe9"), "caf\xc3\xa9");
  EXPECT_EQ(Mail("text/html", "<div>\xe2\x80\x8b&shy;&#847;one</div><td>two<td>three"), "one two three");
  EXPECT_EQ(Mail("text/html", "<p>"), "");
}

TEST(Preview, TakesTheFirstTextThatIsThereToBeRead) {
  const std::string alternative =
      "--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich\n--b--\n";
  EXPECT_EQ(Mail("multipart/alternative; boundary=b", alternative), "plain");
  const std::string blank =
      "--b\nContent-Type: text/plain\n\n\n--b\nContent-Type: text/html\n\n<p>rich\n--b--\n";
  EXPECT_EQ(Mail("multipart/alternative; boundary=b", blank), "rich");
  const std::string attached =
      "--b\nContent-Disposition: attachment\n\nnotes\n--b\nContent-Type: text/plain; name=a.txt\n\na\n"
      "--b\n\nhello\n--b--\n";
  EXPECT_EQ(Mail("multipart/mixed; boundary=b", attached), "hello");
}

TEST(Preview, OfFilesIsTheirNames) {
  EXPECT_EQ(Mail("multipart/mixed; boundary=b",
                 "--b\nContent-Type: application/smil\n\n<smil/>\n--b\nContent-Type: image/jpeg; "
                 "name=\"=?utf-8?q?caf=C3=A9.jpg?=\"\n\nx\n--b\nContent-Type: video/mp4\n\nx\n--b--\n"),
            "caf\xc3\xa9.jpg, video/mp4");
  EXPECT_EQ(PreviewOf("Content-Type: image/png; name=cat.png\r\n\r\nx"), "cat.png");
}

TEST(Preview, OfWhatIsEncryptedIsEmpty) {
  EXPECT_EQ(Mail("application/pkcs7-mime; name=smime.p7m", "x"), "");
  EXPECT_EQ(Mail("multipart/encrypted; boundary=b",
                 "--b\nContent-Type: application/pgp-encrypted\n\nVersion: 1\n--b\nContent-Type: "
                 "application/octet-stream; name=encrypted.asc\n\nx\n--b--\n"),
            "");
}

TEST(Preview, OfFileTransfersIsTheFiles) {
  const std::string xml =
      "<?xml version=\"1.0\"?><file xmlns=\"urn:gsma:params:xml:ns:rcs:rcs:fthttp\">"
      "<file-info type=\"thumbnail\"><file-size>1</file-size><content-type>image/png</content-type>"
      "<data url=\"https://x.example/t\" until=\"2030-01-01T00:00:00Z\"/></file-info>"
      "<file-info type=\"file\"><file-size>9</file-size><file-name>cat.mp4</file-name>"
      "<content-type>video/mp4</content-type><data url=\"https://x.example/f\" "
      "until=\"2030-01-01T00:00:00Z\"/></file-info></file>";
  EXPECT_EQ(PreviewOf("Content-Type: application/vnd.gsma.rcs-ft-http+xml\r\n\r\n" + xml), "cat.mp4");
  EXPECT_EQ(
      PreviewOf("Content-Type: message/cpim\r\n\r\nFrom: <tel:+15550100222>\r\nTo: <tel:+15550100111>\r\n\r\n"
                "Content-Type: application/vnd.gsma.rcs-ft-http+xml\r\n\r\n" +
                xml),
      "cat.mp4");
  EXPECT_EQ(Mail("application/x-cpm-file-transfer", "no XML"), "");
}

TEST(Preview, OfWhatOnlyReportsIsEmpty) {
  EXPECT_EQ(Mail("message/imdn+xml", "<imdn/>"), "");
  EXPECT_EQ(Mail("application/group-state-object+xml", "<groupstate/>"), "");
  EXPECT_EQ(Mail("application/x-cpm-session", "<session/>"), "");
}

TEST(Preview, OfAMalformedCpimIsWhatThereIs) {
  EXPECT_EQ(PreviewOf("Content-Type: message/cpim\r\n\r\nno header at all\r\n"), "no header at all");
  EXPECT_EQ(
      PreviewOf(
          "Content-Type: message/cpim\r\nContent-Transfer-Encoding: base64\r\n\r\n"
          "RnJvbTogPHRlbDorMT4NClRvOiA8dGVsOisyPg0KDQpDb250ZW50LVR5cGU6IHRleHQvcGxhaW4NCg0KSGkNCg==\r\n"),
      "Hi");
}

/// Gives its header only.
class BrokenSource final : public mime::Source {
 public:
  explicit BrokenSource(std::string_view octets, std::uint64_t readable)
      : whole_(octets), readable_(readable) {}
  std::uint64_t size() const override { return whole_.size(); }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    return offset >= readable_ ? -1 : whole_.Read(offset, out);
  }

 private:
  mime::MemorySource whole_;
  std::uint64_t readable_;
};

TEST(Preview, OfOctetsThatCannotBeHadIsNone) {
  const std::string octets = "Content-Type: text/plain\r\n\r\nhello";
  mime::MemorySource source(octets);
  const auto found = mime::Inspect(source);
  ASSERT_TRUE(found);
  BrokenSource broken(octets, found->parts[0].body_begin);
  EXPECT_EQ(Preview(ObjectKind::kStandaloneMessage, found->parts, broken), std::nullopt);
}

/// Counts what is read.
class CountingSource final : public mime::Source {
 public:
  explicit CountingSource(std::string_view octets) : whole_(octets) {}
  std::uint64_t size() const override { return whole_.size(); }
  std::int64_t Read(std::uint64_t offset, std::span<char> out) override {
    const auto got = whole_.Read(offset, out);
    read += static_cast<std::uint64_t>(got);
    return got;
  }
  std::uint64_t read = 0;

 private:
  mime::MemorySource whole_;
};

TEST(Preview, ReadsLittleOfAMessageHoweverLong) {
  std::string octets = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (int i = 0; i < 2000; ++i)
    octets += "--b\r\nContent-Type: text/html\r\n\r\n<p>" + std::string(5000, ' ') + "\r\n";
  octets += "--b--\r\n";
  mime::MemorySource all(octets);
  const auto found = mime::Inspect(all);
  ASSERT_TRUE(found);
  CountingSource source(octets);
  EXPECT_EQ(Preview(ObjectKind::kStandaloneMessage, found->parts, source), "");
  EXPECT_LT(source.read, 2 * kPreviewTexts + kPreviewParts * 1000);
}

TEST(HtmlText, TakesAnyOctetsAndAnyNesting) {
  std::string deep;
  while (deep.size() < kPreviewText) deep += "<b>";
  EXPECT_EQ(HtmlText(deep + "x").find_first_not_of('\n'), HtmlText(deep + "x").find('x'));
  std::string crossed;
  for (int i = 0; i < 2000; ++i) crossed += "<div><p><a></div>";
  EXPECT_EQ(HtmlText(crossed).find_first_not_of('\n'), std::string::npos);
  for (const std::string_view odd :
       {"", "<", "</", "<!", "<!--", "&", "&#", "&#xffffffff;", "<a b=\"", "\xff\xfe<p>"})
    EXPECT_TRUE(text::IsValidUtf8(text::ToUtf8(HtmlText(odd), "utf-8").value_or("\xff"))) << odd;
}

}  // namespace
}  // namespace protocol::cpm
