#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "storage/kv/engine.h"
#include "storage/memory_only.h"

// What every driver behind storage/kv/engine.h must do. Include it in one file of a test program and
// instantiate EngineConformance with the drivers.

namespace tests {

using storage::Errc;
using storage::kv::Batch;
using storage::kv::Durability;
using storage::kv::Engine;
using storage::kv::Table;
using storage::kv::View;

/// An engine, and whatever must live as long as it.
struct DriverUnderTest {
  std::shared_ptr<void> surroundings;
  std::unique_ptr<Engine> engine;
};

struct EngineDriver {
  std::string name;
  std::function<DriverUnderTest()> open;  ///< a new, empty store
};

using Rows = std::vector<std::pair<std::string, std::string>>;

inline Rows Scan(const View& view, Table table, std::string_view first = {}, std::string_view end = {}) {
  Rows rows;
  const auto scanned = view.Scan(table, first, end, [&](std::string_view key, std::string_view value) {
    rows.emplace_back(key, value);
    return true;
  });
  EXPECT_TRUE(scanned) << (scanned ? "" : scanned.error().detail);
  return rows;
}

inline void Put(Engine& engine, Table table, std::string_view key, std::string_view value,
                Durability durability = Durability::kNow) {
  Batch batch;
  batch.Put(table, key, value);
  const auto applied = engine.Apply(batch, durability);
  ASSERT_TRUE(applied) << applied.error().detail;
}

/// "absent" if it is.
inline std::string Get(Engine& engine, Table table, std::string_view key) {
  const auto value = engine.Get(table, key);
  if (!value) return "error: " + value.error().detail;
  return value->value_or("absent");
}

class EngineConformance : public testing::TestWithParam<EngineDriver> {
 protected:
  EngineConformance() : driver_(GetParam().open()), engine_(*driver_.engine) {}

  DriverUnderTest driver_;
  Engine& engine_;
};

TEST_P(EngineConformance, AbsentKeyIsNullopt) {
  EXPECT_EQ(Get(engine_, Table::kFolders, "nothing"), "absent");
  EXPECT_EQ(engine_.OpenView()->Get(Table::kFolders, "nothing").value(), std::nullopt);
}

TEST_P(EngineConformance, PutIsReadBackAndEraseRemovesIt) {
  Put(engine_, Table::kFolders, "k", "v");
  EXPECT_EQ(Get(engine_, Table::kFolders, "k"), "v");
  Put(engine_, Table::kFolders, "k", "w");
  EXPECT_EQ(Get(engine_, Table::kFolders, "k"), "w");
  Batch erase;
  erase.Erase(Table::kFolders, "k");
  ASSERT_TRUE(engine_.Apply(erase, Durability::kNow));
  EXPECT_EQ(Get(engine_, Table::kFolders, "k"), "absent");
}

TEST_P(EngineConformance, TablesDoNotShareKeys) {
  for (std::size_t i = 0; i < storage::kv::kTableCount; ++i) {
    Put(engine_, static_cast<Table>(i), "k", std::string(Name(static_cast<Table>(i))));
  }
  for (std::size_t i = 0; i < storage::kv::kTableCount; ++i) {
    EXPECT_EQ(Get(engine_, static_cast<Table>(i), "k"), Name(static_cast<Table>(i)));
  }
}

TEST_P(EngineConformance, LastWriteOfABatchWins) {
  Put(engine_, Table::kIds, "old", "1");
  Batch batch;
  batch.Put(Table::kIds, "a", "1");
  batch.Put(Table::kIds, "a", "2");
  batch.Put(Table::kIds, "b", "1");
  batch.Erase(Table::kIds, "b");
  batch.Erase(Table::kIds, "old");
  batch.Put(Table::kIds, "old", "2");
  EXPECT_EQ(batch.size(), 3U);
  ASSERT_TRUE(engine_.Apply(batch, Durability::kNow));
  EXPECT_EQ(Scan(*engine_.OpenView(), Table::kIds), (Rows{{"a", "2"}, {"old", "2"}}));
}

TEST_P(EngineConformance, ScanIsInByteOrderWithFirstIncludedAndEndExcluded) {
  const std::vector<std::string> keys{
      std::string("\0", 1), "a", std::string("a\0", 2), "a\x7f", "a\x80", "b", "\xff", "\xff\xff"};
  Batch batch;
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) batch.Put(Table::kStates, *key, "v");
  ASSERT_TRUE(engine_.Apply(batch, Durability::kNow));

  const auto view = engine_.OpenView();
  for (std::size_t first = 0; first <= keys.size(); ++first) {
    for (std::size_t end = first; end <= keys.size(); ++end) {
      if (first == keys.size()) continue;
      Rows expected;
      for (std::size_t i = first; i < end; ++i) expected.emplace_back(keys[i], "v");
      EXPECT_EQ(Scan(*view, Table::kStates, keys[first], end == keys.size() ? "" : keys[end]), expected);
    }
  }
  EXPECT_EQ(Scan(*view, Table::kStates, "a", storage::kv::PrefixEnd("a")).size(), 4U);
  EXPECT_TRUE(Scan(*view, Table::kStates, "b", "a").empty());
}

TEST_P(EngineConformance, ScanStopsWhenTheVisitorSaysSo) {
  for (const auto* key : {"a", "b", "c"}) Put(engine_, Table::kStates, key, "v");
  std::string seen;
  ASSERT_TRUE(engine_.OpenView()->Scan(Table::kStates, "", "", [&](std::string_view key, std::string_view) {
    seen += key;
    return key != "b";
  }));
  EXPECT_EQ(seen, "ab");
}

TEST_P(EngineConformance, VisitorMayUseTheEngine) {
  for (const auto* key : {"a", "b", "c"}) Put(engine_, Table::kStates, key, "v");
  const auto view = engine_.OpenView();
  ASSERT_TRUE(view->Scan(Table::kStates, "", "", [&](std::string_view key, std::string_view) {
    Put(engine_, Table::kStates, std::string(key) + "2", Get(engine_, Table::kStates, key));
    return true;
  }));
  EXPECT_EQ(Scan(*engine_.OpenView(), Table::kStates).size(), 6U);
}

TEST_P(EngineConformance, MultiGetAnswersInTheOrderAsked) {
  Put(engine_, Table::kMessages, "a", "1");
  Put(engine_, Table::kMessages, "c", "3");
  const auto view = engine_.OpenView();
  const std::vector<std::string> keys{"c", "b", "a", "c"};
  const auto values = view->MultiGet(Table::kMessages, keys);
  ASSERT_TRUE(values);
  EXPECT_THAT(*values, testing::ElementsAre("3", std::nullopt, "1", "3"));
  EXPECT_TRUE(view->MultiGet(Table::kMessages, {})->empty());
}

TEST_P(EngineConformance, ViewSeesTheMomentItWasOpened) {
  Put(engine_, Table::kAcl, "kept", "old");
  Put(engine_, Table::kAcl, "erased", "old");
  const auto view = engine_.OpenView();
  Batch batch;
  batch.Put(Table::kAcl, "kept", "new");
  batch.Put(Table::kAcl, "added", "new");
  batch.Erase(Table::kAcl, "erased");
  ASSERT_TRUE(engine_.Apply(batch, Durability::kNow));

  EXPECT_EQ(Scan(*view, Table::kAcl), (Rows{{"erased", "old"}, {"kept", "old"}}));
  EXPECT_EQ(view->Get(Table::kAcl, "kept").value(), "old");
  EXPECT_EQ(view->MultiGet(Table::kAcl, std::vector<std::string>{"added"}).value().front(), std::nullopt);
  EXPECT_EQ(Scan(*engine_.OpenView(), Table::kAcl), (Rows{{"added", "new"}, {"kept", "new"}}));
}

TEST_P(EngineConformance, EmptyBatchIsFine) {
  EXPECT_TRUE(engine_.Apply(Batch(), Durability::kNow));
  EXPECT_TRUE(engine_.Apply(Batch(), Durability::kBeforeNext));
}

TEST_P(EngineConformance, RowsOverTheLimitsAreRefusedWithTheirBatch) {
  using storage::kv::kMaxRowBytes;
  struct Case {
    std::string key;
    std::string value;
    Errc refusal;
  };
  for (const auto& bad : {Case{"", "v", Errc::kInvalidArgument}, Case{"k", "", Errc::kInvalidArgument},
                          Case{"k", std::string(kMaxRowBytes, 'x'), Errc::kTooBig}}) {
    Batch batch;
    batch.Put(Table::kBodies, "good", "v");
    batch.Put(Table::kBodies, bad.key, bad.value);
    const auto applied = engine_.Apply(batch, Durability::kNow);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, bad.refusal);
    EXPECT_EQ(Get(engine_, Table::kBodies, "good"), "absent");
  }
  Put(engine_, Table::kBodies, "k", std::string(kMaxRowBytes - 1, 'x'));
  EXPECT_EQ(Get(engine_, Table::kBodies, "k").size(), kMaxRowBytes - 1);
}

TEST_P(EngineConformance, ConcurrentReadersNeverSeeHalfABatch) {
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 500; ++i) {
      Batch batch;
      batch.Put(Table::kFolders, "a", std::to_string(i));
      batch.Put(Table::kStates, "b", std::to_string(i));
      EXPECT_TRUE(engine_.Apply(batch, Durability::kBeforeNext));
    }
    done = true;
  });
  while (!done) {
    const auto view = engine_.OpenView();
    EXPECT_EQ(view->Get(Table::kFolders, "a").value(), view->Get(Table::kStates, "b").value());
  }
  writer.join();
}

TEST_P(EngineConformance, SixteenWritersLoseNothing) {
  constexpr int kWriters = 16;
  constexpr int kBatches = 50;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([this, w] {
      for (int i = 0; i < kBatches; ++i) {
        const auto key = std::to_string(w) + "/" + std::to_string(i);
        Put(engine_, Table::kMessages, key, key, i % 2 ? Durability::kNow : Durability::kBeforeNext);
        EXPECT_EQ(Get(engine_, Table::kMessages, key), key);  // a writer reads what it wrote
      }
    });
  }
  for (auto& writer : writers) writer.join();
  const auto rows = Scan(*engine_.OpenView(), Table::kMessages);
  EXPECT_EQ(rows.size(), kWriters * kBatches);
  EXPECT_TRUE(std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.first == row.second; }));
}

TEST_P(EngineConformance, BigScanReturnsEveryRowOnce) {
  constexpr int kRows = 20'000;
  for (int i = 0; i < kRows; i += 1000) {
    Batch batch;
    for (int j = i; j < i + 1000; ++j)
      batch.Put(Table::kMessages, std::to_string(100'000 + j), std::string(300, 'x'));
    ASSERT_TRUE(engine_.Apply(batch, Durability::kBeforeNext));
  }
  const auto rows = Scan(*engine_.OpenView(), Table::kMessages);
  ASSERT_EQ(rows.size(), kRows);
  for (int i = 0; i < kRows; ++i)
    ASSERT_EQ(rows[static_cast<std::size_t>(i)].first, std::to_string(100'000 + i));
}

TEST_P(EngineConformance, ApproximateBytesFollowsTheTable) {
  EXPECT_EQ(engine_.ApproximateBytes(Table::kTexts, "", ""), 0U);
  for (int i = 0; i < 200; ++i)
    Put(engine_, Table::kTexts, std::to_string(i), std::string(10'000, 'x'), Durability::kBeforeNext);
  EXPECT_GT(engine_.ApproximateBytes(Table::kTexts, "", ""), 100'000U);
}

TEST_P(EngineConformance, WhoMayNotWaitChangesNothing) {
  Put(engine_, Table::kFolders, "key", "before");
  Batch batch;
  batch.Put(Table::kFolders, "key", "after");
  {
    const storage::MemoryOnly here;
    EXPECT_EQ(Get(engine_, Table::kFolders, "key"), "before");
    EXPECT_EQ(engine_.OpenView()->Get(Table::kFolders, "nothing").value(), std::nullopt);
    EXPECT_FALSE(here.FellShort()) << "it is all in memory";
    const auto applied = engine_.Apply(batch, Durability::kNow);
    ASSERT_FALSE(applied);
    EXPECT_EQ(applied.error().code, Errc::kUnavailable);
    EXPECT_TRUE(here.FellShort());
  }
  EXPECT_EQ(Get(engine_, Table::kFolders, "key"), "before");
  EXPECT_TRUE(engine_.Apply(batch, Durability::kNow));
  EXPECT_EQ(Get(engine_, Table::kFolders, "key"), "after");
}

TEST_P(EngineConformance, StatisticsHaveStableDistinctNames) {
  std::set<std::string> names;
  for (const auto& [name, value] : engine_.Stats()) {
    EXPECT_THAT(name, testing::MatchesRegex("[a-z][a-z0-9_]*"));
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_FALSE(names.empty());
}

/// Random batches and scans against a std::map per table.
inline void BehavesLikeAMap(Engine& engine, const std::string& account) {
  using Model = std::map<Table, std::map<std::string, std::string>>;
  const auto tables = rc::gen::element(Table::kFolders, Table::kStates, Table::kBodies);
  // Few octets, so that keys meet and prefixes nest.
  const auto keys = rc::gen::map(rc::gen::container<std::string>(rc::gen::element('\0', 'a', '\xff')),
                                 [&](const std::string& tail) { return account + tail; });
  Model model;
  std::vector<std::pair<std::unique_ptr<View>, Model>> views;
  const auto check = [&](const View& view, const Model& expected, Table table) {
    const auto first = *keys;
    const auto end = *rc::gen::weightedOneOf<std::string>(
        {{1, rc::gen::just(storage::kv::PrefixEnd(account))}, {3, keys}});
    Rows rows;
    const auto found = expected.find(table);
    if (found != expected.end() && first < end) {
      rows.assign(found->second.lower_bound(first), found->second.lower_bound(end));
    }
    RC_ASSERT(Scan(view, table, first, end) == rows);
  };

  const int steps = *rc::gen::inRange(1, 30);
  for (int step = 0; step < steps; ++step) {
    Batch batch;
    const int writes = *rc::gen::inRange(0, 8);
    for (int i = 0; i < writes; ++i) {
      const auto table = *tables;
      const auto key = *keys;
      if (*rc::gen::weightedElement<bool>({{3, true}, {1, false}})) {
        const auto value = *rc::gen::nonEmpty(rc::gen::string<std::string>());
        batch.Put(table, key, value);
        model[table][key] = value;
      } else {
        batch.Erase(table, key);
        model[table].erase(key);
      }
    }
    RC_ASSERT(engine.Apply(batch, Durability::kBeforeNext).has_value());
    if (*rc::gen::arbitrary<bool>()) views.emplace_back(engine.OpenView(), model);
    check(*engine.OpenView(), model, *tables);
    for (const auto& [view, as_of] : views) check(*view, as_of, *tables);
  }
}

TEST_P(EngineConformance, BehavesLikeAMapOfSortedKeys) {
  // Each run has a range of its own, since opening a store for each takes too long.
  int run = 0;
  EXPECT_TRUE(rc::check([&] { BehavesLikeAMap(engine_, "run" + std::to_string(1'000'000 + ++run) + "/"); }));
}

}  // namespace tests
