#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "server/clock.h"
#include "server/net/asio.h"
#include "server/net/stream.h"

namespace server::net {

/// One thread's event loop and the streams that live on it.
///
/// Deadlines have no timer of their own: once a second Sweep() looks at every stream, which for ten thousand
/// of them is cheaper than a timer queue that every command would touch.
///
/// Lifetime   outlives its streams; Waker and StorageExecutor completions must have ended.
/// Thread     the loop's, save for context() and what says otherwise.
class Reactor {
 public:
  /// `clock` outlives the reactor.
  explicit Reactor(const Clock& clock);
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  /// Any thread may post to it.
  asio::io_context& context() { return context_; }
  const Clock& clock() const { return clock_; }

  /// Wakes what is past its deadline by the clock. The loop of Start() calls it; tests do so themselves.
  void Sweep();
  /// Starts the once-a-second loop of Sweep(); without it the context runs dry when nothing is left to do.
  void StartSweeping();
  void StopSweeping();

  /// From now on WaitReadable() of every stream, present and future, returns kShutdown.
  void Shutdown();
  bool shutting_down() const { return shutdown_; }
  /// Closes every stream: whoever waits on one sees kClosed or a failed write.
  void CloseAll();

  /// Any thread.
  std::size_t stream_count() const { return stream_count_.load(std::memory_order_relaxed); }

 private:
  friend struct Stream::State;
  asio::awaitable<void> SweepLoop();

  const Clock& clock_;
  bool sweeping_ = false;
  bool shutdown_ = false;
  Stream::State* first_ = nullptr;  ///< intrusive list, newest first
  std::atomic<std::size_t> stream_count_{0};
  // After the list: frames that still wait die with the context, and their streams leave the list.
  asio::io_context context_;
  asio::steady_timer sweep_timer_;
};

/// The reactors of a process, one thread each.
class ReactorPool {
 public:
  ReactorPool(std::size_t reactors, const Clock& clock);
  /// Stop() and joins.
  ~ReactorPool();

  void Start();
  /// Ends the loops after what they are doing right now and joins; handlers not yet run are destroyed with
  /// the pool.
  void Stop();

  std::size_t size() const { return reactors_.size(); }
  Reactor& operator[](std::size_t i) { return *reactors_[i]; }
  /// The one with the fewest streams.
  Reactor& LeastLoaded();

  /// Shutdown() on every reactor, on its own thread.
  void Shutdown();
  /// CloseAll() likewise.
  void CloseAll();

 private:
  std::vector<std::unique_ptr<Reactor>> reactors_;
  std::vector<std::thread> threads_;
};

}  // namespace server::net
