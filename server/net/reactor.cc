#include "server/net/reactor.h"

#include <algorithm>
#include <csignal>

#include "server/net/stream_state.h"

namespace server::net {

Reactor::Reactor(const Clock& clock)
    : clock_(clock), context_(/*concurrency_hint=*/1), sweep_timer_(context_) {}

void Reactor::Sweep() {
  const auto now = clock_.Now();
  for (auto* stream = first_; stream; stream = stream->next) stream->Expire(now);
}

void Reactor::StartSweeping() {
  sweeping_ = true;
  asio::co_spawn(context_, SweepLoop(), asio::detached);
}

void Reactor::StopSweeping() {
  sweeping_ = false;
  sweep_timer_.cancel();
}

asio::awaitable<void> Reactor::SweepLoop() {
  while (sweeping_) {
    sweep_timer_.expires_after(std::chrono::seconds(1));
    [[maybe_unused]] const auto [error] = co_await sweep_timer_.async_wait(kAsTuple);
    Sweep();
  }
}

void Reactor::Shutdown() {
  shutdown_ = true;
  for (auto* stream = first_; stream; stream = stream->next) stream->Shutdown();
}

void Reactor::CloseAll() {
  for (auto* stream = first_; stream; stream = stream->next) stream->Close();
}

ReactorPool::ReactorPool(std::size_t reactors, const Clock& clock) {
  // SSL_write() has no MSG_NOSIGNAL: a peer that is gone must be an error, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  for (std::size_t i = 0; i < std::max<std::size_t>(reactors, 1); ++i)
    reactors_.push_back(std::make_unique<Reactor>(clock));
}

ReactorPool::~ReactorPool() { Stop(); }

void ReactorPool::Start() {
  for (auto& reactor : reactors_) {
    reactor->StartSweeping();
    threads_.emplace_back([&reactor = *reactor] { reactor.context().run(); });
  }
}

void ReactorPool::Stop() {
  for (auto& reactor : reactors_) reactor->context().stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

Reactor& ReactorPool::LeastLoaded() {
  const auto load = [](const auto& reactor) { return reactor->stream_count(); };
  return **std::ranges::min_element(reactors_, {}, load);
}

void ReactorPool::Shutdown() {
  for (auto& reactor : reactors_)
    asio::post(reactor->context(), [&reactor = *reactor] { reactor.Shutdown(); });
}

void ReactorPool::CloseAll() {
  for (auto& reactor : reactors_)
    asio::post(reactor->context(), [&reactor = *reactor] { reactor.CloseAll(); });
}

}  // namespace server::net
