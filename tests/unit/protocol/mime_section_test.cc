#include <string>

#include <gtest/gtest.h>

#include "protocol/mime/inspect.h"
#include "protocol/mime/octet_reader.h"
#include "protocol/mime/section.h"

namespace protocol::mime {
namespace {

using Kind = Section::Kind;

// The example of RFC 3501 §6.4.5: 1 text, 2 application, 3 message/rfc822 (3.1 text, 3.2 application), 4
// multipart with 4.1 image and 4.2 message/rfc822, which holds 4.2.1 text and 4.2.2 multipart
// (4.2.2.1, 4.2.2.2).
const std::string kExample =
    "Content-Type: multipart/mixed; boundary=a\r\nSubject: top\r\n\r\n"
    "--a\r\nX: 1\r\n\r\none\r\n"
    "--a\r\nContent-Type: application/x\r\n\r\ntwo\r\n"
    "--a\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=b\r\nSubject: "
    "three\r\n\r\n"
    "--b\r\n\r\n3-1\r\n--b\r\nContent-Type: application/x\r\n\r\n3-2\r\n--b--\r\n"
    "--a\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\nContent-Type: image/gif\r\n\r\n4-1\r\n"
    "--c\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=d\r\n\r\n"
    "--d\r\n\r\n4-2-1\r\n"
    "--d\r\nContent-Type: multipart/alternative; "
    "boundary=e\r\n\r\n--e\r\n\r\n4-2-2-1\r\n--e\r\n\r\n4-2-2-2\r\n--e--\r\n"
    "--d--\r\n--c--\r\n--a--\r\n";
const std::string kPlain = "Subject: s\r\n\r\nbody\r\n";
const std::string kForward = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n";

constexpr const char* kNil = "NIL";

std::string Fetch(const std::string& octets, const Section& section) {
  MemorySource source(octets);
  const auto extent = Locate(Inspect(source)->parts, section);
  return extent ? octets.substr(extent->offset, extent->length) : kNil;
}

struct LocateCase {
  const char* name;
  const std::string* octets;
  Section section;
  std::string content;
};
class Located : public testing::TestWithParam<LocateCase> {};
TEST_P(Located, IsTheSectionsOctets) {
  EXPECT_EQ(Fetch(*GetParam().octets, GetParam().section), GetParam().content);
}

INSTANTIATE_TEST_SUITE_P(
    Rfc3501, Located,
    testing::Values(
        LocateCase{"all", &kExample, {}, kExample},
        LocateCase{"header", &kExample, {{}, Kind::kHeader}, kExample.substr(0, kExample.find("--a\r\n"))},
        LocateCase{"text", &kExample, {{}, Kind::kText}, kExample.substr(kExample.find("--a\r\n"))},
        LocateCase{"mime_needs_a_part", &kExample, {{}, Kind::kMime}, kNil},
        LocateCase{"p1", &kExample, {{1}}, "one"},
        LocateCase{"p1_mime", &kExample, {{1}, Kind::kMime}, "X: 1\r\n\r\n"},
        LocateCase{"p1_header_of_no_message", &kExample, {{1}, Kind::kHeader}, kNil},
        LocateCase{"p1_1_of_a_leaf", &kExample, {{1, 1}}, kNil}, LocateCase{"p2", &kExample, {{2}}, "two"},
        LocateCase{"p3_header",
                   &kExample,
                   {{3}, Kind::kHeader},
                   "Content-Type: multipart/mixed; boundary=b\r\nSubject: three\r\n\r\n"},
        LocateCase{"p3_header_fields",
                   &kExample,
                   {{3}, Kind::kHeaderFields, {"Subject"}},
                   "Content-Type: multipart/mixed; boundary=b\r\nSubject: three\r\n\r\n"},
        LocateCase{"p3_text",
                   &kExample,
                   {{3}, Kind::kText},
                   "--b\r\n\r\n3-1\r\n--b\r\nContent-Type: application/x\r\n\r\n3-2\r\n--b--"},
        LocateCase{"p3_mime", &kExample, {{3}, Kind::kMime}, "Content-Type: message/rfc822\r\n\r\n"},
        LocateCase{"p3_1", &kExample, {{3, 1}}, "3-1"},
        LocateCase{"p3_2_mime", &kExample, {{3, 2}, Kind::kMime}, "Content-Type: application/x\r\n\r\n"},
        LocateCase{"p3_3_absent", &kExample, {{3, 3}}, kNil}, LocateCase{"p4_1", &kExample, {{4, 1}}, "4-1"},
        LocateCase{"p4_header_of_no_message", &kExample, {{4}, Kind::kHeader}, kNil},
        LocateCase{"p4_2_header",
                   &kExample,
                   {{4, 2}, Kind::kHeader},
                   "Content-Type: multipart/mixed; boundary=d\r\n\r\n"},
        LocateCase{"p4_2_1", &kExample, {{4, 2, 1}}, "4-2-1"},
        LocateCase{"p4_2_2", &kExample, {{4, 2, 2}}, "--e\r\n\r\n4-2-2-1\r\n--e\r\n\r\n4-2-2-2\r\n--e--"},
        LocateCase{"p4_2_2_2", &kExample, {{4, 2, 2, 2}}, "4-2-2-2"},
        LocateCase{"p5_absent", &kExample, {{5}}, kNil}, LocateCase{"p0_absent", &kExample, {{0}}, kNil},
        LocateCase{"plain_1_is_the_text", &kPlain, {{1}}, "body\r\n"},
        LocateCase{"plain_1_mime_is_the_header", &kPlain, {{1}, Kind::kMime}, "Subject: s\r\n\r\n"},
        LocateCase{"plain_1_1", &kPlain, {{1, 1}}, kNil}, LocateCase{"plain_2", &kPlain, {{2}}, kNil},
        LocateCase{"plain_1_text", &kPlain, {{1}, Kind::kText}, kNil},
        LocateCase{"forward_1_header", &kForward, {{1}, Kind::kHeader}, "Subject: in\r\n\r\n"},
        LocateCase{"forward_1_text", &kForward, {{1}, Kind::kText}, "body\r\n"},
        LocateCase{"forward_1_1", &kForward, {{1, 1}}, "body\r\n"}),
    [](const auto& info) { return info.param.name; });

TEST(FilterHeaderTest, KeepsOctetsFoldingAndTheEmptyLine) {
  const std::string header = "Subject: a\r\n  b\r\nFROM : x\r\nTo: y\r\nsubject: c\r\n\r\n";
  const std::vector<std::string> fields{"SUBJECT", "From", "Absent"};
  EXPECT_EQ(FilterHeader(header, fields, /*keep=*/true),
            "Subject: a\r\n  b\r\nFROM : x\r\nsubject: c\r\n\r\n");
  EXPECT_EQ(FilterHeader(header, fields, /*keep=*/false), "To: y\r\n\r\n");
}
TEST(FilterHeaderTest, NothingMatchesLeavesTheEmptyLine) {
  EXPECT_EQ(FilterHeader("A: b\r\n\r\n", std::vector<std::string>{"C"}, /*keep=*/true), "\r\n");
  EXPECT_EQ(FilterHeader("", std::vector<std::string>{"C"}, /*keep=*/true), "\r\n");
}
TEST(FilterHeaderTest, HeaderWithoutEndGetsOne) {
  EXPECT_EQ(FilterHeader("A: b", std::vector<std::string>{"a"}, /*keep=*/true), "A: b\r\n\r\n");
  EXPECT_EQ(FilterHeader("A: b\n\n", std::vector<std::string>{"a"}, /*keep=*/true), "A: b\n\n");
}

std::string DecodeInSteps(const std::string& octets, std::size_t step) {
  MemorySource source(octets);
  const auto parts = Inspect(source)->parts;
  auto decoder = Decoder::Open(source, parts[0]);
  EXPECT_TRUE(decoder);
  std::string out;
  std::string buffer(step, '\0');
  for (;;) {
    const auto got = decoder->Read(buffer);
    EXPECT_TRUE(got);
    if (!got || *got == 0) return out;
    out += buffer.substr(0, *got);
  }
}

struct DecodeCase {
  const char* name;
  const char* encoding;
  std::string encoded;
  std::string decoded;
};
class Decoded : public testing::TestWithParam<DecodeCase> {};
TEST_P(Decoded, IsTheSameInAnySteps) {
  const auto& param = GetParam();
  const std::string octets =
      "Content-Transfer-Encoding: " + std::string(param.encoding) + "\r\n\r\n" + param.encoded;
  for (const std::size_t step : {1, 2, 3, 7, 100'000})
    EXPECT_EQ(DecodeInSteps(octets, step), param.decoded) << step;
  MemorySource source(octets);
  EXPECT_EQ(DecodedSize(source, Inspect(source)->parts[0]), param.decoded.size());
}
INSTANTIATE_TEST_SUITE_P(Encodings, Decoded,
                         testing::Values(DecodeCase{"base64", "base64", "aGVs\r\nbG8=\r\n", "hello"},
                                         DecodeCase{"base64_unpadded", "base64", "aGVsbA", "hell"},
                                         DecodeCase{"base64_padded", "base64", "aGVsbA==", "hell"},
                                         DecodeCase{"base64_upper", "BASE64", "/9j/", "\xff\xd8\xff"},
                                         DecodeCase{"base64_with_noise", "base64", "aG!V s*bG8", "hello"},
                                         DecodeCase{"quoted_printable", "quoted-printable",
                                                    "caf=C3=A9 =\r\nsoft\r\n=3D", "caf\xc3\xa9 soft\r\n="},
                                         DecodeCase{"identity", "8bit", "a\xff\r\n", "a\xff\r\n"},
                                         DecodeCase{"empty", "base64", "", ""}),
                         [](const auto& info) { return info.param.name; });

TEST(DecoderTest, UnknownEncodingIsRefused) {
  const std::string octets = "Content-Transfer-Encoding: x-foo\r\n\r\nbody";
  MemorySource source(octets);
  const auto parts = Inspect(source)->parts;
  const DecodeError expected{DecodeError::Kind::kUnknownEncoding};
  const auto decoder = Decoder::Open(source, parts[0]);
  ASSERT_FALSE(decoder);
  EXPECT_EQ(decoder.error(), expected);
  const auto size = DecodedSize(source, parts[0]);
  ASSERT_FALSE(size);
  EXPECT_EQ(size.error(), expected);
}
TEST(DecoderTest, AShortSourceIsAFailure) {
  MemorySource source("short");
  auto decoder = Decoder::Open(source, Part{.body_end = 10});
  ASSERT_TRUE(decoder);
  std::string buffer(100, '\0');
  EXPECT_EQ(decoder->Read(buffer), 5U);
  const auto got = decoder->Read(buffer);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error(), DecodeError{DecodeError::Kind::kSourceFailed});
}
TEST(DecoderTest, BigPartIsDecodedInPieces) {
  std::string octets = "Content-Transfer-Encoding: base64\r\n\r\n";
  for (int i = 0; i < 20'000; ++i) octets += "aGVsbG8gd29ybGQh\r\n";
  MemorySource source(octets);
  EXPECT_EQ(DecodedSize(source, Inspect(source)->parts[0]), 20'000U * 12);
}

/// What a reader gives, in place of and behind what a string holds by turns, `most` at a time.
std::string ReadAll(OctetReader reader, std::size_t most) {
  std::string all;
  protocol::mime::Octets piece;
  for (bool turn = false; reader.left() > 0; turn = !turn) {
    const auto before = reader.left();
    if (turn) {
      piece = protocol::mime::Octets("what it held");
      EXPECT_TRUE(reader.ReadSome(piece, most));
      all += piece.view();
    } else {
      EXPECT_TRUE(reader.Read(all, most));
    }
    if (reader.left() == before) break;
  }
  EXPECT_EQ(reader.left(), 0U);
  return all;
}

TEST(OctetReaderTest, GivesTheExtentWhateverThePieces) {
  const std::string octets("a\0b0123456789", 13);
  MemorySource source(octets);
  for (const std::size_t most : {1, 3, 100}) {
    EXPECT_EQ(ReadAll(OctetReader(source, {1, 5}, /*mask_nul=*/false), most), octets.substr(1, 5)) << most;
    EXPECT_EQ(ReadAll(OctetReader(source, {1, 5}, /*mask_nul=*/true), most),
              "\x80"
              "b012")
        << most;
    EXPECT_EQ(ReadAll(OctetReader(source, {4, 0}, /*mask_nul=*/true), most), "") << most;
  }
  EXPECT_EQ(ReadAll(OctetReader(), 1), "");
}
TEST(OctetReaderTest, DecodesAnExtentOfAnyEncoding) {
  const std::string decoded = "hello, world, it is a part";
  for (const auto& [encoding, encoded] :
       {std::pair<const char*, const char*>{"base64", "aGVsbG8sIHdvcmxkLCBpdCBpcyBhIHBhcnQ=\r\n"},
        {"quoted-printable", "hello, =\r\nworld, it is=20a part"},
        {"binary", "hello, world, it is a part"}}) {
    const std::string octets = "Content-Transfer-Encoding: " + std::string(encoding) + "\r\n\r\n" + encoded;
    MemorySource source(octets);
    const auto parts = Inspect(source)->parts;
    for (const std::size_t most : {1, 4, 100}) {
      for (const std::size_t offset : {0, 5, 25}) {
        auto reader = OctetReader::Decoded(source, parts[0], {offset, decoded.size() - offset});
        ASSERT_TRUE(reader) << encoding;
        EXPECT_EQ(ReadAll(*std::move(reader), most), decoded.substr(offset)) << encoding << offset << most;
      }
    }
  }
}
TEST(OctetReaderTest, AShortSourceIsAFailureAndAppendsNothing) {
  MemorySource source("short");
  OctetReader reader(source, {0, 10}, /*mask_nul=*/false);
  std::string text = "before";
  EXPECT_FALSE(reader.Read(text, 10));
  EXPECT_EQ(text, "before");
  const auto decoded =
      OctetReader::Decoded(source, Part{.body_end = 10, .encoding = Encoding::kBase64}, {9, 1});
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(), DecodeError{DecodeError::Kind::kSourceFailed});
}

}  // namespace
}  // namespace protocol::mime
