#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <thread>

#include <dirent.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/workload.h"

namespace bench {
namespace {

/// The process and all its descendants.
std::set<int> ProcessTree(int root) {
  std::multimap<int, int> children;
  DIR* proc = ::opendir("/proc");
  for (const dirent* entry = ::readdir(proc); entry != nullptr; entry = ::readdir(proc)) {
    std::ifstream file(fmt::format("/proc/{}/stat", entry->d_name));
    std::string line;
    if (!std::getline(file, line)) continue;
    std::istringstream rest(line.substr(line.rfind(')') + 1));
    std::string state;
    int parent = 0;
    if (rest >> state >> parent) children.emplace(parent, std::atoi(entry->d_name));
  }
  ::closedir(proc);
  std::set<int> found;
  std::vector<int> open = {root};
  while (!open.empty()) {
    const int pid = open.back();
    open.pop_back();
    if (!found.insert(pid).second) continue;
    for (auto [child, end] = children.equal_range(pid); child != end; ++child) open.push_back(child->second);
  }
  return found;
}

/// Proportional set size of the server's processes, in KiB.
double MemoryKib(int root) {
  double total = 0;
  for (const int pid : ProcessTree(root)) {
    std::ifstream rollup(fmt::format("/proc/{}/smaps_rollup", pid));
    for (std::string line; std::getline(rollup, line);)
      if (line.starts_with("Pss:")) total += std::atof(line.c_str() + 4);
  }
  return total;
}

constexpr Connection::Form kMany{.buffer = 4096};
constexpr Connection::Form kManyTls{.tls = true, .buffer = 4096};

std::vector<std::unique_ptr<Connection>> Open(const Options& options, int count,
                                              std::string_view command = "SELECT INBOX",
                                              Connection::Form form = kMany) {
  std::vector<std::unique_ptr<Connection>> open;
  for (int i = 0; i < count; ++i) {
    open.push_back(std::make_unique<Connection>(options.target, 1, form));
    open.back()->Must(command);
  }
  return open;
}

constexpr std::string_view kWatchAll =
    "NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))";

/// Of one kind of connection at a time, because what is given back may stay with the process.
void Memory(const Options& options, std::string_view name, std::string_view command, Connection::Form form) {
  if (options.server_pid == 0) return;
  Open(options, 20, command, form);  // what the first connections make the server allocate once is not theirs
  const double before = MemoryKib(options.server_pid);
  const auto open = Open(options, options.idle, command, form);
  Report(name, (MemoryKib(options.server_pid) - before) / options.idle, "KiB/connection");
}

void NotifyMemory(const Options& options) { Memory(options, "memory-notify", kWatchAll, kMany); }
void NotifyTlsMemory(const Options& options) { Memory(options, "memory-notify-tls", kWatchAll, kManyTls); }

void IdleMemory(const Options& options) {
  if (options.server_pid == 0) return;
  Open(options, 20);
  const double before = MemoryKib(options.server_pid);
  auto open = Open(options, options.idle);
  Report("memory-idle", (MemoryKib(options.server_pid) - before) / options.idle, "KiB/connection");
  for (auto& connection : open) {
    connection->Start("IDLE");
    if (!connection->ReadLine().starts_with("+")) throw Broken("IDLE: no continuation");
  }
  Report("memory-in-idle", (MemoryKib(options.server_pid) - before) / options.idle, "KiB/connection");
}

void Login(const Options& options) {
  constexpr int kConnections = 4;
  const double rate = Rate(options, kConnections, false, [&](Connection&, int i) {
    Connection connection(options.target, i + 1);
    connection.Start("LOGOUT");
  });
  Report("login", rate, "/s");
}

/// One append after the other reaches all sessions that idle in the folder; the time until each has heard.
void FanOut(const Options& options) {
  constexpr int kAppends = 20;
  auto watchers = Open(options, options.watchers);
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  for (std::size_t i = 0; i < watchers.size(); ++i) {
    watchers[i]->Start("IDLE");
    watchers[i]->ReadLine();
    epoll_event event{EPOLLIN, {.u64 = i}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, watchers[i]->fd(), &event);
  }
  Connection sender(options.target, 1);
  std::vector<double> delays;
  int lost = 0;
  for (int n = 0; n < kAppends; ++n) {
    std::vector<bool> heard(watchers.size(), false);
    std::size_t left = watchers.size();
    const auto start = Clock::now();
    std::jthread append([&] { sender.Append("INBOX", {Message(n)}); });
    while (left > 0 && Since(start) < 5) {
      std::array<epoll_event, 64> events;
      const int ready = ::epoll_wait(epoll, events.data(), events.size(), 1000);
      for (int e = 0; e < ready; ++e) {
        const std::size_t i = events[static_cast<std::size_t>(e)].data.u64;
        do {
          if (watchers[i]->ReadLine().ends_with(" EXISTS") && !heard[i]) {
            heard[i] = true;
            --left;
            delays.push_back(Since(start) * 1000);
          }
        } while (watchers[i]->WaitReadable(0));
      }
    }
    lost += static_cast<int>(left);
  }
  ::close(epoll);
  if (delays.empty()) throw Broken("no IDLE session heard anything");
  std::ranges::sort(delays);
  Report("idle-notice-p50", delays[delays.size() / 2], "ms");
  Report("idle-notice-p99", delays[delays.size() * 99 / 100], "ms");
  Report("idle-notice-lost", lost, "notices");
}

constexpr std::array kWorkloads = {
    Workload{"login", "LOGIN and LOGOUT, 4 at a time", Login},
    Workload{"memory", "memory of idle connections", IdleMemory},
    Workload{"memory-notify", "  that watch all of their account with NOTIFY", NotifyMemory},
    Workload{"memory-notify-tls", "  over TLS 1.3", NotifyTlsMemory},
    Workload{"fan-out", "a new message reaches all IDLE sessions in its folder", FanOut},
};

}  // namespace

std::span<const Workload> ConnectionWorkloads() { return kWorkloads; }

}  // namespace bench
