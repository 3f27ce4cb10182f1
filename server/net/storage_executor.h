#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pthread.h>

#include "server/net/asio.h"

namespace server::net {

/// Runs blocking calls on a bounded pool of threads: one hop there, one hop back to the awaiting coroutine's
/// executor.
///
///   auto work = [&] { return store.SetFlags(folder, uids, change); };
///   auto changed = co_await storage.Run(work);
///
/// Cancellation does not abandon a job: the awaiting frame, and with it everything `work` refers to, lives
/// until the job has ended. Threads are started when first needed and then kept. A second instance with few
/// threads bounds password hashing.
///
/// Lifetime   destroyed (which finishes queued jobs and joins) before the io_contexts that its jobs return
/// to. Thread     any.
class StorageExecutor {
 public:
  struct Options {
    std::size_t threads = 64;
    std::size_t stack_bytes = 512 * 1024;  ///< the deepest calls of the store and of GMime stay well below
  };

  explicit StorageExecutor(Options options);
  StorageExecutor() : StorageExecutor(Options{}) {}
  ~StorageExecutor();
  StorageExecutor(const StorageExecutor&) = delete;
  StorageExecutor& operator=(const StorageExecutor&) = delete;

  /// Calls `work()` on the pool and returns what it returns; its exception is rethrown here. `work` is a
  /// named callable of the awaiting frame and is not copied. A result that is not void is moved out.
  /// `who`: of jobs that wait, those who sent them take turns; 0: first come, first served.
  template <class F>
  asio::awaitable<std::invoke_result_t<F&>> Run(F& work, std::uint64_t who = 0) {
    Call<F> call(work);
    call.who = who;
    co_await Hop(call);
    if (call.error) std::rethrow_exception(call.error);
    if constexpr (!std::is_void_v<std::invoke_result_t<F&>>) co_return std::move(*call.result);
  }

  /// Jobs that wait for a thread right now.
  std::size_t queued() const;
  /// Of these, those of one who takes turns.
  std::size_t queued(std::uint64_t who) const;
  /// Jobs that wait, run, or have ended and not yet posted their completion. When this is zero, whatever the
  /// pool still has to say is in its callers' contexts: a test may know that nothing is left to do.
  std::size_t busy() const;

 private:
  struct Continuation;
  struct Job {
    Job() = default;
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;
    virtual void Perform() noexcept = 0;

    Job* next = nullptr;
    Continuation* continuation = nullptr;
    std::uint64_t who = 0;
    std::uint64_t turn = 0;  ///< never less than that of the job before it in the queue

   protected:
    ~Job() = default;
  };

  template <class F>
  struct Call final : Job {
    using Value = std::invoke_result_t<F&>;
    using Stored = std::conditional_t<std::is_void_v<Value>, bool, Value>;

    explicit Call(F& f) : work(f) {}
    void Perform() noexcept override {
      try {
        if constexpr (std::is_void_v<Value>) {
          work();
        } else {
          result.emplace(work());
        }
      } catch (...) {
        error = std::current_exception();
      }
    }

    F& work;
    std::optional<Stored> result;
    std::exception_ptr error;
  };

  /// Queues `job`, which stays the caller's; returns on the caller's executor when it has been performed.
  asio::awaitable<void> Hop(Job& job);
  void Enqueue(Job& job);
  void Insert(Job& job);
  void StartThread();
  void Work();

  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  std::uint64_t turn_ = 0;  ///< of the last job that began
  struct Waiting {
    std::uint64_t turn = 0;  ///< of the last job
    std::size_t jobs = 0;
  };
  std::unordered_map<std::uint64_t, Waiting> waiting_;  ///< by who sent them
  std::size_t queued_ = 0;
  std::size_t busy_ = 0;
  std::size_t idle_ = 0;
  bool stopping_ = false;
  std::vector<pthread_t> threads_;
};

}  // namespace server::net
