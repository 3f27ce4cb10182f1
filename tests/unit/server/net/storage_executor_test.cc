#include "server/net/storage_executor.h"

#include <atomic>
#include <latch>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include "server/net/task_group.h"
#include "server/short_read.h"
#include "tests/unit/server/net/stream_fixture.h"

namespace server_test {
namespace {

using namespace std::chrono_literals;
using server::net::StorageExecutor;
using server::net::TaskGroup;

class StorageExecutorTest : public ReactorTest {
 protected:
  template <class F>
  auto RunOnPool(StorageExecutor& executor, F work) {
    const auto call = [&]() -> server::asio::awaitable<std::invoke_result_t<F&>> {
      auto result = co_await executor.Run(work);
      co_return result;
    };
    return Run(call());
  }
};

TEST_F(StorageExecutorTest, ResultsComeBackToTheCallersThread) {
  StorageExecutor executor({.threads = 2});
  const auto here = std::this_thread::get_id();
  std::thread::id there;
  std::thread::id after;
  const auto call = [&]() -> server::asio::awaitable<int> {
    auto work = [&] {
      there = std::this_thread::get_id();
      return 42;
    };
    const int result = co_await executor.Run(work);
    after = std::this_thread::get_id();
    co_return result;
  };
  EXPECT_EQ(Run(call()), 42);
  EXPECT_NE(there, here);
  EXPECT_EQ(after, here);
}

TEST_F(StorageExecutorTest, AShortReadIsMadeHereIfNothingIsToBeWaitedFor) {
  StorageExecutor executor({.threads = 1});
  std::vector<std::thread::id> threads;
  bool in_memory = true;
  const auto call = [&]() -> server::asio::awaitable<std::size_t> {
    auto work = [&] {
      threads.push_back(std::this_thread::get_id());
      if (!in_memory) storage::MemoryOnly::Forbids();
      return threads.size();
    };
    const auto result = co_await server::RunShort(executor, work);
    co_return result;
  };
  const auto here = std::this_thread::get_id();
  EXPECT_EQ(Run(call()), 1U);
  EXPECT_EQ(threads, std::vector{here});

  in_memory = false;
  EXPECT_EQ(Run(call()), 3U);
  ASSERT_EQ(threads.size(), 3U);
  EXPECT_EQ(threads[1], here);
  EXPECT_NE(threads[2], here);
  EXPECT_FALSE(storage::MemoryOnly::Holds());
}

TEST_F(StorageExecutorTest, AShortReadThatThrowsLeavesTheThreadAsItWas) {
  StorageExecutor executor({.threads = 1});
  const auto call = [&]() -> server::asio::awaitable<bool> {
    auto work = []() -> bool { throw std::runtime_error("broken"); };
    const bool result = co_await server::RunShort(executor, work);
    co_return result;
  };
  EXPECT_THROW(Run(call()), std::runtime_error);
  EXPECT_FALSE(storage::MemoryOnly::Holds());
}

TEST_F(StorageExecutorTest, MoveOnlyResultsAreMoved) {
  StorageExecutor executor({.threads = 1});
  const auto result = RunOnPool(executor, [] { return std::make_unique<std::string>("a body"); });
  EXPECT_EQ(*result, "a body");
}

TEST_F(StorageExecutorTest, WorkWithoutAResultIsAwaitedToo) {
  StorageExecutor executor({.threads = 1});
  bool done = false;
  const auto call = [&]() -> server::asio::awaitable<bool> {
    auto work = [&] { done = true; };
    co_await executor.Run(work);
    co_return done;
  };
  EXPECT_TRUE(Run(call()));
}

TEST_F(StorageExecutorTest, ExceptionsReachTheCaller) {
  StorageExecutor executor({.threads = 1});
  EXPECT_THROW(RunOnPool(executor, []() -> int { throw std::runtime_error("disk"); }), std::runtime_error);
}

TEST_F(StorageExecutorTest, JobsRunAtOnceUpToTheNumberOfThreads) {
  constexpr int kThreads = 4;
  StorageExecutor executor({.threads = kThreads});
  std::latch all(kThreads);
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  const auto one = [&]() -> server::asio::awaitable<int> {
    auto work = [&] {
      const int now = ++running;
      for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
      }
      all.arrive_and_wait();  // ends only if all threads come here
      --running;
      return 0;
    };
    const int result = co_await executor.Run(work);
    co_return result;
  };
  for (int i = 0; i < kThreads; ++i) Spawn(one());
  Finish();
  EXPECT_EQ(most, kThreads);
}

TEST_F(StorageExecutorTest, MoreJobsThanThreadsWaitTheirTurn) {
  StorageExecutor executor({.threads = 2});
  std::atomic<int> running = 0;
  std::atomic<bool> over = false;
  std::atomic<int> done = 0;
  const auto one = [&]() -> server::asio::awaitable<int> {
    auto work = [&] {
      if (++running > 2) over = true;
      std::this_thread::yield();
      --running;
      return ++done;
    };
    const int result = co_await executor.Run(work);
    co_return result;
  };
  for (int i = 0; i < 200; ++i) Spawn(one());
  Finish();
  EXPECT_EQ(done, 200);
  EXPECT_FALSE(over);
  EXPECT_EQ(executor.queued(), 0U);
}

TEST_F(StorageExecutorTest, ThoseWhoWaitTakeTurns) {
  StorageExecutor executor({.threads = 1});
  std::latch started(1);
  std::latch go_on(1);
  std::string order;
  const auto block = [&]() -> server::asio::awaitable<int> {
    auto work = [&] {
      started.count_down();
      go_on.wait();
      return 0;
    };
    const int result = co_await executor.Run(work);
    co_return result;
  };
  const auto one = [&](std::uint64_t who, char name) -> server::asio::awaitable<int> {
    auto work = [&] {
      order += name;
      return 0;
    };
    const int result = co_await executor.Run(work, who);
    co_return result;
  };
  Spawn(block());
  // Their frames run up to their jobs, one after the other.
  for (const auto& [who, name] :
       {std::pair{7, 'a'}, {7, 'b'}, {7, 'c'}, {7, 'd'}, {8, 'e'}, {8, 'f'}, {9, 'g'}})
    Spawn(one(static_cast<std::uint64_t>(who), name));
  std::thread opener([&] {
    started.wait();
    while (executor.queued() < 7) std::this_thread::yield();
    EXPECT_EQ(executor.queued(7), 4U);
    EXPECT_EQ(executor.queued(8), 2U);
    EXPECT_EQ(executor.queued(1), 0U);
    go_on.count_down();
  });
  Finish();
  opener.join();
  EXPECT_EQ(order, "aegbfcd");
}

TEST_F(StorageExecutorTest, CancellationDoesNotAbandonARunningJob) {
  StorageExecutor executor({.threads = 1});
  std::latch started(1);
  std::latch go_on(1);
  bool result_used = false;
  const auto call = [&]() -> server::asio::awaitable<void> {
    auto work = [&, owned = std::string(1000, 'x')] {
      started.count_down();
      go_on.wait();
      return owned.size();  // the frame that owns `work` must still be there
    };
    const auto size = co_await executor.Run(work);
    result_used = size == 1000;
  };
  server::asio::cancellation_signal cancel;
  server::asio::co_spawn(reactor_.context(), call(),
                         server::asio::bind_cancellation_slot(cancel.slot(), server::asio::detached));
  Turn();
  started.wait();
  cancel.emit(server::asio::cancellation_type::all);
  Turn();
  go_on.count_down();
  Finish();
  EXPECT_TRUE(result_used);
}

TEST_F(StorageExecutorTest, DestructionFinishesQueuedJobs) {
  std::atomic<int> done = 0;
  {
    StorageExecutor executor({.threads = 1});
    const auto one = [&]() -> server::asio::awaitable<int> {
      auto work = [&] { return ++done; };
      const int result = co_await executor.Run(work);
      co_return result;
    };
    for (int i = 0; i < 20; ++i) Spawn(one());
    Turn();
  }
  EXPECT_EQ(done, 20);
  Finish();
}

TEST(TaskGroupTest, DrainWaitsForRunningTasksAndRefusesNewOnes) {
  TaskGroup group;
  auto task = group.Enter();
  ASSERT_TRUE(task);
  EXPECT_FALSE(group.Drain(0ms));
  EXPECT_FALSE(group.Enter());
  std::thread worker([moved = std::move(task)]() mutable { const auto last = std::move(moved); });
  EXPECT_TRUE(group.Drain(10min));
  worker.join();
  EXPECT_EQ(group.running(), 0U);
}

}  // namespace
}  // namespace server_test
