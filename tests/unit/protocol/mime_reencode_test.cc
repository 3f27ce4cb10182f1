// A message that a literal cannot hold, as it is served: what is re-encoded, and that everything said of it
// is true of the octets.

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "protocol/mime/reencode.h"
#include "protocol/mime/section.h"

namespace protocol::mime {
namespace {

using namespace std::string_literals;

constexpr std::string_view kBase64 = "Content-Transfer-Encoding: base64\r\n";

Inspection Look(std::string_view octets) {
  MemorySource source(octets);
  return *Inspect(source);
}

std::optional<Reencoded> Reencoding(std::string_view octets) {
  MemorySource source(octets);
  return *Reencode(source, Inspect(source)->parts);
}

/// Octets [offset, offset + length) in reads of `step`.
std::string Take(Source& source, std::uint64_t offset, std::uint64_t length, std::size_t step) {
  std::string out;
  std::vector<char> space(step);
  while (out.size() < length) {
    const auto got = source.Read(offset + out.size(), space);
    if (got <= 0) break;
    out.append(space.data(), std::min<std::size_t>(static_cast<std::size_t>(got), length - out.size()));
  }
  return out;
}

std::string ServedOctets(std::string_view octets) {
  const auto found = Reencoding(octets);
  if (!found) return std::string(octets);
  MemorySource source(octets);
  ReencodedSource served(source, found->served.replacements);
  return Take(served, 0, served.size() + 1, 1000);
}

std::string Decoded(Source& source, const Part& part) {
  auto decoder = *Decoder::Open(source, part);
  std::string out;
  std::array<char, 300> space;
  for (auto got = decoder.Read(space); got && *got > 0; got = decoder.Read(space))
    out.append(space.data(), *got);
  return out;
}

struct Case {
  const char* name;
  std::string appended;
  std::string served;
};

class ReencodeTable : public testing::TestWithParam<Case> {};

TEST_P(ReencodeTable, IsServedAs) { EXPECT_EQ(ServedOctets(GetParam().appended), GetParam().served); }

const std::string kTop = "Content-Type: multipart/mixed; boundary=a\r\n\r\n";

INSTANTIATE_TEST_SUITE_P(
    Messages, ReencodeTable,
    testing::Values(
        Case{"BinaryWithoutNulStays", "Content-Transfer-Encoding: binary\r\n\r\n\xff\x01\n\r",
             "Content-Transfer-Encoding: binary\r\n\r\n\xff\x01\n\r"},
        Case{"RootIsReplaced", "A: b\r\ncontent-transfer-ENCODING: binary\r\nC: d\r\n\r\na\0b"s,
             "A: b\r\n" + std::string(kBase64) + "C: d\r\n\r\nYQBi\r\n"},
        Case{"UndeclaredGetsAField", "A: b\r\n\r\na\0b"s, std::string(kBase64) + "A: b\r\n\r\nYQBi\r\n"},
        Case{"FoldedFieldIsOne", "Content-Transfer-Encoding:\r\n  8bit\r\nC: d\r\n\r\n\0"s,
             std::string(kBase64) + "C: d\r\n\r\nAA==\r\n"},
        Case{"OfTwoFieldsNoneIsLeft",
             "Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: binary\r\n\r\n\0"s,
             std::string(kBase64) + std::string(kBase64) + "\r\nAA==\r\n"},
        Case{"OnlyThePartThatHasOne",
             kTop + "--a\r\n\r\nplain\r\n--a\r\nX: y\r\n\r\na\0b\r\n--a\r\n\r\n\0\r\n--a--\r\n"s,
             kTop + "--a\r\n\r\nplain\r\n--a\r\n" + std::string(kBase64) + "X: y\r\n\r\nYQBi\r\n\r\n--a\r\n" +
                 std::string(kBase64) + "\r\nAA==\r\n\r\n--a--\r\n"},
        Case{"InsideAnAttachedMessage",
             "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\nA: b\r\n\r\n\0"s,
             "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: binary\r\n\r\n" +
                 std::string(kBase64) + "A: b\r\n\r\nAA==\r\n"},
        Case{"CpimIsALeaf", "Content-Type: message/cpim\r\n\r\nFrom: <im:a@b>\r\n\r\n\r\n\0"s,
             std::string(kBase64) + "Content-Type: message/cpim\r\n\r\nRnJvbTogPGltOmFAYj4NCg0KDQoA\r\n"},
        Case{"ACpimThatEndsInAHeaderReachesUpToTheBoundary",
             kTop + "--a\r\nContent-Type: message/cpim\r\n\r\nF: x\r\n\r\n\0\r\n--a--\r\n"s,
             kTop + "--a\r\n" + std::string(kBase64) +
                 "Content-Type: message/cpim\r\n\r\nRjogeA0KDQoADQo=\r\n--a--\r\n"},
        Case{"AHeaderWithNulStays", "A: \0\r\n\r\nbody"s, "A: \0\r\n\r\nbody"s},
        Case{"EncodedAlreadyStays", "Content-Transfer-Encoding: base64\r\n\r\nAA\0=="s,
             "Content-Transfer-Encoding: base64\r\n\r\nAA\0=="s},
        Case{"UnknownEncodingStays", "Content-Transfer-Encoding: x-uue\r\n\r\n\0"s,
             "Content-Transfer-Encoding: x-uue\r\n\r\n\0"s},
        Case{"MultipartWithoutBoundaryLineStays", kTop + "\0"s, kTop + "\0"s}),
    [](const auto& info) { return info.param.name; });

TEST(ReencodeTest, StructureDescribesWhatIsServed) {
  const auto found = Reencoding("Content-Type: text/plain\r\n\r\n" + std::string(100, '\0'));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->body, R"(("text" "plain" ("charset" "us-ascii") NIL NIL "base64" 140 2))");
  EXPECT_EQ(found->body_structure,
            R"(("text" "plain" ("charset" "us-ascii") NIL NIL "base64" 140 2 NIL NIL NIL NIL))");
}

TEST(ReencodeTest, AHeaderLongerThanIsReadGetsTheFieldFirst) {
  const std::string appended =
      "A: " + std::string(300 * 1024, 'x') + "\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\0"s;
  const std::string served = ServedOctets(appended);
  EXPECT_TRUE(served.starts_with(kBase64));
  EXPECT_EQ(served.size(), appended.size() + kBase64.size() + 5);
}

TEST(ReencodeTest, AFailingSourceIsAnError) {
  class Failing final : public Source {
   public:
    std::uint64_t size() const override { return 10; }
    std::int64_t Read(std::uint64_t, std::span<char>) override { return -1; }
  } source;
  EXPECT_FALSE(Reencode(source, {{.body_begin = 2, .body_end = 10}}));
}

TEST(ReencodeTest, RowIsFrozen) {
  const Parts appended{{.body_begin = 2, .body_end = 3}};
  const Served served{.size = 41,
                      .replacements = {{0, 0, false}, {2, 1, true}},
                      .parts = {{.body_begin = 37, .header_lines = 2}}};
  Served whole = served;
  whole.parts[0].body_end = 41;
  const std::string row = EncodeParts(appended, whole);
  EXPECT_EQ(row, "\x02\x29\x02\0\0\0\x02\x01\x01\x09\x01\x01\0\0\0\x02\x01\0\0\x01\x01\0\0\0\x25\x04\x02\0"s);
  EXPECT_EQ(*DecodeParts(row), appended);
  EXPECT_EQ(**DecodeServed(row), whole);
  EXPECT_EQ(ServedSize(row, 3), 41U);
}

TEST(ReencodeTest, ARowAsAppendedHasNothingServedOtherwise) {
  const std::string row = EncodeParts({{.body_begin = 2, .body_end = 3}});
  EXPECT_FALSE(*DecodeServed(row));
  EXPECT_EQ(ServedSize(row, 3), 3U);
}

/// Bodies as binary files have them: any octets, with line ends and dashes among them.
rc::Gen<std::string> AnyBody() {
  return rc::gen::withSize([](int size) {
    return rc::gen::container<std::string>(
        static_cast<std::size_t>(size * 3),
        rc::gen::weightedOneOf<char>(
            {{4, rc::gen::arbitrary<char>()}, {1, rc::gen::element('\0', '\r', '\n', '=')}}));
  });
}

std::string AnyField() {
  return *rc::gen::element<std::string>(
      "", "Content-Transfer-Encoding: binary\r\n", "Content-Transfer-Encoding: 8bit\r\n",
      "Content-Type: application/octet-stream\r\n", "Content-Type: message/cpim\r\n",
      "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\nX: y\r\n");
}

std::string AnyEntity(int depth, int& boundaries) {
  const int kind = depth == 0 ? 0 : *rc::gen::inRange(0, 4);
  if (kind == 1) return "Content-Type: message/rfc822\r\n\r\n" + AnyEntity(depth - 1, boundaries);
  if (kind >= 2) {
    const std::string boundary = "=b" + std::to_string(boundaries++) + "=";
    std::string out = "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n";
    for (int left = *rc::gen::inRange(1, 4); left > 0; --left)
      out += "--" + boundary + "\r\n" + AnyEntity(depth - 1, boundaries) + "\r\n";
    return out + "--" + boundary + "--\r\n";
  }
  return "A: b\r\n" + AnyField() + "\r\n" + *AnyBody();
}

TEST(ReencodePropertyTest, EverythingSaidOfAMessageIsTrueOfWhatIsServed) {
  EXPECT_TRUE(rc::check([] {
    int boundaries = 0;
    const std::string octets = AnyEntity(3, boundaries);
    const Inspection before = Look(octets);
    MemorySource appended(octets);
    const auto found = Reencoding(octets);
    const bool nul = std::any_of(before.parts.begin(), before.parts.end(), [&](const Part& part) {
      return part.kind == PartKind::kLeaf &&
             octets.substr(part.body_begin, part.body_end - part.body_begin).find('\0') != std::string::npos;
    });
    RC_ASSERT(found.has_value() == nul);
    if (!found) return;
    ReencodedSource source(appended, found->served.replacements);
    const std::string served = Take(source, 0, source.size() + 1, *rc::gen::inRange<std::size_t>(1, 40'000));
    RC_ASSERT(served.size() == found->served.size);
    RC_ASSERT(served.find('\0') == std::string::npos);

    // Any piece is a piece of the whole.
    const auto from = *rc::gen::inRange<std::size_t>(0, served.size() + 1);
    const auto length = *rc::gen::inRange<std::size_t>(0, served.size() - from + 1);
    RC_ASSERT(Take(source, from, length, *rc::gen::inRange<std::size_t>(1, 300)) ==
              served.substr(from, length));

    // The tree is the one that a reader of the octets finds, and has the same parts.
    const Inspection after = Look(served);
    RC_ASSERT(after.parts == found->served.parts);
    RC_ASSERT(after.body_structure == found->body_structure);
    RC_ASSERT(after.parts.size() == before.parts.size());
    for (std::size_t i = 0; i < after.parts.size(); ++i) {
      RC_ASSERT(after.parts[i].kind == before.parts[i].kind);
      if (after.parts[i].kind != PartKind::kLeaf) continue;
      RC_ASSERT(Decoded(source, after.parts[i]) == Decoded(appended, before.parts[i]));
    }
    const std::string row = EncodeParts(before.parts, found->served);
    RC_ASSERT(*DecodeParts(row) == before.parts);
    RC_ASSERT(**DecodeServed(row) == found->served);
  }));
}

TEST(ReencodePropertyTest, DecodeServedNeverAcceptsAnUnsoundRow) {
  EXPECT_TRUE(rc::check([] {
    std::string row =
        EncodeParts({{.body_begin = 5, .body_end = 30}}, {.size = 80,
                                                          .replacements = {{0, 0, false}, {5, 25, true}},
                                                          .parts = {{.body_begin = 40, .body_end = 80}}});
    row[*rc::gen::inRange<std::size_t>(1, row.size())] = *rc::gen::arbitrary<char>();
    const auto served = DecodeServed(row);
    if (!served || !*served) return;
    RC_ASSERT((*served)->parts.front().body_end == (*served)->size);
    std::uint64_t at = 0;
    for (const auto& replacement : (*served)->replacements) {
      RC_ASSERT(replacement.begin >= at);
      at = replacement.begin + replacement.length;
    }
  }));
}

}  // namespace
}  // namespace protocol::mime
