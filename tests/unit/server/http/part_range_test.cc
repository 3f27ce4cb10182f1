// A range of a part that has to be decoded, in steps.
#include "server/http/part_range.h"

#include <gtest/gtest.h>

#include "storage/kv/rocksdb_engine.h"
#include "tests/unit/server/references/desk_fixture.h"

namespace server::http {
namespace {

using references::PartReader;
using tests::Must;

class PartRangeTest : public references::DeskFixture {
 protected:
  /// A message whose first part has kSize octets of 'M', three of which are "TU1N" in base64.
  PartRangeTest() {
    std::string encoded;
    for (int i = 0; i < kLines; ++i) encoded += "TU1NTU1NTU1NTU1N\r\n";
    Must(tests::Append(*store, owner, "INBOX",
                       {"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                        "--b\r\nContent-Type: video/x\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
                        encoded + "\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello.\r\n--b--\r\n"}));
  }
  std::unique_ptr<PartReader> Open(const char* section, std::optional<protocol::UrlPartial> partial = {},
                                   storage::Uid uid = {1}) {
    auto part = Must(PartReader::Open(*store, {folder, uid, *protocol::ReadSection(section), partial, {}}));
    EXPECT_EQ(part->Begin(PartReader::Form::kDecoded), PartReader::Begun::kOpen);
    return part;
  }
  static constexpr int kLines = 300'000;
  static constexpr std::uint64_t kSize = 12ULL * kLines;  ///< 3.6 MB, several steps
};

TEST_F(PartRangeTest, SkipsInSteps) {
  const auto part = Open("1");
  ASSERT_EQ(part->size(), kSize);
  PartRange range(*part, PartReader::Form::kDecoded);
  ASSERT_EQ(range.Narrow({kSize - 5, 3}), PartReader::Begun::kOpen);
  int steps = 0;
  for (auto before = range.to_skip(); before > 0; before = range.to_skip(), ++steps) {
    ASSERT_TRUE(range.Skip());
    EXPECT_LT(before - range.to_skip(), 2 * kStep) << "no step takes long";
  }
  EXPECT_GE(steps, 3);
  Pieces pieces;
  EXPECT_EQ(range.left(), 3U);
  EXPECT_TRUE(range.Fill(pieces));
  EXPECT_EQ(pieces.size(), 3U);
  EXPECT_EQ(range.left(), 0U);
}

TEST(PartRangeOnDiskTest, WhatMemoryHasIsGoneOnFrom) {
  tests::TempStore store(tests::Driver::kRocks);
  const auto owner = tests::CreateAccount(*store);
  Must(tests::Append(
      *store, owner, "INBOX",
      {"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + std::string(4'000'000, 'x') +
       "\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\nTU1N\r\n--b--\r\n"}));
  Must(dynamic_cast<storage::kv::RocksEngine&>(store.engine()).Flush());
  store.Reopen();
  const auto folder = Must(store->GetFolder(owner, "INBOX")).ref;
  const auto open = [&](const char* section) {
    auto part = Must(PartReader::Open(*store, {folder, {1}, *protocol::ReadSection(section), {}, {}}));
    EXPECT_EQ(part->Begin(PartReader::Form::kDecoded), PartReader::Begun::kOpen);
    return part;
  };
  const auto part = open("1");
  PartRange range(*part, PartReader::Form::kDecoded);
  Pieces pieces;
  EXPECT_FALSE(range.FillAtOnce(pieces));
  EXPECT_GT(pieces.size(), 0U) << "the first piece has been read";
  EXPECT_LT(pieces.size(), kStep);
  EXPECT_TRUE(range.Fill(pieces));
  EXPECT_GE(pieces.size(), kStep);
  EXPECT_EQ(pieces.size() + range.left(), part->size());

  const auto again = open("1");
  Pieces same;
  EXPECT_TRUE(PartRange(*again, PartReader::Form::kDecoded).FillAtOnce(same));
  EXPECT_EQ(same.size(), pieces.size());
  const auto encoded = open("2");
  Pieces none;
  EXPECT_FALSE(PartRange(*encoded, PartReader::Form::kDecoded).FillAtOnce(none));
  EXPECT_EQ(none.size(), 0U) << "decoding takes long";
}

TEST_F(PartRangeTest, IsFarOnlyWhereThatIsDecoded) {
  const ByteRange near{kMaxSkipped, 1};
  const ByteRange far{kMaxSkipped + 1, 1};
  const auto video = Open("1");
  EXPECT_FALSE(PartRange(*video, PartReader::Form::kDecoded).IsFar(near));
  EXPECT_TRUE(PartRange(*video, PartReader::Form::kDecoded).IsFar(far));
  EXPECT_FALSE(PartRange(*video, PartReader::Form::kAsServed).IsFar(far));
  const auto text = Open("2");
  EXPECT_FALSE(PartRange(*text, PartReader::Form::kDecoded).IsFar(far));
  Must(tests::Append(*store, owner, "INBOX", {"Content-Transfer-Encoding: base64\r\n\r\nTU1N\r\n"}));
  const auto whole = Open("", {}, {2});  // of a message nothing is decoded
  EXPECT_FALSE(PartRange(*whole, PartReader::Form::kDecoded).IsFar(far));
  const auto header = Open("HEADER");
  EXPECT_FALSE(PartRange(*header, PartReader::Form::kDecoded).IsFar(far));
}

TEST_F(PartRangeTest, IsWithinWhatPartialNames) {
  const auto part = Open("1", protocol::UrlPartial{100, 2'000'000});
  PartRange range(*part, PartReader::Form::kDecoded);
  EXPECT_EQ(range.size(), 2'000'000U);
  ASSERT_EQ(range.Narrow({1'500'000, 500'000}), PartReader::Begun::kOpen);
  while (range.to_skip() > 0) ASSERT_TRUE(range.Skip());
  Pieces pieces;
  std::uint64_t got = 0;
  for (; range.left() > 0; got += pieces.size()) ASSERT_TRUE(range.Fill(pieces));
  EXPECT_EQ(got, 500'000U);
}

}  // namespace
}  // namespace server::http
