#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

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

/// A store whose table files have been opened anew: nothing of them is in memory, and not all can be open.
class ColdStoreTest : public testing::Test {
 protected:
  ColdStoreTest() {
    auto engine = Open(true);
    for (const Table table : tables_) {
      for (char c = 'b'; c < 'z'; c += 2) Put(*engine, table, std::string(10, c), std::string(2000, c));
    }
    if (!engine->Flush()) throw std::runtime_error("not flushed");
    engine.reset();
    engine_ = Open(false);
  }

  std::unique_ptr<RocksEngine> Open(bool create) {
    auto engine = RocksEngine::Open(
        {.path = folder_.path() / "store", .create_if_missing = create, .max_open_files = 20});
    if (!engine) throw std::runtime_error(engine.error().detail);
    return *std::move(engine);
  }

  static std::vector<Table> AllTables() {
    std::vector<Table> tables;
    for (std::size_t i = 0; i < storage::kv::kTableCount; ++i) tables.push_back(static_cast<Table>(i));
    return tables;
  }

  using Reading = std::function<storage::Result<std::string>()>;
  static void Append(std::string& out, std::string_view key, std::string_view value) {
    out.append(key).append("=").append(value).append(";");
  }
  /// Each way to read, of what is there and what is not, as text.
  std::vector<Reading> Readings(Table table) {
    std::vector<Reading> readings;
    for (char c = 'a'; c < 'z'; ++c) {
      const std::string key(10, c);
      readings.emplace_back([=, this]() -> storage::Result<std::string> {
        ASSIGN_OR_RETURN(const auto value, engine_->Get(table, key));
        return value.value_or("absent");
      });
      readings.emplace_back([=, this]() -> storage::Result<std::string> {
        ASSIGN_OR_RETURN(const auto value, engine_->OpenView()->GetShared(table, key));
        return value ? std::string(value->octets) : "absent";
      });
      readings.emplace_back([=, this]() -> storage::Result<std::string> {
        const std::vector<std::string> keys{key, key + "b"};
        ASSIGN_OR_RETURN(const auto values, engine_->OpenView()->MultiGet(table, keys));
        std::string out;
        for (const auto& value : values) Append(out, key, value.value_or("absent"));
        return out;
      });
      readings.emplace_back([=, this]() -> storage::Result<std::string> {
        std::string out;
        RETURN_IF_ERROR(engine_->OpenView()->Scan(table, key, {}, [&](auto found, auto value) {
          Append(out, found, value);
          return true;
        }));
        return out;
      });
    }
    return readings;
  }

  /// How many of these fall short of what memory has; the others say what those that may wait say.
  static std::size_t CountShort(const std::vector<Reading>& readings) {
    std::size_t count = 0;
    for (const auto& read : readings) {
      std::optional<storage::Result<std::string>> tried;
      bool fell_short = false;
      {
        const storage::MemoryOnly here;
        tried = read();
        fell_short = here.FellShort();
      }
      if (fell_short) {
        ++count;
        EXPECT_TRUE(tried->has_value() || tried->error().code == storage::Errc::kUnavailable);
        continue;
      }
      const auto waited = read();
      EXPECT_TRUE(tried->value() == waited.value()) << "what memory says is wrong";
    }
    return count;
  }

  const std::vector<Table> tables_ = AllTables();
  TempFolder folder_;
  std::unique_ptr<RocksEngine> engine_;
};

TEST_F(ColdStoreTest, WhatMemorySaysWithoutWaitingIsTrue) {
  std::size_t cold = 0;
  for (const Table table : tables_) cold += CountShort(Readings(table));
  EXPECT_GT(cold, 0U) << "nothing was cold: this shows nothing";
}

TEST_F(ColdStoreTest, WhatHasBeenReadIsInMemory) {
  // The first snapshot that is released lets RocksDB rewrite, in the background, all files older than it;
  // what has been read of them is out of memory then.
  ASSERT_TRUE(engine_->Compact());
  const auto readings = Readings(Table::kFolders);
  for (const auto& read : readings) EXPECT_TRUE(read());
  EXPECT_EQ(CountShort(readings), 0U);
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
