// Who is connected, over several reactors.
#include "server/sessions/session_list.h"

#include <array>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace server::sessions {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A connection that does nothing until its loop ends.
class FakeSession final : public ListedSession {
 public:
  FakeSession(SessionList& list, asio::any_io_executor executor, std::uint64_t id, bool& kicked)
      : list_(list), executor_(std::move(executor)), id_(id), kicked_(kicked) {
    list_.Enter(*this, executor_);
  }
  ~FakeSession() { list_.Leave(*this, executor_); }
  SessionInfo Info() const override {
    SessionInfo info;
    info.id = id_;
    return info;
  }
  void Kick() override { kicked_ = true; }

 private:
  SessionList& list_;
  asio::any_io_executor executor_;
  const std::uint64_t id_;
  bool& kicked_;
};

class SessionListTest : public testing::Test {
 protected:
  SessionListTest() {
    for (auto& reactor : reactors_) {
      reactor = std::make_unique<asio::io_context>(1);
      list_.Add(*reactor);
    }
  }

  /// Session `id` lives on a reactor until that dies.
  void Connect(std::size_t reactor, std::uint64_t id) {
    const auto live = [this](std::uint64_t number) -> asio::awaitable<void> {
      const auto executor = co_await asio::this_coro::executor;
      const FakeSession session(list_, executor, number, kicked_.at(number));
      asio::steady_timer never(executor, asio::steady_timer::time_point::max());
      [[maybe_unused]] const auto [ignored] = co_await never.async_wait(kAsTuple);
    };
    asio::co_spawn(*reactors_.at(reactor), live(id), asio::detached);
    reactors_.at(reactor)->poll();
  }

  /// What `ask` gives, with all reactors at work on this thread.
  template <class Result>
  Result Await(asio::awaitable<Result> ask) {
    asio::io_context here(1);
    std::optional<Result> result;
    asio::co_spawn(here, std::move(ask),
                   [&](const std::exception_ptr&, Result got) { result = std::move(got); });
    while (!result) {
      here.restart();
      here.poll();
      for (auto& reactor : reactors_) {
        if (reactor) reactor->poll();
      }
    }
    return *std::move(result);
  }
  std::vector<std::uint64_t> Ids(std::uint64_t after, std::size_t limit, const SessionList::Filter& wanted) {
    std::vector<std::uint64_t> ids;
    for (const auto& info : Await(list_.List(after, limit, wanted))) ids.push_back(info.id);
    return ids;
  }

  const SessionList::Filter all_ = [](const SessionInfo&) { return true; };
  std::array<bool, 10> kicked_{};
  SessionList list_;
  std::array<std::unique_ptr<asio::io_context>, 2> reactors_;
};

TEST_F(SessionListTest, ListsInTheOrderOfIdsWhereverTheyLive) {
  for (const auto& [reactor, id] : {std::pair(0, 5), {1, 2}, {0, 1}, {1, 4}, {0, 3}})
    Connect(static_cast<std::size_t>(reactor), static_cast<std::uint64_t>(id));
  EXPECT_THAT(Ids(0, 100, all_), ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(Ids(0, 2, all_), ElementsAre(1, 2));
  EXPECT_THAT(Ids(2, 2, all_), ElementsAre(3, 4));
  EXPECT_THAT(Ids(5, 2, all_), IsEmpty());
  EXPECT_THAT(Ids(0, 100, [](const SessionInfo& info) { return info.id % 2 == 0; }), ElementsAre(2, 4));
}

TEST_F(SessionListTest, KicksThoseThatAreWanted) {
  for (std::uint64_t id = 1; id < 5; ++id) Connect(id % 2, id);
  EXPECT_EQ(Await(list_.Kick([](const SessionInfo& info) { return info.id > 2; })), 2U);
  EXPECT_THAT(kicked_, ElementsAre(false, false, false, true, true, false, false, false, false, false));
}

TEST_F(SessionListTest, WhoDiesWithItsReactorLeaves) {
  // As at a shutdown that does not wait any longer: the frames go with their loops, one loop after the other.
  for (std::uint64_t id = 1; id < 7; ++id) Connect(id % 2, id);
  reactors_[0].reset();
  reactors_[1].reset();
}

}  // namespace
}  // namespace server::sessions
