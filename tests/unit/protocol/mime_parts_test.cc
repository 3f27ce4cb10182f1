#include <string>

#include <gtest/gtest.h>

#include "protocol/mime/parts.h"

namespace protocol::mime {
namespace {

std::string Hex(std::string_view octets) {
  std::string out;
  for (const char c : octets) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += kDigits[static_cast<unsigned char>(c) >> 4U];
    out += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

const Parts kText{
    {.body_begin = 10, .body_end = 15, .header_lines = 2, .body_lines = 1, .media = Media::kText}};
const Parts kNested{{.body_begin = 50,
                     .body_end = 1000,
                     .header_lines = 2,
                     .body_lines = 30,
                     .subtree = 4,
                     .kind = PartKind::kMultipart},
                    {.header_begin = 60,
                     .body_begin = 70,
                     .body_end = 300,
                     .header_lines = 1,
                     .body_lines = 3,
                     .encoding = Encoding::kBase64},
                    {.header_begin = 310,
                     .body_begin = 320,
                     .body_end = 900,
                     .header_lines = 1,
                     .body_lines = 20,
                     .subtree = 2,
                     .kind = PartKind::kMessage},
                    {.header_begin = 320,
                     .body_begin = 400,
                     .body_end = 900,
                     .header_lines = 5,
                     .body_lines = 15,
                     .encoding = Encoding::kQuotedPrintable,
                     .media = Media::kHtml}};

TEST(PartsCodecTest, RowIsFrozen) {
  EXPECT_EQ(Hex(EncodeParts(kText)),
            "01"
            "01"
            "20"
            "00"
            "00"
            "0a"
            "05"
            "02"
            "01");
  EXPECT_EQ(Hex(EncodeParts(kNested)),
            "01"
            "04"
            "01"
            "02"
            "00"
            "32"
            "b607"
            "02"
            "1e"
            "10"
            "00"
            "0a"
            "0a"
            "e601"
            "01"
            "03"
            "02"
            "01"
            "0a"
            "0a"
            "c404"
            "01"
            "14"
            "4c"
            "00"
            "00"
            "50"
            "f403"
            "05"
            "0f");
}
TEST(PartsCodecTest, DecodesWhatItEncodes) {
  for (const Parts& parts : {kText, kNested}) {
    for (const Nul nul : {Nul::kMaybe, Nul::kNone}) {
      const std::string row = EncodeParts(parts, nul);
      EXPECT_EQ(NulOf(row), nul);
      const auto decoded = DecodeParts(row);
      ASSERT_TRUE(decoded);
      EXPECT_EQ(*decoded, parts);
      const auto served = DecodeServed(row);
      ASSERT_TRUE(served);
      EXPECT_FALSE(*served);
    }
  }
}
TEST(PartsCodecTest, RowWithoutNulIsFrozen) {
  EXPECT_EQ(Hex(EncodeParts(kText, Nul::kNone)),
            "030120"
            "00000a050201");
}
TEST(PartsCodecTest, EveryPrefixIsRefused) {
  const std::string row = EncodeParts(kNested);
  for (std::size_t n = 0; n < row.size(); ++n) EXPECT_FALSE(DecodeParts(row.substr(0, n))) << n;
  EXPECT_FALSE(DecodeParts(row + '\0'));
}

struct BadRow {
  const char* name;
  std::string row;
};
class PartsCodecRejects : public testing::TestWithParam<BadRow> {};
TEST_P(PartsCodecRejects, Row) { EXPECT_FALSE(DecodeParts(GetParam().row)); }
INSTANTIATE_TEST_SUITE_P(
    Malformed, PartsCodecRejects,
    testing::Values(BadRow{"version", std::string("\x02\x01\x20\0\0\x0a\x05\x02\x01", 9)},
                    BadRow{"no_parts", std::string("\x01\0", 2)},
                    BadRow{"kind", std::string("\x01\x01\x23\0\0\x0a\x05\x02\x01", 9)},
                    BadRow{"encoding", std::string("\x01\x01\x38\0\0\x0a\x05\x02\x01", 9)},
                    BadRow{"leaf_with_child", std::string("\x01\x01\x20\x01\0\x0a\x05\x02\x01", 9)},
                    BadRow{"multipart_without", std::string("\x01\x01\x01\0\0\x0a\x05\x02\x01", 9)},
                    BadRow{"more_lines_than_octets", std::string("\x01\x01\x20\0\0\x0a\x05\x02\x06", 9)},
                    BadRow{"huge_count", "\x01\xff\xff\xff\xff\xff\xff\xff\x7f"},
                    BadRow{"two_roots",
                           std::string("\x01\x02\x20\0\0\x0a\x05\x02\x01\x20\0\0\x0a\x05\x02\x01", 16)},
                    BadRow{"child_leaves_its_parent",
                           std::string("\x01\x02\x01\x01\0\x0a\x05\x02\x01\x20\0\0\x0a\x05\x02\x01", 16)}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace protocol::mime
