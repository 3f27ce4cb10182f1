#include "server/net/deflate.h"

#include <array>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <zlib.h>

namespace server_test {
namespace {

using server::net::Deflate;

/// The other end: one stream of zlib's a direction, as a client has.
class Peer {
 public:
  Peer() {
    EXPECT_EQ(deflateInit2(&out_, Z_BEST_COMPRESSION, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    EXPECT_EQ(inflateInit2(&in_, -15), Z_OK);
  }
  ~Peer() {
    deflateEnd(&out_);
    inflateEnd(&in_);
  }
  std::string Pack(std::string text, int flush = Z_SYNC_FLUSH) {
    std::string packed(deflateBound(&out_, text.size()) + 64, '\0');
    out_.next_in = reinterpret_cast<Bytef*>(text.data());
    out_.avail_in = static_cast<uInt>(text.size());
    out_.next_out = reinterpret_cast<Bytef*>(packed.data());
    out_.avail_out = static_cast<uInt>(packed.size());
    EXPECT_GE(deflate(&out_, flush), Z_OK);
    packed.resize(packed.size() - out_.avail_out);
    return packed;
  }
  std::string Unpack(std::string packed) {
    std::string text;
    in_.next_in = reinterpret_cast<Bytef*>(packed.data());
    in_.avail_in = static_cast<uInt>(packed.size());
    do {
      std::array<char, 4096> space;
      in_.next_out = reinterpret_cast<Bytef*>(space.data());
      in_.avail_out = space.size();
      const int result = inflate(&in_, Z_SYNC_FLUSH);
      EXPECT_TRUE(result == Z_OK || result == Z_BUF_ERROR) << result;
      text.append(space.data(), space.size() - in_.avail_out);
    } while (in_.avail_out == 0);
    EXPECT_EQ(in_.avail_in, 0U);
    return text;
  }

 private:
  z_stream out_{};
  z_stream in_{};
};

std::optional<std::string> ExpandAll(Deflate& deflate, std::string_view packed,
                                     std::size_t space_size = 1000) {
  std::string text;
  deflate.Feed(packed);
  while (!deflate.NeedsInput()) {
    std::string space(space_size, '\0');
    const auto size = deflate.Expand(space);
    if (!size) return std::nullopt;
    text.append(space, 0, *size);
  }
  return text;
}

std::string RandomText(std::mt19937& random, std::size_t longest) {
  static const std::string kWords[] = {"* 1 FETCH (UID ", "FLAGS (\\Seen)", " OK [", ")\r\n",
                                       "BODY[] {300}\r\n"};
  std::string text;
  const std::size_t size = random() % longest;
  while (text.size() < size) {
    text += random() % 4 == 0 ? std::string(1 + random() % 20, static_cast<char>(random()))
                              : kWords[random() % std::size(kWords)];
  }
  return text;
}

TEST(DeflateTest, BothDirectionsAreOneStreamForThePeerWheneverWeRest) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    Deflate deflate;
    Peer peer;
    for (int burst = 0; burst < 25; ++burst) {
      const std::string answer = RandomText(random, 60'000);
      std::string packed;
      deflate.Compress(answer, packed);
      ASSERT_EQ(peer.Unpack(packed), answer);
      const std::string command = RandomText(random, 60'000);
      ASSERT_EQ(ExpandAll(deflate, peer.Pack(command), 1 + random() % 5000), command);
      if (random() % 2 == 0) deflate.Rest();
    }
  }
}

TEST(DeflateTest, AtRestItKeepsHistoryAndNotZlib) {
  Deflate deflate;
  Peer peer;
  std::string packed;
  deflate.Compress("* OK ready\r\n", packed);
  ASSERT_EQ(ExpandAll(deflate, peer.Pack("a NOOP\r\n")), "a NOOP\r\n");
  EXPECT_GT(deflate.HeapBytes(), 50'000U);
  deflate.Rest();
  EXPECT_LT(deflate.HeapBytes(), 200U);
  const std::string much(200'000, 'x');
  deflate.Compress(much, packed);
  ASSERT_EQ(ExpandAll(deflate, peer.Pack(much)), much);
  deflate.Rest();
  EXPECT_LT(deflate.HeapBytes(), 36'000U);
}

TEST(DeflateTest, InTheMiddleOfABlockItRestsLess) {
  Deflate deflate;
  Peer peer;
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * i);
  const std::string packed = peer.Pack(text, Z_SYNC_FLUSH);
  auto got = ExpandAll(deflate, std::string_view(packed).substr(0, packed.size() / 2));
  ASSERT_TRUE(got);
  deflate.Rest();
  const auto more = ExpandAll(deflate, std::string_view(packed).substr(packed.size() / 2));
  ASSERT_TRUE(more);
  EXPECT_EQ(*got + *more, text);
}

TEST(DeflateTest, ABombComesOutInPieces) {
  Deflate deflate;
  Peer peer;
  deflate.Feed(peer.Pack(std::string(10U << 20, '\0')));
  std::array<char, 16384> space;
  EXPECT_EQ(deflate.Expand(space), space.size());
  EXPECT_FALSE(deflate.NeedsInput());
  EXPECT_LT(deflate.HeapBytes(), 250'000U);
}

TEST(DeflateTest, WhatIsNoDeflateIsRefused) {
  for (const std::string_view octets : {"\xff\xff\xff", "a NOOP\r\n"}) {
    Deflate deflate;
    EXPECT_FALSE(ExpandAll(deflate, octets)) << octets;
  }
  Deflate deflate;
  Peer peer;
  EXPECT_FALSE(ExpandAll(deflate, peer.Pack("a NOOP\r\n", Z_FINISH))) << "the stream has ended";
}

}  // namespace
}  // namespace server_test
