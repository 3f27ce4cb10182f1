#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "storage/schema/bytes.h"
#include "storage/schema/keys.h"
#include "storage/schema/url_keys.h"
#include "tests/support/hex.h"
#include "tests/support/row_codecs.h"

namespace tests {
namespace {

using namespace std::string_literals;
using namespace storage::schema;
using storage::Errc;

constexpr AccountId kAccount{3};
constexpr FolderId kFolder{7};
constexpr ObjectId kObject{0x0102030405060708};

TEST(KeyTest, EncodingIsFrozen) {
  const std::string account = "0000000000000003";
  const std::string folder = account + "0000000000000007";
  const std::string object = account + "0102030405060708";
  EXPECT_EQ(Hex(AccountPrefix(kAccount)), account);
  EXPECT_EQ(Hex(AccountKey{kAccount}.Encode()), account);
  EXPECT_EQ(Hex(FolderKey{kAccount, kFolder}.Encode()), folder);
  EXPECT_EQ(Hex(PathKey{kAccount, "a/b"}.Encode()), account + "610162");
  EXPECT_EQ(Hex(StateKey{kAccount, kFolder, 258}.Encode()), folder + "00000102");
  EXPECT_EQ(Hex(MessageKey{kAccount, kFolder, {42}}.Encode()), folder + "0000002a");
  EXPECT_EQ(Hex(ObjectKey{kAccount, kObject}.Encode()), object);
  EXPECT_EQ(Hex(ChunkKey{kAccount, kObject, 9}.Encode()), object + "00000009");
  EXPECT_EQ(Hex(IdKey{kAccount, IdKind::kCorrelator, "<x>", kFolder, {42}}.Encode()),
            account + "06" + "3c783e" + "00" + "0000000000000007" + "0000002a");
  EXPECT_EQ(Hex(IdKey::Prefix(kAccount, IdKind::kConversation, "c")), account + "01" + "63" + "00");
  EXPECT_EQ(Hex(VanishedKey{kAccount, kFolder, {0x1234}}.Encode()), folder + "0000000000001234");
  const AnnotationKey annotation{kAccount, kFolder, "/private/comment", kAccount};
  EXPECT_EQ(Hex(annotation.Encode()),
            folder + "2f707269766174652f636f6d6d656e74" + "00" + "0000000000000003");
  EXPECT_EQ(Hex(AnnotationKey::Prefix(kAccount, kFolder, "/")), folder + "2f");
  EXPECT_EQ(Hex(AnnotationKey::Use(kAccount, kServerAnnotations).Encode()),
            account + "0000000000000000" + "00" + "0000000000000000");
  EXPECT_EQ(Hex(AnnotationKey::Use(kAccount, kAllAnnotations).Encode()),
            account + "ffffffffffffffff" + "00" + "0000000000000000");
  EXPECT_EQ(Hex(IntentKey{kAccount, IntentKind::kDropAccount, 5}.Encode()),
            account + "04" + "0000000000000005");
  EXPECT_EQ(Hex(ExpiryKey{kAccount, ExpiryKind::kDeleted, 0x6553f100, kFolder, 9}.Encode()),
            account + "02" + "000000006553f100" + "0000000000000007" + "0000000000000009");
  EXPECT_EQ(Hex(GrantKey{"anyone", kAccount, kFolder}.Encode()),
            "616e796f6e65"
            "00"
            "0000000000000003"
            "0000000000000007");
  EXPECT_EQ(Hex(GrantKey::Prefix("anyone")),
            "616e796f6e65"
            "00");
  EXPECT_EQ(Hex(FormerPathKey{kAccount, "a/b", kFolder}.Encode()),
            account + "0000000000000000" + "612f62" + "00" + "0000000000000007");
  EXPECT_EQ(Hex(FormerPathKey::Prefix(kAccount, "a")), account + "0000000000000000" + "61" + "00");
  EXPECT_EQ(Hex(ReferenceKey{kAccount, 258}.Encode()), account + "0000000000000000" + "0000000000000102");
  EXPECT_EQ(Hex(ReferenceKey::Use(kAccount).Encode()), account + "0000000000000000" + "0000000000000000");
  EXPECT_EQ(Hex(MessageReferenceKey{kAccount, kFolder, {42}, 258}.Encode()),
            folder + "0000002a" + "0000000000000102");
}

TEST(KeyTest, KindsOnDiskAreFrozen) {
  EXPECT_EQ(static_cast<int>(ExpiryKind::kDeferred), 1);
  EXPECT_EQ(static_cast<int>(ExpiryKind::kDeleted), 2);
  EXPECT_EQ(static_cast<int>(ExpiryKind::kReference), 3);
  EXPECT_EQ(static_cast<int>(IdKind::kConversation), 1);
  EXPECT_EQ(static_cast<int>(IdKind::kContribution), 2);
  EXPECT_EQ(static_cast<int>(IdKind::kInReplyToContribution), 3);
  EXPECT_EQ(static_cast<int>(IdKind::kImdnMessage), 4);
  EXPECT_EQ(static_cast<int>(IdKind::kMessage), 5);
  EXPECT_EQ(static_cast<int>(IdKind::kCorrelator), 6);
  EXPECT_EQ(static_cast<int>(IdKind::kObjectKind), 7);
  EXPECT_EQ(static_cast<int>(IntentKind::kStagedObject), 1);
  EXPECT_EQ(static_cast<int>(IntentKind::kPurge), 2);
  EXPECT_EQ(static_cast<int>(IntentKind::kDropFolder), 3);
  EXPECT_EQ(static_cast<int>(IntentKind::kDropAccount), 4);
  EXPECT_EQ(static_cast<int>(IntentKind::kGrants), 5);
}

/// Around every power of two at which big-endian order could go wrong.
template <class T>
std::vector<T> Boundaries() {
  std::vector<T> out{0, 1};
  for (int bits = 8; bits < std::numeric_limits<T>::digits; bits += 8) {
    const T power = T{1} << bits;
    out.insert(out.end(), {static_cast<T>(power - 1), power, static_cast<T>(power + 1)});
  }
  out.push_back(static_cast<T>(std::numeric_limits<T>::max() - 1));
  out.push_back(std::numeric_limits<T>::max());
  return out;
}

template <class T, class Make>
void ExpectByteOrderIsNumberOrder(Make make) {
  std::string previous;
  for (const T value : Boundaries<T>()) {
    const auto key = make(value);
    const std::string encoded = key.Encode();
    EXPECT_LT(previous, encoded) << value;
    const auto decoded = std::decay_t<decltype(key)>::Decode(encoded);
    ASSERT_TRUE(decoded) << value;
    EXPECT_EQ(*decoded, key) << value;
    previous = encoded;
  }
}

TEST(KeyTest, ByteOrderIsNumberOrderInEveryField) {
  using U32 = std::uint32_t;
  using U64 = std::uint64_t;
  // A greater field in front outweighs all that follow it.
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return AccountKey{{n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return FolderKey{{n}, {~n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return FolderKey{kAccount, {n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return PathKey{{n}, n % 2 ? "" : "zz"}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return StateKey{kAccount, {n}, static_cast<U32>(~n)}; });
  ExpectByteOrderIsNumberOrder<U32>([](U32 n) { return StateKey{kAccount, kFolder, n}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return MessageKey{kAccount, {n}, {static_cast<U32>(~n)}}; });
  ExpectByteOrderIsNumberOrder<U32>([](U32 n) { return MessageKey{kAccount, kFolder, {n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return ObjectKey{kAccount, {n}}; });
  ExpectByteOrderIsNumberOrder<U32>([](U32 n) { return ChunkKey{kAccount, kObject, n}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return IdKey{kAccount, IdKind::kMessage, "v", {n}, {1}}; });
  ExpectByteOrderIsNumberOrder<U32>(
      [](U32 n) { return IdKey{kAccount, IdKind::kMessage, "v", kFolder, {n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return VanishedKey{kAccount, kFolder, {n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return AnnotationKey{kAccount, {n}, "/shared/a", {~n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return AnnotationKey{kAccount, kFolder, "/shared/a", {n}}; });
  ExpectByteOrderIsNumberOrder<U64>([](U64 n) { return IntentKey{kAccount, IntentKind::kPurge, n}; });
}

TEST(PathKeyTest, InferiorsFollowTheirFolderAtOnce) {
  const std::vector<std::string> in_order{
      "",    "INBOX", "INBOX/a", "a",   "a/b", "a/b/c", "a/b c",    "a/b-c",
      "a/z", "a b",   "a!",      "a-b", "a.b", "aa",    "\xc3\xa4", "\xc3\xa4/b",
  };
  for (std::size_t i = 1; i < in_order.size(); ++i) {
    EXPECT_LT((PathKey{kAccount, in_order[i - 1]}.Encode()), (PathKey{kAccount, in_order[i]}.Encode()))
        << in_order[i - 1] << " before " << in_order[i];
  }
}

RC_GTEST_PROP(PathKeyTest, NothingButInferiorsStandsBetweenAFolderAndItsLastInferior, ()) {
  const auto name = rc::gen::nonEmpty(
      rc::gen::container<std::string>(rc::gen::element(' ', '!', '-', '.', '0', 'a', 'z', '\x7e', '/')));
  const std::string folder = *name;
  const std::string other = *name;
  const auto inferior = PathKey{kAccount, folder + "/" + *name}.Encode();
  const auto key = PathKey{kAccount, other}.Encode();
  if (PathKey{kAccount, folder}.Encode() < key && key < inferior) RC_ASSERT(other.starts_with(folder + "/"));
  RC_ASSERT(PathKey::Decode(key)->path == other);
}

TEST(IdKeyTest, PrefixFindsExactlyTheValue) {
  const auto prefix = IdKey::Prefix(kAccount, IdKind::kMessage, "ab");
  EXPECT_TRUE(IdKey({kAccount, IdKind::kMessage, "ab", kFolder, {1}}).Encode().starts_with(prefix));
  for (const auto* other : {"", "a", "abc", "b"})
    EXPECT_FALSE(IdKey({kAccount, IdKind::kMessage, other, kFolder, {1}}).Encode().starts_with(prefix))
        << other;
  EXPECT_FALSE(IdKey({kAccount, IdKind::kCorrelator, "ab", kFolder, {1}}).Encode().starts_with(prefix));
}

TEST(IdKeyTest, ValueIsCutAtNulAndAtItsLimit) {
  EXPECT_EQ(IdKey::Indexed("plain"), "plain");
  EXPECT_EQ(IdKey::Indexed("a\0b"s), "a");
  EXPECT_EQ(IdKey::Indexed("\0b"s), "");
  EXPECT_EQ(IdKey::Indexed(std::string(200, 'x')).size(), 200U);
  EXPECT_EQ(IdKey::Indexed(std::string(201, 'x')).size(), 200U);
  const IdKey longest{kAccount, IdKind::kMessage, std::string(200, 'x'), kFolder, {1}};
  EXPECT_EQ(*IdKey::Decode(longest.Encode()), longest);
}

TEST(IdKeyTest, KeysThatWeNeverWriteAreRefused) {
  const std::string account = AccountPrefix(kAccount);
  const std::string tail = "\0"s + std::string(12, '\1');
  EXPECT_TRUE(IdKey::Decode(account + "\5" + "value" + tail));
  EXPECT_FALSE(IdKey::Decode(account + "\5" + "va\0lue"s + tail));
  EXPECT_FALSE(IdKey::Decode(account + "\5" + std::string(201, 'x') + tail));
  EXPECT_FALSE(IdKey::Decode(account + "\5" + "value" + "\1" + std::string(12, '\1')));
}

TEST(KeyTest, EveryTruncationAndEveryTailIsRefused) {
  const std::vector<std::pair<std::string_view, std::string>> samples{
      {"account_key", AccountKey{kAccount}.Encode()},
      {"folder_key", FolderKey{kAccount, kFolder}.Encode()},
      {"state_key", StateKey{kAccount, kFolder, 1}.Encode()},
      {"message_key", MessageKey{kAccount, kFolder, {42}}.Encode()},
      {"object_key", ObjectKey{kAccount, kObject}.Encode()},
      {"chunk_key", ChunkKey{kAccount, kObject, 1}.Encode()},
      {"vanished_key", VanishedKey{kAccount, kFolder, {1}}.Encode()},
      {"intent_key", IntentKey{kAccount, IntentKind::kPurge, 1}.Encode()},
      {"annotation_key", AnnotationKey::Use(kAccount, kFolder).Encode()},
      {"expiry_key", ExpiryKey{kAccount, ExpiryKind::kDeferred, 1, kFolder, 1}.Encode()},
  };
  for (const auto& [name, key] : samples) {
    const auto codec = std::find_if(RowCodecs().begin(), RowCodecs().end(),
                                    [&](const RowCodec& c) { return c.name == name; });
    ASSERT_NE(codec, RowCodecs().end()) << name;
    EXPECT_EQ(codec->recode(key).value(), key) << name;
    for (std::size_t n = 0; n < key.size(); ++n) {
      const auto cut = codec->recode(key.substr(0, n));
      ASSERT_FALSE(cut) << name << " cut to " << n;
      EXPECT_EQ(cut.error().code, Errc::kCorruption);
    }
    EXPECT_FALSE(codec->recode(key + '\0')) << name;
  }
  for (std::size_t n = 0; n < 8; ++n) EXPECT_FALSE(PathKey::Decode(std::string(n, 'x'))) << n;
  for (std::size_t n = 0; n < 16 + 1 + 8; ++n) EXPECT_FALSE(AnnotationKey::Decode(std::string(n, '\0'))) << n;
  EXPECT_FALSE(AnnotationKey::Decode(std::string(16, '\1') + "/a\0b\0"s + std::string(8, '\1')));
  EXPECT_FALSE(AnnotationKey::Decode(std::string(16, '\1') + "/a\1"s + std::string(8, '\1')));
  for (std::size_t n = 0; n < 8 + 1 + 1 + 12; ++n) EXPECT_FALSE(IdKey::Decode(std::string(n, '\0'))) << n;
}

// Reader and Writer

TEST(BytesTest, VarintIsFrozenAtItsBoundaries) {
  const std::vector<std::pair<std::uint64_t, std::string>> cases{
      {0, "00"},
      {1, "01"},
      {127, "7f"},
      {128, "8001"},
      {16383, "ff7f"},
      {16384, "808001"},
      {0xffffffff, "ffffffff0f"},
      {std::uint64_t{1} << 63, "80808080808080808001"},
      {~std::uint64_t{0}, "ffffffffffffffffff01"},
  };
  for (const auto& [value, hex] : cases) {
    EXPECT_EQ(Hex(Writer().Varint(value).Take()), hex);
    const std::string bytes = FromHex(hex);
    Reader in(bytes);
    EXPECT_EQ(in.Varint(), value);
    EXPECT_TRUE(in.Done());
  }
}

TEST(BytesTest, SignedIsSmallForSmallMagnitudes) {
  const std::vector<std::pair<std::int64_t, std::string>> cases{
      {0, "00"},
      {-1, "01"},
      {1, "02"},
      {-64, "7f"},
      {64, "8001"},
      {std::numeric_limits<std::int64_t>::max(), "feffffffffffffffff01"},
      {std::numeric_limits<std::int64_t>::min(), "ffffffffffffffffff01"},
  };
  for (const auto& [value, hex] : cases) {
    EXPECT_EQ(Hex(Writer().Signed(value).Take()), hex);
    const std::string bytes = FromHex(hex);
    Reader in(bytes);
    EXPECT_EQ(in.Signed(), value);
    EXPECT_TRUE(in.Done());
  }
}

TEST(BytesTest, WildVarintsAreRefused) {
  for (const auto* hex : {"", "80", "ffffffffffffffffff", "ffffffffffffffffff02", "ffffffffffffffffff7f",
                          "ffffffffffffffffffff01", "80808080808080808080"}) {
    const std::string bytes = FromHex(hex);
    Reader in(bytes);
    in.Varint();
    EXPECT_FALSE(in.ok()) << hex;
  }
}

TEST(BytesTest, FirstFailureSticks) {
  Reader in("\x01\x02\x03");
  EXPECT_EQ(in.U32(), 0U);
  EXPECT_EQ(in.U8(), 0);
  EXPECT_EQ(in.Varint(), 0U);
  EXPECT_EQ(in.String(), "");
  EXPECT_EQ(in.Rest(), "");
  EXPECT_FALSE(in.ok());
  EXPECT_FALSE(in.Done());
}

TEST(BytesTest, StringLengthIsCheckedAgainstWhatIsThere) {
  for (const auto* hex : {"01", "0261", "ffffffffffffffffff01", "8080808080808080800161"}) {
    const std::string bytes = FromHex(hex);
    Reader in(bytes);
    EXPECT_EQ(in.String(), "") << hex;
    EXPECT_FALSE(in.ok()) << hex;
  }
}

RC_GTEST_PROP(BytesTest, WhatIsWrittenIsRead, ()) {
  const auto a = *rc::gen::arbitrary<std::uint64_t>();
  const auto b = *rc::gen::arbitrary<std::int64_t>();
  const auto c = *rc::gen::arbitrary<std::string>();
  const auto d = *rc::gen::arbitrary<std::uint32_t>();
  const auto e = *rc::gen::arbitrary<std::uint8_t>();
  const std::string bytes = Writer().Varint(a).Signed(b).String(c).U32(d).U8(e).U64(a).Raw(c).Take();
  Reader in(bytes);
  RC_ASSERT(in.Varint() == a);
  RC_ASSERT(in.Signed() == b);
  RC_ASSERT(in.String() == c);
  RC_ASSERT(in.U32() == d);
  RC_ASSERT(in.U8() == e);
  RC_ASSERT(in.U64() == a);
  RC_ASSERT(in.Rest() == c);
  RC_ASSERT(in.Done());
}

}  // namespace
}  // namespace tests
