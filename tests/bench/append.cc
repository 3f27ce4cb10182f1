#include <array>

#include <fmt/format.h>

#include "tests/bench/workload.h"

namespace bench {
namespace {

/// Appends of 2 KiB, each connection to an own account, or all to one folder.
void Append(const Options& options, std::string_view name, int connections, bool one_folder) {
  for (int i = 1; i <= (one_folder ? 1 : connections); ++i) {
    Connection connection(options.target, i);
    connection.Run("DELETE bench-append");
    connection.Must("CREATE bench-append");
  }
  const std::vector<std::string> message = {Message(1)};
  const double rate = Rate(options, connections, one_folder,
                           [&](Connection& connection, int) { connection.Append("bench-append", message); });
  Report(name, rate, "/s");
}

void Append1(const Options& o) { Append(o, "append-1", 1, false); }
void Append16(const Options& o) { Append(o, "append-16", 16, false); }
void Append64(const Options& o) { Append(o, "append-64", 64, false); }
void AppendOneFolder(const Options& o) { Append(o, "append-16-one-folder", 16, true); }

void MultiAppend(const Options& options) {
  constexpr int kConnections = 4;
  constexpr int kBatch = 100;
  std::vector<std::string> batch;
  for (int i = 0; i < kBatch; ++i) batch.push_back(Message(i));
  for (int i = 1; i <= kConnections; ++i) {
    Connection connection(options.target, i);
    connection.Run("DELETE bench-multi");
    connection.Must("CREATE bench-multi");
  }
  const double rate = Rate(options, kConnections, false,
                           [&](Connection& connection, int) { connection.Append("bench-multi", batch); });
  Report("multiappend-4", rate * kBatch, "/s");
}

void AppendLarge(const Options& options, std::string_view name, std::size_t size) {
  constexpr int kConnections = 4;
  const std::vector<std::string> message = {Message(1, size)};
  for (int i = 1; i <= kConnections; ++i) {
    Connection connection(options.target, i);
    connection.Run("DELETE bench-large");
    connection.Must("CREATE bench-large");
  }
  const double rate = Rate(options, kConnections, false,
                           [&](Connection& connection, int) { connection.Append("bench-large", message); });
  Report(name, rate * static_cast<double>(size) / 1e6, "MB/s");
  for (int i = 1; i <= kConnections; ++i) Connection(options.target, i).Must("DELETE bench-large");
}

void Append1M(const Options& o) { AppendLarge(o, "append-1M", 1 << 20); }
void Append10M(const Options& o) { AppendLarge(o, "append-10M", 10 << 20); }

/// The cost of an APPEND must not grow with the folder: one connection, folders of 100 and of `large`
/// messages. The small one is twenty, taken in turn, so that it stays small while we append.
void AppendByFolderSize(const Options& options) {
  constexpr unsigned kSmallFolders = 20;
  constexpr int kSmall = 100;
  Connection connection(options.target, 1);
  std::vector<std::string> small;
  for (unsigned i = 0; i < kSmallFolders; ++i) {
    small.push_back(fmt::format("bench-in-small-{}", i));
    Prepare(connection, small.back(), kSmall);
  }
  // Grown by an earlier run of this workload, but still a large folder: good enough.
  if (!connection.Run("STATUS bench-in-large (UIDNEXT)").ok)
    Prepare(connection, "bench-in-large", options.large);
  const std::vector<std::string> message = {Message(1)};
  unsigned next = 0;
  const double in_small = Rate(
      options, 1, true, [&](Connection& one, int) { one.Append(small[next++ % kSmallFolders], message); });
  Report("append-in-100", in_small, "/s");
  const double in_large =
      Rate(options, 1, true, [&](Connection& one, int) { one.Append("bench-in-large", message); });
  Report("append-in-large", in_large, "/s");
}

constexpr std::array kWorkloads = {
    Workload{"append-1", "APPEND 2 KiB, durable, 1 connection", Append1},
    Workload{"append-16", "the same, 16 connections, an account each", Append16},
    Workload{"append-64", "the same, 64 connections", Append64},
    Workload{"append-16-one-folder", "16 connections into one folder", AppendOneFolder},
    Workload{"multiappend-4", "MULTIAPPEND of 100, 4 connections", MultiAppend},
    Workload{"append-1M", "APPEND of 1 MiB, 4 connections", Append1M},
    Workload{"append-10M", "APPEND of 10 MiB, 4 connections", Append10M},
    Workload{"append-by-folder-size", "APPEND into a folder of 100 and of 100,000", AppendByFolderSize},
};

}  // namespace

std::span<const Workload> AppendWorkloads() { return kWorkloads; }

}  // namespace bench
