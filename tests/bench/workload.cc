#include "tests/bench/workload.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>

#include <fmt/format.h>

namespace bench {
namespace {

constexpr std::string_view kWords[] = {"lorem", "ipsum", "dolor",  "sit",    "amet",   "elit", "sed",
                                       "do",    "magna", "aliqua", "tempor", "labore", "et",   "ut"};

}  // namespace

void Report(std::string_view name, double value, std::string_view unit) {
  fmt::print("{}\t{:.4g}\t{}\n", name, value, unit);
  std::fflush(stdout);
}

std::string Message(int number, std::size_t size) {
  std::string out = fmt::format(
      "From: <tel:+3161{0:07d}>\r\nTo: <tel:+3162{1:07d}>\r\nDate: Wed, {2:02d} Jan 2025 {3:02d}:{4:02d}:00 "
      "+0000\r\n"
      "Subject: chat message {0}\r\nMessage-ID: <{0}.{5}@cpm.example.com>\r\nConversation-ID: "
      "conversation-{1}\r\n"
      "Contribution-ID: contribution-{0}\r\nMIME-Version: 1.0\r\nContent-Type: message/cpim\r\n\r\n"
      "From: <tel:+3161{0:07d}>\r\nTo: <tel:+3162{1:07d}>\r\nNS: imdn <urn:ietf:params:imdn>\r\n"
      "imdn.Message-ID: i{0}\r\nDateTime: 2025-01-01T00:00:00Z\r\n\r\nContent-Type: text/plain; "
      "charset=utf-8\r\n\r\n",
      number, number % 97, number % 28 + 1, number % 24, number % 60, size);
  auto state = static_cast<unsigned>(number) * 2654435761U + 1;
  std::size_t column = 0;
  while (out.size() < size) {
    state = state * 1664525U + 1013904223U;
    const std::string_view word = kWords[(state >> 16) % std::size(kWords)];
    out += word;
    column += word.size() + 1;
    out += column > 66 ? "\r\n" : " ";
    if (column > 66) column = 0;
  }
  out.resize(size - 2);
  if (out.back() == '\r') out.back() = ' ';
  return out + "\r\n";
}

std::string Reply(int number) {
  constexpr std::size_t kSize = 2048;
  std::string references;
  for (int i = number / 5 * 5; i < number; ++i)
    references +=
        fmt::format("{}<{}.{}@cpm.example.com>", references.empty() ? "References: " : " ", i, kSize);
  if (!references.empty()) references += "\r\n";
  return references + Message(number, kSize);
}

void Prepare(Connection& connection, std::string_view folder, int count,
             const std::function<std::string(int)>& make) {
  const Answer status = connection.Run(fmt::format("STATUS {} (MESSAGES)", folder));
  if (status.ok && status.last_untagged.find(fmt::format("MESSAGES {})", count)) != std::string::npos) return;
  connection.Run(fmt::format("DELETE {}", folder));
  connection.Must(fmt::format("CREATE {}", folder));
  for (int next = 0; next < count;) {
    std::vector<std::string> batch;
    for (int i = 0; i < 200 && next < count; ++i) batch.push_back(make(next++));
    connection.Append(folder, batch);
  }
}

double Rate(const Options& options, int connections, bool one_account,
            const std::function<void(Connection&, int)>& work) {
  std::vector<std::unique_ptr<Connection>> open;
  for (int i = 0; i < connections; ++i)
    open.push_back(std::make_unique<Connection>(options.target, one_account ? 1 : i + 1));
  std::atomic<std::uint64_t> total = 0;
  std::atomic<bool> broken = false;
  std::string why;
  std::mutex why_mutex;
  std::barrier together(connections + 1);
  std::vector<std::jthread> threads;
  threads.reserve(static_cast<std::size_t>(connections));
  for (int i = 0; i < connections; ++i) {
    threads.emplace_back([&, i] {
      together.arrive_and_wait();
      const auto start = Clock::now();
      try {
        while (!broken && Since(start) < options.seconds) {
          work(*open[static_cast<std::size_t>(i)], i);
          ++total;
        }
      } catch (const Broken& error) {
        const std::lock_guard lock(why_mutex);
        why = error.what();
        broken = true;
      }
    });
  }
  together.arrive_and_wait();
  const auto start = Clock::now();
  threads.clear();
  const double seconds = Since(start);
  if (broken) throw Broken(why);
  return static_cast<double>(total) / seconds;
}

double Best(int times, const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    work();
    best = std::min(best, Since(start));
  }
  return best;
}

}  // namespace bench
