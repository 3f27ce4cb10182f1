#include <memory>
#include <stdexcept>

#include "storage/kv/memory_engine.h"
#include "storage/kv/rocksdb_engine.h"
#include "tests/support/engine_conformance.h"
#include "tests/support/temp_folder.h"

namespace tests {
namespace {

using storage::kv::NewMemoryEngine;
using storage::kv::PrefixEnd;
using storage::kv::RocksEngine;

DriverUnderTest OpenRocks() {
  auto folder = std::make_shared<TempFolder>();
  auto engine = RocksEngine::Open({.path = folder->path() / "store", .create_if_missing = true});
  if (!engine) throw std::runtime_error(engine.error().detail);
  return {folder, std::move(*engine)};
}

INSTANTIATE_TEST_SUITE_P(
    Drivers, EngineConformance,
    testing::Values(EngineDriver{"Memory", [] { return DriverUnderTest{nullptr, NewMemoryEngine()}; }},
                    EngineDriver{"RocksDb", OpenRocks}),
    [](const auto& driver) { return driver.param.name; });

TEST(PrefixEndTest, IsTheSmallestKeyAboveThePrefix) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("a\x7f\xff\xff"), "a\x80");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
}

TEST(TableNameTest, NamesAreFrozen) {
  // They are on disk.
  std::string names;
  for (std::size_t i = 0; i < storage::kv::kTableCount; ++i)
    names += std::string(Name(static_cast<Table>(i))) + " ";
  EXPECT_EQ(names,
            "meta addresses accounts folders folder_names states messages bodies body_refs texts ids "
            "vanished annotations acl grants "
            "subscriptions url_keys references expiries intents seen ");
}

TEST(BatchTest, FindShowsWhatTheBatchWouldDo) {
  Batch batch;
  batch.Put(Table::kIds, "put", "v");
  batch.Erase(Table::kIds, "erased");
  ASSERT_NE(batch.Find(Table::kIds, "put"), nullptr);
  EXPECT_EQ(batch.Find(Table::kIds, "put")->value, "v");
  ASSERT_NE(batch.Find(Table::kIds, "erased"), nullptr);
  EXPECT_EQ(batch.Find(Table::kIds, "erased")->value, std::nullopt);
  EXPECT_EQ(batch.Find(Table::kIds, "other"), nullptr);
  EXPECT_EQ(batch.Find(Table::kAcl, "put"), nullptr);
}

TEST(BatchTest, CountsKeysAndOctets) {
  Batch batch;
  EXPECT_TRUE(batch.empty());
  batch.Put(Table::kIds, "key", "value");
  batch.Put(Table::kIds, "key", "v");
  batch.Erase(Table::kAcl, "gone");
  EXPECT_EQ(batch.size(), 2U);
  EXPECT_EQ(batch.bytes(), 8U);
  batch.Clear();
  EXPECT_TRUE(batch.empty());
  EXPECT_EQ(batch.bytes(), 0U);
}

}  // namespace
}  // namespace tests
