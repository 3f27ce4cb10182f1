#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "tests/bench/connection.h"

namespace bench {

struct Options {
  Target target;
  int server_pid = 0;     ///< of the process tree whose memory counts; 0: no memory workloads
  double seconds = 5;     ///< each timed loop at most
  int messages = 10'000;  ///< in the ordinary folder
  int large = 100'000;    ///< in the large one
  int idle = 1'000;       ///< connections of the memory workloads
  int watchers = 1'000;   ///< IDLE sessions of the fan-out
  int folders = 5'000;    ///< for LIST, LIST-STATUS
};

/// One figure a line: name, value, unit, tab-separated. The unit's first word says which way is better:
/// "/s" and "MB/s" up, everything else down.
void Report(std::string_view name, double value, std::string_view unit);

/// A named measurement. Each prepares what it needs (and leaves it, for the next time) and reports one figure
/// or more.
struct Workload {
  std::string_view name;
  std::string_view what;
  void (*run)(const Options&);
};

std::span<const Workload> AppendWorkloads();
std::span<const Workload> ReadWorkloads();
std::span<const Workload> ChangeWorkloads();
std::span<const Workload> ResyncWorkloads();
std::span<const Workload> ConnectionWorkloads();

/// A CPM-like message (headers, CPIM shell, text) of exactly `size` octets; `number` varies it.
std::string Message(int number, std::size_t size = 2048);

/// The same, but a reply to number - 1 and those before it, in threads of five.
std::string Reply(int number);

/// Makes `folder` hold exactly `count` messages of 2 KiB, unless it does already.
void Prepare(
    Connection& connection, std::string_view folder, int count,
    const std::function<std::string(int)>& make = [](int number) { return Message(number); });

/// Runs work(connection number) in a loop on `connections` threads for `seconds`; calls a second. The threads
/// start together, each with its own connection; account i for thread i, or account 1 for all.
double Rate(const Options& options, int connections, bool one_account,
            const std::function<void(Connection&, int)>& work);

/// The smallest duration in seconds of `times` runs.
double Best(int times, const std::function<void()>& work);

}  // namespace bench
