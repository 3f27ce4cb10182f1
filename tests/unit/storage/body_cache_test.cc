// What is kept of long bodies, and how an engine shares what it has.
#include "storage/store/body_cache.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "storage/kv/rocksdb_engine.h"
#include "tests/support/counting_engine.h"
#include "tests/support/store_access.h"
#include "tests/support/temp_folder.h"

namespace tests {
namespace {

using protocol::mime::Octets;
using storage::BodyCache;
using storage::kv::Table;

class BodyCacheTest : public testing::Test {
 protected:
  void Put(const std::string& key, std::size_t size) {
    storage::kv::Batch batch;
    batch.Put(Table::kBodies, key, ValueOf(key, size));
    Must(engine.Apply(batch, storage::kv::Durability::kNow));
  }
  static std::string ValueOf(const std::string& key, std::size_t size) {
    return key + std::string(size - key.size(), 'x');
  }
  /// How many rows of the engine it takes to have this one.
  int ReadsOf(const std::string& key, std::size_t size) {
    const int before = engine.Of(Table::kBodies).rows;
    const auto got = Must(cache.Get(*engine.OpenView(), key));
    EXPECT_TRUE(got);
    EXPECT_EQ(got.value_or(Octets()).view(), ValueOf(key, size));
    return engine.Of(Table::kBodies).rows - before;
  }

  CountingEngine engine;
  BodyCache cache;
};

TEST_F(BodyCacheTest, WhatIsLongIsReadOnce) {
  Put("long", BodyCache::kWorthKeeping);
  Put("short", BodyCache::kWorthKeeping - 1);
  EXPECT_EQ(ReadsOf("long", BodyCache::kWorthKeeping), 1);
  EXPECT_EQ(ReadsOf("long", BodyCache::kWorthKeeping), 0);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ReadsOf("short", BodyCache::kWorthKeeping - 1), 1);
  EXPECT_FALSE(Must(cache.Get(*engine.OpenView(), "none")));
}

TEST_F(BodyCacheTest, WhatWasReadLongestAgoGoesFirst) {
  constexpr std::size_t kSize = BodyCache::kMostOctets / 16;
  const auto reads = [&](int number) { return ReadsOf(std::to_string(number), kSize); };
  for (int i = 0; i <= 16; ++i) Put(std::to_string(i), kSize);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(reads(i), 1);
  EXPECT_EQ(reads(0), 0);
  EXPECT_EQ(reads(16), 1) << "it takes the place of 1";
  for (int i = 2; i <= 16; ++i) EXPECT_EQ(reads(i), 0) << i;
  EXPECT_EQ(reads(0), 0);
  EXPECT_EQ(reads(1), 1);
}

TEST(SharedValue, OutlivesTheViewAndTheEngine) {
  const TempFolder folder;
  const std::string value(200'000, 'v');
  storage::kv::SharedValue from_memory;
  storage::kv::SharedValue from_table;
  {
    const auto engine =
        Must(storage::kv::RocksEngine::Open({.path = folder.path() / "store", .create_if_missing = true}));
    storage::kv::Batch batch;
    for (const auto table : {Table::kBodies, Table::kTexts}) batch.Put(table, "key", value);
    Must(engine->Apply(batch, storage::kv::Durability::kNow));
    from_memory = Must(engine->OpenView()->GetShared(Table::kBodies, "key")).value();
    Must(engine->Flush());
    from_table = Must(engine->OpenView()->GetShared(Table::kBodies, "key")).value();
    EXPECT_EQ(Must(engine->OpenView()->GetShared(Table::kTexts, "key")).value().octets, value);
    EXPECT_FALSE(Must(engine->OpenView()->GetShared(Table::kBodies, "none")));

    const auto before = engine->OpenView();
    storage::kv::Batch erase;
    erase.Erase(Table::kBodies, "key");
    Must(engine->Apply(erase, storage::kv::Durability::kNow));
    EXPECT_FALSE(Must(engine->OpenView()->GetShared(Table::kBodies, "key")));
    EXPECT_EQ(Must(before->GetShared(Table::kBodies, "key")).value().octets, value);
  }
  EXPECT_EQ(from_memory.octets, value);
  EXPECT_EQ(from_table.octets, value);
}

TEST(Octets, APartSharesThem) {
  Octets part;
  {
    const Octets whole(std::string(1000, 'a') + "bcd");
    part = whole.Part(1000, 2);
    EXPECT_EQ(whole.Part(1003).view(), "");
    EXPECT_EQ(whole.Part(1001).view(), "cd");
  }
  EXPECT_EQ(part.view(), "bc");
}

}  // namespace
}  // namespace tests
