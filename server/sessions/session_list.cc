#include "server/sessions/session_list.h"

#include <algorithm>

namespace server::sessions {

SessionList::Shard& SessionList::ShardOf(const asio::any_io_executor& executor) {
  const auto here = std::ranges::find_if(shards_, [&](const Shard& shard) {
    return shard.reactor == &asio::query(executor, asio::execution::context);
  });
  return *here;
}

void SessionList::Enter(ListedSession& session, const asio::any_io_executor& executor) {
  Shard& shard = ShardOf(executor);
  session.older_ = shard.newest;
  if (shard.newest != nullptr) shard.newest->newer_ = &session;
  shard.newest = &session;
}

void SessionList::Leave(ListedSession& session, const asio::any_io_executor& executor) {
  if (session.older_ != nullptr) session.older_->newer_ = session.newer_;
  if (session.newer_ != nullptr) {
    session.newer_->older_ = session.older_;
  } else {
    ShardOf(executor).newest = session.older_;
  }
}

asio::awaitable<void> SessionList::ForEach(const std::function<void(ListedSession&)>& visit) {
  for (Shard& shard : shards_) {
    const auto walk = [&]() -> asio::awaitable<void> {
      // A visit may end none: a kicked session leaves when it runs next.
      for (ListedSession* session = shard.newest; session != nullptr; session = session->older_)
        visit(*session);
      co_return;
    };
    co_await asio::co_spawn(*shard.reactor, walk(), asio::use_awaitable);
  }
}

asio::awaitable<std::vector<SessionInfo>> SessionList::List(std::uint64_t after, std::size_t limit,
                                                            Filter wanted) {
  const auto by_id = [](const SessionInfo& a, const SessionInfo& b) { return a.id < b.id; };
  std::vector<SessionInfo> found;  // a heap, the largest id first: no more is kept than is asked for
  const std::function<void(ListedSession&)> visit = [&](const ListedSession& session) {
    auto info = session.Info();
    if (info.id <= after || !wanted(info)) return;
    found.push_back(std::move(info));
    std::ranges::push_heap(found, by_id);
    if (found.size() <= limit) return;
    std::ranges::pop_heap(found, by_id);
    found.pop_back();
  };
  co_await ForEach(visit);
  std::ranges::sort_heap(found, by_id);
  co_return found;
}

asio::awaitable<std::size_t> SessionList::Kick(Filter wanted) {
  std::size_t kicked = 0;
  const std::function<void(ListedSession&)> visit = [&](ListedSession& session) {
    if (!wanted(session.Info())) return;
    session.Kick();
    ++kicked;
  };
  co_await ForEach(visit);
  co_return kicked;
}

}  // namespace server::sessions
