#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "storage/schema/rows.h"
#include "storage/schema/state_page.h"
#include "tests/support/hex.h"
#include "tests/support/row_codecs.h"

namespace tests {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;
using namespace storage::schema;
using protocol::InternalDate;
using protocol::SpecialUse;
using storage::Errc;

const RowCodec& CodecNamed(std::string_view name) {
  const auto at = std::find_if(RowCodecs().begin(), RowCodecs().end(),
                               [&](const RowCodec& codec) { return codec.name == name; });
  if (at == RowCodecs().end()) throw std::out_of_range(std::string(name));
  return *at;
}

UidSet Uids(std::initializer_list<protocol::UidRange> ranges) {
  UidSet out;
  for (const auto& range : ranges) out.Add(range.first, range.last);
  return out;
}

// One value of each type, with every field set.

AccountRow SampleAccount() {
  return {.role = 1,
          .status = 1,
          .address = "tel:+15550100111",
          .aliases = {"sip:user1@example.com", "tel:+15550100112"},
          .password_hash = "$6$x",
          .quota = {.octets = 1'000'000, .messages = 500},
          .used_octets = 123'456,
          .used_messages = 12,
          .folders = 4,
          .created = 1'700'000'000,
          .next_folder = 9,
          .next_uid_validity = 1'700'000'004,
          .modseq = {300}};
}

AccountRow CountingAccount() {
  AccountRow row = SampleAccount();
  row.subscriptions = 300;
  return row;
}

AccountRow MarkedAccount() {
  AccountRow row = CountingAccount();
  row.marks = {{299}, {200}};
  return row;
}

AccountRow LimitedAccount() {
  AccountRow row = MarkedAccount();
  row.quota.messages = 0;
  row.quota.folders = 30;
  row.quota.annotation_octets = storage::kMaxQuota;
  row.act_for = {"tel:+1555*", "sip:*@example.com"};
  return row;
}

FolderRow SampleFolder() {
  return {.path = "RCSMessageStore/c\xc3\xa9",
          .kind = 3,
          .use = SpecialUse::kSent,
          .uid_validity = {1'700'000'001},
          .uid_next = {513},
          .highest_modseq = {299},
          .messages = 12,
          .unseen = 3,
          .deleted = 1,
          .octets = 123'456,
          .recent_from = {500},
          .created = 1'700'000'000,
          .conversation_id = "conv",
          .contribution_id = "contrib",
          .keywords = {"$Forwarded", "\\read-report-sent"}};
}

FolderRow SharedFolder() {
  FolderRow row = SampleFolder();
  row.owner_rights = protocol::Rights::All() - protocol::Right::kWrite;
  return row;
}

AclRow SampleAcl() {
  return {{{"-tel:+15550100222", protocol::Right::kExpunge},
           {"anyone", protocol::Right::kLookup},
           {"sip:bea@example.com", protocol::Rights::All()}}};
}

const std::string& SampleIds() {
  static const std::string ids = EncodeIds({{IdKind::kConversation, "conv"}, {IdKind::kMessage, "<m@x>"}});
  return ids;
}

StoredMessage SampleMessage() {
  return {.internal_date = {1'700'000'000, -480},
          .save_date = 1'700'000'100,
          .size = 2048,
          .object = {77},
          .object_kind = protocol::ObjectKind::kStandaloneMessage,
          .expiry = 1'800'000'000,
          .sent = InternalDate{1'699'999'999, 60},
          .envelope = "(NIL)",
          .body = "(\"TEXT\")",
          .body_structure = "(\"TEXT\" \"PLAIN\")",
          .parts = "pp",
          .ids = SampleIds()};
}

StatePage SamplePage() {
  StatePage page;
  for (std::uint32_t slot = 1; slot < 5; ++slot) page.Put(slot, {0, 0, slot});
  page.Put(64, {8, 1, 100});
  page.Put(511, {31, ~std::uint64_t{0}, 90});
  return page;
}

ReferenceRow SampleReference() {
  return {.folder = {7},
          .uid = {42},
          .section = "1.2",
          .offset = 300,
          .count = 5,
          .issuer = {9},
          .kind = ReferenceAudience::kUser,
          .audience = "tel:+15550100222",
          .one_time = true,
          .created = 1'700'000'000,
          .expires = 1'700'086'400,
          .revoked = 1'700'000'100,
          .fetches = 1,
          .last_fetch = 1'700'000'050,
          .part_size = 2048,
          .key_check = "01234567"};
}

ReferenceRow OverReference() {
  ReferenceRow row = SampleReference();
  row.over = 1'700'000'100;
  return row;
}

struct Sample {
  std::string name;  ///< of the codec, and of the file in tests/data/rows
  std::string encoded;
  int version = 1;
};

std::vector<Sample> Samples() {
  return {
      {"address_row", AddressRow{{3}}.Encode()},
      {"account_row", SampleAccount().Encode()},
      {"account_row", CountingAccount().Encode(), 2},
      {"account_row", MarkedAccount().Encode(), 3},
      {"account_row", LimitedAccount().Encode(), 4},
      {"folder_row", SampleFolder().Encode()},
      {"folder_row", SharedFolder().Encode(), 2},
      {"acl_row", SampleAcl().Encode()},
      {"grants_row", GrantsRow{{300}, {"anyone", "tel:+15550100222"}}.Encode()},
      {"folder_name_row", FolderNameRow{{7}, 3, SpecialUse::kTrash}.Encode()},
      {"message_row", SampleMessage().Encode()},
      {"ids", SampleIds()},
      {"text_row", TextRow{true, "subject: x\n", "hello"}.Encode()},
      {"body_ref_row", BodyRefRow{300}.Encode()},
      {"vanished_row",
       VanishedRow{1'700'000'000, Uids({{{1}, {3}}, {{5}, {5}}, {{600}, protocol::kMaxUid}})}.Encode()},
      {"purge_row", PurgeRow{{7}, Uids({{{2}, {200}}})}.Encode()},
      {"uids_row", UidsRow{Uids({{{2}, {2}}, {{9}, {200}}})}.Encode()},
      {"state_page", SamplePage().Encode()},
      {"annotation_row", AnnotationRow{"/private/Comment", "a\0b"sv}.Encode()},
      {"annotation_use_row", AnnotationUseRow{3, 300}.Encode()},
      {"seen_page", SeenPage{{1, 0, 0, 0, 0, 0, 0, 0x8000000000000000U}}.Encode()},
      {"url_key_row", UrlKeyRow{"0123456789abcdef0123456789ABCDEF", {"a/b", "c"}}.Encode()},
      {"references_use_row", ReferencesUseRow{300, 2}.Encode()},
      {"references_use_row", ReferencesUseRow{300, 2, 150}.Encode(), 2},
      {"reference_row", SampleReference().Encode()},
      {"reference_row", OverReference().Encode(), 2},
  };
}

TEST(RowTest, EncodingIsFrozen) {
  // Every version of every row, as files: the old ones must still decode.
  const std::filesystem::path folder = TEST_DATA_DIR "/rows";
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files += entry.path().extension() == ".hex" ? 1U : 0U;
  EXPECT_EQ(files, Samples().size());
  for (const auto& sample : Samples()) {
    std::ifstream in(folder / fmt::format("{}_v{}.hex", sample.name, sample.version));
    ASSERT_TRUE(in.good()) << sample.name << ": " << Hex(sample.encoded);
    std::stringstream text;
    text << in.rdbuf();
    EXPECT_EQ(Hex(sample.encoded), Hex(FromHex(text.str()))) << sample.name;
  }
}

TEST(RowTest, AnAclIsInOrderAndSaysSomething) {
  const AclRow empty;
  EXPECT_FALSE(AclRow::Decode(empty.Encode()));
  const AclRow nothing{{{"anyone", {}}}};
  EXPECT_FALSE(AclRow::Decode(nothing.Encode()));
  const AclRow nobody{{{"", protocol::Right::kRead}}};
  EXPECT_FALSE(AclRow::Decode(nobody.Encode()));
  const AclRow twice{{{"anyone", protocol::Right::kRead}, {"anyone", protocol::Right::kRead}}};
  EXPECT_FALSE(AclRow::Decode(twice.Encode()));
  EXPECT_FALSE(AclRow::Decode("\x01\x01\x01x\x80\x20"sv));  // a right that there is not
}

TEST(RowTest, MarkerIsTheVersionAlone) { EXPECT_EQ(Hex(MarkerRow()), "01"); }

TEST(RowTest, SamplesDecodeToWhatTheyWere) {
  EXPECT_EQ(AccountRow::Decode(SampleAccount().Encode()).value(), SampleAccount());
  EXPECT_EQ(ReferenceRow::Decode(SampleReference().Encode()).value(), SampleReference());
  EXPECT_EQ(ReferenceRow::Decode(OverReference().Encode()).value(), OverReference());
  EXPECT_EQ(AccountRow::Decode(CountingAccount().Encode()).value(), CountingAccount());
  EXPECT_EQ(AccountRow::Decode(MarkedAccount().Encode()).value(), MarkedAccount());
  EXPECT_EQ(FolderRow::Decode(SampleFolder().Encode()).value(), SampleFolder());
  EXPECT_EQ(FolderRow::Decode(SharedFolder().Encode()).value(), SharedFolder());
  EXPECT_EQ(AclRow::Decode(SampleAcl().Encode()).value(), SampleAcl());
  FolderRow counts = SampleFolder();
  counts.path.clear();
  counts.conversation_id.clear();
  counts.contribution_id.clear();
  counts.keywords.clear();
  EXPECT_EQ(FolderRow::DecodeCounts(SampleFolder().Encode()).value(), counts);
  counts.owner_rights = SharedFolder().owner_rights;
  EXPECT_EQ(FolderRow::DecodeCounts(SharedFolder().Encode()).value(), counts);
  EXPECT_FALSE(FolderRow::DecodeCounts(SampleFolder().Encode().substr(0, 30)));
  const std::string message = SampleMessage().Encode();
  EXPECT_EQ(StoredMessage::Decode(message).value(), SampleMessage());
  for (const auto& sample : Samples())
    EXPECT_EQ(CodecNamed(sample.name).recode(sample.encoded).value(), sample.encoded) << sample.name;
}

TEST(RowTest, AMalformedObjectIsMarkedInTheOctetOfItsKind) {
  StoredMessage row = SampleMessage();
  const std::string sound = row.Encode();
  row.malformed = true;
  const std::string malformed = row.Encode();
  EXPECT_EQ(StoredMessage::Decode(malformed).value(), row);
  ASSERT_EQ(malformed.size(), sound.size());
  int differ = 0;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    if (sound[i] == malformed[i]) continue;
    ++differ;
    EXPECT_EQ(static_cast<unsigned char>(malformed[i]), 0x82);
  }
  EXPECT_EQ(differ, 1);
}

TEST(RowTest, EveryTruncationIsRefused) {
  for (const auto& sample : Samples()) {
    const RowCodec& codec = CodecNamed(sample.name);
    // The ids at a message row's end are decoded by who needs them.
    const std::size_t whole = sample.encoded.size() - (codec.open_end ? SampleIds().size() : 0);
    for (std::size_t n = 0; n < whole; ++n) {
      const auto cut = codec.recode(sample.encoded.substr(0, n));
      ASSERT_FALSE(cut) << sample.name << " cut to " << n;
      EXPECT_EQ(cut.error().code, Errc::kCorruption);
    }
  }
}

TEST(RowTest, TrailingOctetsAreRefused) {
  for (const auto& sample : Samples()) {
    const RowCodec& codec = CodecNamed(sample.name);
    if (codec.open_end) continue;
    for (const char octet : {'\0', '\1', '\x7f', '\xff'})
      EXPECT_FALSE(codec.recode(sample.encoded + octet)) << sample.name;
  }
}

TEST(RowTest, UnknownVersionIsRefusedAndANewerOneIsNamed) {
  for (const auto& sample : Samples()) {
    const RowCodec& codec = CodecNamed(sample.name);
    if (!codec.versioned) continue;
    for (const char version : {'\0', '\5', '\x80', '\xff'}) {
      std::string bytes = sample.encoded;
      bytes[0] = version;
      const auto refused = codec.recode(bytes);
      ASSERT_FALSE(refused) << sample.name;
      EXPECT_EQ(refused.error().code, Errc::kCorruption);
      if (version != '\0')
        EXPECT_NE(refused.error().detail.find("version"), std::string::npos) << sample.name;
    }
  }
}

TEST(RowTest, EveryFlippedOctetIsRefusedOrDecodesToAValue) {
  // No octet may crash a decoder, and what decodes must encode to what decodes to the same again.
  for (const auto& sample : Samples()) {
    const RowCodec& codec = CodecNamed(sample.name);
    for (std::size_t i = 0; i < sample.encoded.size(); ++i) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string bytes = sample.encoded;
        bytes[i] = static_cast<char>(octet);
        const auto once = codec.recode(bytes);
        if (!once) continue;
        const auto twice = codec.recode(*once);
        ASSERT_TRUE(twice) << sample.name << " octet " << i << " = " << octet;
        EXPECT_EQ(*twice, *once) << sample.name << " octet " << i << " = " << octet;
      }
    }
  }
}

struct BadRow {
  std::string name;
  std::string codec;
  std::string hex;
};

class RejectsRow : public testing::TestWithParam<BadRow> {};

TEST_P(RejectsRow, AsCorruption) {
  const auto decoded = CodecNamed(GetParam().codec).recode(FromHex(GetParam().hex));
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, Errc::kCorruption);
}

INSTANTIATE_TEST_SUITE_P(
    Rows, RejectsRow,
    testing::Values(BadRow{"EmptyValue", "address_row", ""},
                    BadRow{"VarintOverTenOctets", "address_row", "01 ffffffffffffffffffff01"},
                    BadRow{"VarintOver64Bits", "address_row", "01 ffffffffffffffffff02"},
                    BadRow{"ReferenceCountZero", "body_ref_row", "01 00"},
                    BadRow{"ReferenceCountOneIsAnAbsentRow", "body_ref_row", "01 01"},
                    BadRow{"NoAnnotationIsAnAbsentRow", "annotation_use_row", "01 00 00"},
                    BadRow{"NineFormerPaths", "url_key_row",
                           "01 3030303030303030303030303030303030303030303030303030303030303030 09"
                           "0161 0161 0161 0161 0161 0161 0161 0161 0161"},
                    BadRow{"UnknownSpecialUse", "folder_name_row", "01 07 00 06"},
                    BadRow{"UidZero", "vanished_row", "01 00 01 00 00"},
                    BadRow{"UidAboveTheLargest", "vanished_row", "01 00 01 ffffffff0f 01"},
                    BadRow{"UidRangeOver64Bits", "vanished_row", "01 00 01 01 ffffffffffffffffff01"},
                    BadRow{"UidRangesAdjacent", "vanished_row", "01 00 02 01 00 01 00"},
                    BadRow{"UidRangesOverlap", "purge_row", "01 07 02 01 00 00 00"},
                    BadRow{"UidRangesManyButNotThere", "purge_row", "01 07 ffffffff0f 01 00"},
                    BadRow{"TruncatedIsNoTruthValue", "text_row", "01 02 00 00"},
                    BadRow{"StringBeyondTheEnd", "text_row", "01 00 05 61 00"},
                    BadRow{"ManyIdsButNotThere", "ids", "ffffffffffffffffff01 05 0161"},
                    BadRow{"SentIsNoTruthValue", "message_row", "01 0000 00 01 01 00 00 02 0000 00 00 00 00"},
                    BadRow{"ZoneBeyondADay", "message_row", "01 00c216 00 01 01 00 00 00 00 00 00 00"}),
    [](const auto& row) { return row.param.name; });

TEST(RowTest, ZoneOfADayIsTheMost) {
  for (const std::int16_t zone : {std::int16_t{1440}, std::int16_t{-1440}}) {
    StoredMessage row;
    row.internal_date = {0, zone};
    const std::string encoded = row.Encode();
    EXPECT_EQ(StoredMessage::Decode(encoded).value().internal_date.zone_minutes, zone);
  }
}

TEST(RowTest, FolderHasAtMost64Keywords) {
  FolderRow row = SampleFolder();
  row.keywords.clear();
  for (int i = 0; i < 64; ++i) row.keywords.push_back("k" + std::to_string(i));
  EXPECT_EQ(FolderRow::Decode(row.Encode()).value(), row);
  row.keywords.push_back("one-too-many");
  EXPECT_FALSE(FolderRow::Decode(row.Encode()));
}

// Round trips

rc::Gen<std::string> AnyOctets() { return rc::gen::arbitrary<std::string>(); }

/// Small and huge numbers alike: rapidcheck's integers stay near zero at small sizes.
template <class T>
T AnyNumber() {
  const auto shift = *rc::gen::inRange<int>(0, std::numeric_limits<T>::digits);
  return static_cast<T>(std::numeric_limits<T>::max() >> shift) - *rc::gen::element<T>(0, 1);
}

std::int64_t AnyTime() { return AnyNumber<std::int64_t>() * *rc::gen::element(1, -1); }

InternalDate AnyDate() { return {AnyTime(), static_cast<std::int16_t>(*rc::gen::inRange(-1440, 1441))}; }

UidSet AnyUids() {
  UidSet out;
  for (int n = *rc::gen::inRange(0, 8); n > 0; --n) {
    const auto first = std::max<std::uint32_t>(AnyNumber<std::uint32_t>(), 1);
    const auto length = static_cast<std::uint32_t>(*rc::gen::inRange(0, 1000));
    out.Add(Uid{first}, Uid{first > 0xffffffffU - length ? 0xffffffffU : first + length});
  }
  return out;
}

SpecialUse AnyUse() { return static_cast<SpecialUse>(*rc::gen::inRange(0, 6)); }

std::uint8_t AnyOctet() { return *rc::gen::arbitrary<std::uint8_t>(); }

std::optional<std::uint64_t> AnyLimit() {
  return *rc::gen::element<std::optional<std::uint64_t>>(std::nullopt, 0, 1, 500, storage::kMaxQuota);
}

RC_GTEST_PROP(RowRoundTrip, Account, ()) {
  AccountRow row;
  row.role = AnyOctet();
  row.status = AnyOctet();
  row.address = *AnyOctets();
  row.aliases = *rc::gen::container<std::vector<std::string>>(AnyOctets());
  row.password_hash = *AnyOctets();
  row.quota = {AnyLimit(), AnyLimit(), AnyLimit(), AnyLimit()};
  row.used_octets = AnyNumber<std::uint64_t>();
  row.used_messages = AnyNumber<std::uint64_t>();
  row.folders = AnyNumber<std::uint32_t>();
  row.created = AnyTime();
  row.next_folder = AnyNumber<std::uint64_t>();
  row.next_uid_validity = AnyNumber<std::uint32_t>();
  row.modseq = {AnyNumber<std::uint64_t>()};
  if (*rc::gen::arbitrary<bool>()) row.act_for = {*AnyOctets(), *AnyOctets()};
  if (*rc::gen::arbitrary<bool>()) row.subscriptions = AnyNumber<std::uint32_t>();
  if (*rc::gen::arbitrary<bool>()) row.marks = {{AnyNumber<std::uint64_t>()}, {AnyNumber<std::uint64_t>()}};
  RC_ASSERT(AccountRow::Decode(row.Encode()).value() == row);
}

RC_GTEST_PROP(RowRoundTrip, Folder, ()) {
  FolderRow row;
  row.path = *AnyOctets();
  row.kind = AnyOctet();
  row.use = AnyUse();
  row.uid_validity = {AnyNumber<std::uint32_t>()};
  row.uid_next = {AnyNumber<std::uint32_t>()};
  row.highest_modseq = {AnyNumber<std::uint64_t>()};
  row.messages = AnyNumber<std::uint32_t>();
  row.unseen = AnyNumber<std::uint32_t>();
  row.deleted = AnyNumber<std::uint32_t>();
  row.octets = AnyNumber<std::uint64_t>();
  row.recent_from = {AnyNumber<std::uint32_t>()};
  row.created = AnyTime();
  row.conversation_id = *AnyOctets();
  row.contribution_id = *AnyOctets();
  row.keywords = *rc::gen::container<std::vector<std::string>>(
      static_cast<std::size_t>(*rc::gen::inRange(0, 65)), AnyOctets());
  RC_ASSERT(FolderRow::Decode(row.Encode()).value() == row);
}

RC_GTEST_PROP(RowRoundTrip, Message, ()) {
  const auto envelope = *AnyOctets();
  const auto body = *AnyOctets();
  const auto parts = *AnyOctets();
  std::vector<IndexedId> ids;
  for (int n = *rc::gen::inRange(0, 7); n > 0; --n)
    ids.push_back({static_cast<IdKind>(*rc::gen::inRange(1, 7)), *AnyOctets()});
  const std::string encoded_ids = EncodeIds(ids);
  StoredMessage row;
  row.internal_date = AnyDate();
  row.save_date = AnyTime();
  row.size = AnyNumber<std::uint64_t>();
  row.object = {AnyNumber<std::uint64_t>()};
  const auto kind = AnyOctet();
  row.object_kind = static_cast<protocol::ObjectKind>(kind & 0x7f);
  row.malformed = kind >= 0x80;
  row.expiry = AnyTime();
  if (*rc::gen::arbitrary<bool>()) row.sent = AnyDate();
  row.envelope = envelope;
  row.body = body;
  row.body_structure = envelope;
  row.parts = parts;
  row.ids = encoded_ids;
  const std::string encoded = row.Encode();
  RC_ASSERT(StoredMessage::Decode(encoded).value() == row);
  RC_ASSERT(DecodeIds(encoded_ids).value() == ids);
}

RC_GTEST_PROP(RowRoundTrip, SmallRows, ()) {
  const AddressRow address{{AnyNumber<std::uint64_t>()}};
  RC_ASSERT(AddressRow::Decode(address.Encode()).value() == address);
  const FolderNameRow name{{AnyNumber<std::uint64_t>()}, AnyOctet(), AnyUse()};
  RC_ASSERT(FolderNameRow::Decode(name.Encode()).value() == name);
  const auto header = *AnyOctets();
  const auto body = *AnyOctets();
  const TextRow text{*rc::gen::arbitrary<bool>(), header, body};
  const std::string encoded_text = text.Encode();
  RC_ASSERT(TextRow::Decode(encoded_text).value() == text);
  const BodyRefRow refs{std::max<std::uint64_t>(2, AnyNumber<std::uint64_t>())};
  RC_ASSERT(BodyRefRow::Decode(refs.Encode()).value() == refs);
  const VanishedRow vanished{AnyTime(), AnyUids()};
  RC_ASSERT(VanishedRow::Decode(vanished.Encode()).value() == vanished);
  const AnnotationRow annotation{header, body};
  const std::string encoded_annotation = annotation.Encode();
  RC_ASSERT(AnnotationRow::Decode(encoded_annotation).value() == annotation);
  const AnnotationUseRow use{std::max<std::uint64_t>(1, AnyNumber<std::uint64_t>()),
                             AnyNumber<std::uint64_t>()};
  RC_ASSERT(AnnotationUseRow::Decode(use.Encode()).value() == use);
  const PurgeRow purge{{AnyNumber<std::uint64_t>()}, AnyUids()};
  RC_ASSERT(PurgeRow::Decode(purge.Encode()).value() == purge);
  const UidsRow uids{AnyUids()};
  RC_ASSERT(UidsRow::Decode(uids.Encode()).value() == uids);
}

RC_GTEST_PROP(RowCodecs, NoOctetsCrashADecoder, ()) {
  // Mostly the right version, so that the rest is reached.
  const std::string bytes = *rc::gen::element("\1"s, ""s) + *AnyOctets();
  for (const auto& codec : RowCodecs()) {
    const auto once = codec.recode(bytes);
    if (once) RC_ASSERT(codec.recode(*once).value() == *once);
  }
}

}  // namespace
}  // namespace tests
