#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace server::net {

/// Counts the running connections, so that shutdown can wait for them: each holds a Task for as long as its
/// frame lives.
///
/// Lifetime   outlives its tasks.
/// Thread     any.
class TaskGroup {
 public:
  class Task {
   public:
    Task() = default;
    Task(Task&& other) noexcept : group_(std::exchange(other.group_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
      if (this != &other) {
        Leave();
        group_ = std::exchange(other.group_, nullptr);
      }
      return *this;
    }
    ~Task() { Leave(); }
    explicit operator bool() const { return group_ != nullptr; }

   private:
    friend class TaskGroup;
    explicit Task(TaskGroup* group) : group_(group) {}
    void Leave() {
      if (auto* group = std::exchange(group_, nullptr)) group->Left();
    }
    TaskGroup* group_ = nullptr;
  };

  /// Empty (false) once the group drains: start nothing new.
  Task Enter() {
    const std::lock_guard lock(mutex_);
    if (draining_) return Task();
    ++running_;
    return Task(this);
  }

  /// Refuses new tasks.
  void Close() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
  }

  /// Close(), then blocks until no task runs or `limit` has passed; true if none runs.
  bool Drain(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    draining_ = true;
    return none_.wait_for(lock, limit, [this] { return running_ == 0; });
  }

  std::size_t running() const {
    const std::lock_guard lock(mutex_);
    return running_;
  }

 private:
  void Left() {
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) none_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable none_;
  std::size_t running_ = 0;
  bool draining_ = false;
};

}  // namespace server::net
