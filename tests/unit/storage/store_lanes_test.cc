#include <atomic>
#include <new>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "storage/kv/memory_engine.h"
#include "storage/store/account_lanes.h"
#include "tests/support/store_access.h"

namespace tests {
namespace {

using storage::AccountLanes;
using storage::AccountTxn;
using storage::Errc;
using storage::Result;
namespace kv = storage::kv;

/// Runs out of memory when it is told to.
class ThrowingEngine final : public kv::Engine {
 public:
  std::unique_ptr<kv::View> OpenView() override { return under_->OpenView(); }
  Result<std::optional<std::string>> Get(kv::Table table, std::string_view key) override {
    return under_->Get(table, key);
  }
  Result<> Apply(const kv::Batch& batch, kv::Durability durability) override {
    if (throwing) throw std::bad_alloc();
    return under_->Apply(batch, durability);
  }
  std::uint64_t ApproximateBytes(kv::Table, std::string_view, std::string_view) override { return 0; }
  std::vector<kv::Statistic> Stats() override { return {}; }

  std::atomic<bool> throwing = false;

 private:
  std::unique_ptr<kv::Engine> under_ = kv::NewMemoryEngine();
};

TEST(AccountLanesTest, ExceptionIsEveryWaitersErrorAndTheLaneGoesOn) {
  ThrowingEngine engine;
  storage::ChangeFeed feed;
  AccountLanes lanes(engine, feed, [] { return std::int64_t{0}; });
  const auto run_all = [&](AccountLanes::Sharing sharing) {
    constexpr int kThreads = 8;
    std::vector<Result<>> results(kThreads);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        const auto put = [&](AccountTxn& txn) -> Result<> {
          txn.Put(kv::Table::kMeta, std::to_string(t), "x");
          return {};
        };
        results[t] = lanes.Run(storage::AccountId{1}, put, sharing);
      });
    }
    for (auto& thread : threads) thread.join();
    return results;
  };
  for (const auto sharing : {AccountLanes::Sharing::kShared, AccountLanes::Sharing::kSolo}) {
    engine.throwing = true;
    for (const auto& result : run_all(sharing)) EXPECT_EQ(ErrorOf(result), Errc::kUnavailable);
    engine.throwing = false;
    for (const auto& result : run_all(sharing)) EXPECT_EQ(ErrorOf(result), std::nullopt);
  }
}

TEST(AccountLanesTest, OperationThatThrowsDoesNotTakeOthersAlong) {
  ThrowingEngine engine;
  storage::ChangeFeed feed;
  AccountLanes lanes(engine, feed, [] { return std::int64_t{0}; });
  EXPECT_EQ(
      ErrorOf(lanes.Run(storage::AccountId{1}, [](AccountTxn&) -> Result<> { throw std::bad_alloc(); })),
      Errc::kUnavailable);
  EXPECT_TRUE(lanes.Run(storage::AccountId{1}, [](AccountTxn&) -> Result<> { return {}; }));
}

}  // namespace
}  // namespace tests
