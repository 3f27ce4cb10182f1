#include "server/net/storage_executor.h"

#include <algorithm>
#include <csignal>
#include <memory>
#include <system_error>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>

namespace server::net {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t kStackFactor = 8;  // red zones
#else
constexpr std::size_t kStackFactor = 1;
#endif
#else
constexpr std::size_t kStackFactor = 1;
#endif

}  // namespace

/// The way back: resumes the awaiting coroutine on its executor.
struct StorageExecutor::Continuation {
  Continuation() = default;
  Continuation(const Continuation&) = delete;
  Continuation& operator=(const Continuation&) = delete;
  virtual ~Continuation() = default;
  virtual void Resume() = 0;

  template <class Handler>
  struct Of;
};

template <class Handler>
struct StorageExecutor::Continuation::Of final : Continuation {
  explicit Of(Handler&& h) : handler(std::move(h)), guard(asio::make_work_guard(handler)) {}
  void Resume() override { asio::post(guard.get_executor(), std::move(handler)); }

  Handler handler;
  asio::executor_work_guard<asio::associated_executor_t<Handler>> guard;
};

StorageExecutor::StorageExecutor(Options options) : options_(options) { threads_.reserve(options_.threads); }

StorageExecutor::~StorageExecutor() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (const pthread_t thread : threads_) ::pthread_join(thread, nullptr);
}

std::size_t StorageExecutor::queued() const {
  const std::lock_guard lock(mutex_);
  return queued_;
}

std::size_t StorageExecutor::queued(std::uint64_t who) const {
  const std::lock_guard lock(mutex_);
  const auto found = waiting_.find(who);
  return found == waiting_.end() ? 0 : found->second.jobs;
}

std::size_t StorageExecutor::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

asio::awaitable<void> StorageExecutor::Hop(Job& job) {
  const auto start = [this, &job](auto&& handler) {
    using Handler = std::decay_t<decltype(handler)>;
    job.continuation = new Continuation::Of<Handler>(std::move(handler));
    Enqueue(job);
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void()>(start, asio::use_awaitable);
}

void StorageExecutor::Enqueue(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    Insert(job);
    ++queued_;
    ++busy_;
    if (idle_ < queued_ && threads_.size() < options_.threads) StartThread();
  }
  wake_.notify_one();
}

/// A job's turn is the one after its sender's last, or the next one: whoever has many waits for them, and
/// nobody else does.
void StorageExecutor::Insert(Job& job) {
  job.turn = last_ ? last_->turn : turn_;
  if (job.who != 0) {
    Waiting& waiting = waiting_[job.who];
    job.turn = std::max(turn_, waiting.turn) + 1;
    waiting.turn = job.turn;
    ++waiting.jobs;
  }
  Job** at = last_ != nullptr && last_->turn <= job.turn ? &last_->next : &first_;
  while (*at != nullptr && (*at)->turn <= job.turn) at = &(*at)->next;
  job.next = *at;
  *at = &job;
  if (job.next == nullptr) last_ = &job;
}

void StorageExecutor::StartThread() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, options_.stack_bytes * kStackFactor);
  // Signals belong to the reactors.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto run = [](void* self) -> void* {
    static_cast<StorageExecutor*>(self)->Work();
    return nullptr;
  };
  pthread_t thread{};
  const int error = ::pthread_create(&thread, &attributes, run, this);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  if (error == 0) {
    threads_.push_back(thread);
  } else if (threads_.empty()) {
    throw std::system_error(error, std::generic_category(), "no thread for the storage pool");
  }
}

void StorageExecutor::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    wake_.wait(lock, [this] { return first_ || stopping_; });
    --idle_;
    if (!first_) return;
    Job* job = first_;
    first_ = job->next;
    if (!first_) last_ = nullptr;
    turn_ = job->turn;
    if (job->who != 0 && --waiting_[job->who].jobs == 0) waiting_.erase(job->who);
    --queued_;
    lock.unlock();
    const std::unique_ptr<Continuation> continuation(job->continuation);
    job->Perform();
    continuation->Resume();  // from here on the job may be gone
    lock.lock();
    --busy_;
  }
}

}  // namespace server::net
