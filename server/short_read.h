#pragma once

#include <cstdint>
#include <type_traits>

#include "server/net/asio.h"
#include "server/net/storage_executor.h"
#include "storage/memory_only.h"

namespace server {

/// For what goes on, when it is called again on the storage pool, where it had to stop for want of memory.
template <class F>
std::invoke_result_t<F&> TryHere(F&& work) {
  const storage::MemoryOnly here;
  return work();
}

/// StorageExecutor::Run() for a few rows that are mostly in memory: `work` is tried in this thread, and if
/// that falls short, called again on the storage pool. Two turns of threads take longer than such a read.
/// `work` starts anew each time it is called, and changes nothing before it has read what it reads. `who`: as
/// of Run().
template <class F>
asio::awaitable<std::invoke_result_t<F&>> RunShort(net::StorageExecutor& storage, F& work,
                                                   std::uint64_t who = 0) {
  {
    const storage::MemoryOnly here;
    auto result = work();
    if (!here.FellShort()) co_return result;
  }
  auto result = co_await storage.Run(work, who);
  co_return result;
}

}  // namespace server
