// Preloaded into a server (LD_PRELOAD), it makes the disk slow: each sync takes SLOW_SYNC_US microseconds
// more. So the cost of a sync, and how many writers share one, can be measured on a machine with a fast disk.
#include <cstdlib>

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace {

int AfterPause(long call, int fd) {
  static const long pause = [] {
    const char* given = std::getenv("SLOW_SYNC_US");
    return given == nullptr ? 0L : std::atol(given);
  }();
  const timespec wait{pause / 1'000'000, pause % 1'000'000 * 1000};
  ::nanosleep(&wait, nullptr);
  return static_cast<int>(::syscall(call, fd));
}

}  // namespace

extern "C" {
int fsync(int fd) { return AfterPause(SYS_fsync, fd); }
int fdatasync(int fd) { return AfterPause(SYS_fdatasync, fd); }
}
