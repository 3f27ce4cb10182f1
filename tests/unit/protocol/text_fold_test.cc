#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "protocol/text/charset.h"
#include "protocol/text/fold.h"

namespace protocol::text {
namespace {

struct FoldCase {
  const char* name;
  std::string text;
  std::string folded;
};
class Folded : public testing::TestWithParam<FoldCase> {};
TEST_P(Folded, Is) { EXPECT_EQ(Fold(GetParam().text), GetParam().folded); }
INSTANTIATE_TEST_SUITE_P(
    Texts, Folded,
    testing::Values(FoldCase{"ascii", "Hello, World\r\n", "hello, world\r\n"},
                    FoldCase{"accents_are_kept", "\xc3\x89T\xc3\x89", "\xc3\xa9t\xc3\xa9"},
                    FoldCase{"accents_are_composed", "e\xcc\x81", "\xc3\xa9"},
                    FoldCase{"sharp_s",
                             "Stra\xc3\x9f"
                             "e",
                             "strasse"},
                    FoldCase{"greek", "\xce\xa3\xce\xaf\xcf\x82", "\xcf\x83\xce\xaf\xcf\x83"},
                    FoldCase{"cyrillic", "\xd0\x9f\xd0\xa0", "\xd0\xbf\xd1\x80"},
                    FoldCase{"wide", "\xef\xbc\xa1", "a"},
                    FoldCase{"emoji", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
                    FoldCase{"soft_hyphen_vanishes",
                             "a\xc2\xad"
                             "b",
                             "ab"},
                    FoldCase{"malformed",
                             "A\xff"
                             "B\xc3",
                             "a\xef\xbf\xbd"
                             "b\xef\xbf\xbd"},
                    FoldCase{"lines", "A\n\xc3\x89\nB", "a\n\xc3\xa9\nb"}, FoldCase{"empty", "", ""}),
    [](const auto& info) { return info.param.name; });

TEST(FoldTest, IsIdempotentAndWellFormed) {
  EXPECT_TRUE(rc::check([](const std::string& octets) {
    const std::string once = Fold(octets);
    RC_ASSERT(IsValidUtf8(once));
    RC_ASSERT(Fold(once) == once);
  }));
}
TEST(FoldTest, LineByLineEqualsWhole) {
  EXPECT_TRUE(rc::check([](const std::string& a, const std::string& b) {
    RC_ASSERT(Fold(a + "\n") + Fold(b) == Fold(a + "\n" + b));
  }));
}

TEST(CharsetTest, KnowsNamesAndAliases) {
  for (const char* name :
       {"UTF-8", "us-ascii", "latin1", "ISO-8859-15", "shift_jis", "koi8-r", "gb2312", "utf-7"}) {
    EXPECT_TRUE(IsKnownCharset(name)) << name;
  }
  for (const char* name : {"", "x-nothing", "utf-8,swaplfnl", "../../etc", "a b"}) {
    EXPECT_FALSE(IsKnownCharset(name)) << name;
  }
  for (const auto name : CommonCharsets()) EXPECT_TRUE(IsKnownCharset(name)) << name;
}
TEST(CharsetTest, Converts) {
  EXPECT_EQ(ToUtf8("caf\xe9", "iso-8859-1"), "caf\xc3\xa9");
  EXPECT_EQ(ToUtf8("\x82\xa0", "Shift_JIS"), "\xe3\x81\x82");
  EXPECT_EQ(ToUtf8("a\xff", "utf-8"), "a\xef\xbf\xbd");
  EXPECT_EQ(ToUtf8("x", "x-nothing"), std::nullopt);
  EXPECT_EQ(ToUtf8(std::string(5000, '\xe9'), "latin1")->size(), 10'000U);
}
TEST(CharsetTest, UnlabelledTextIsUtf8ElseWindows1252) {
  std::string out;
  Utf8Converter("").Append("\xc3\xa9 \xe9 \x80", /*last=*/true, out);
  EXPECT_EQ(out, "\xc3\xa9 \xc3\xa9 \xe2\x82\xac");
}

struct PiecesCase {
  const char* charset;
  std::string octets;
};
class InPieces : public testing::TestWithParam<PiecesCase> {};
TEST_P(InPieces, EqualsWhole) {
  const auto& [charset, octets] = GetParam();
  std::string whole;
  Utf8Converter(charset).Append(octets, /*last=*/true, whole);
  for (std::size_t cut = 0; cut <= octets.size(); ++cut) {
    std::string pieces;
    Utf8Converter converter(charset);
    converter.Append(octets.substr(0, cut), /*last=*/false, pieces);
    converter.Append(octets.substr(cut), /*last=*/true, pieces);
    EXPECT_EQ(pieces, whole) << charset << " cut at " << cut;
  }
}
INSTANTIATE_TEST_SUITE_P(Charsets, InPieces,
                         testing::Values(PiecesCase{"utf-8",
                                                    "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z\xf0\x9f"},
                                         PiecesCase{"iso-2022-jp", "a\x1b$B$\"\x1b(Bz"},
                                         PiecesCase{"utf-16le", std::string("a\0=\xd8\0\xde", 6)},
                                         PiecesCase{"gb18030", "\x81\x30\x81\x30 \xc4\xe3"}),
                         [](const auto& info) { return "n" + std::to_string(info.index); });

}  // namespace
}  // namespace protocol::text
