#include <array>
#include <charconv>

#include <fmt/format.h>

#include "tests/bench/workload.h"

namespace bench {
namespace {

constexpr int kChanged = 100;
constexpr int kDevices = 10;

std::uint64_t NumberAfter(std::string_view line, std::string_view word) {
  const auto at = line.find(word);
  std::uint64_t value = 0;
  if (at != std::string_view::npos)
    std::from_chars(line.data() + at + word.size(), line.data() + line.size(), value);
  if (value == 0) throw Broken(fmt::format("no {} in {}", word, line));
  return value;
}

/// `kChanged` message numbers spread over `count`, `offset` after each step's begin.
std::string Spread(int count, int offset) {
  std::string numbers;
  for (int i = 0; i < kChanged; ++i)
    numbers += fmt::format("{}{}", i == 0 ? "" : ",", i * (count / kChanged) + offset);
  return numbers;
}

/// SELECT (QRESYNC) of a device that missed some flags and some expunges: the first one after the changes,
/// and others after it.
void ResyncOf(const Options& options, std::string_view folder, std::string_view name, int count) {
  Connection connection(options.target, 1);
  Prepare(connection, folder, count);
  connection.Must(fmt::format("SELECT {} (CONDSTORE)", folder));
  connection.Must(fmt::format("STORE {} -FLAGS.SILENT (\\Flagged)", Spread(count, 1)));
  const std::string status =
      connection.Must(fmt::format("STATUS {} (UIDVALIDITY UIDNEXT HIGHESTMODSEQ)", folder)).last_untagged;
  const std::string command =
      fmt::format("SELECT {} (QRESYNC ({} {} 1:{}))", folder, NumberAfter(status, "UIDVALIDITY "),
                  NumberAfter(status, "HIGHESTMODSEQ "), NumberAfter(status, "UIDNEXT ") - 1);
  connection.Must(fmt::format("STORE {} +FLAGS.SILENT (\\Flagged)", Spread(count, 1)));
  connection.Must(fmt::format("STORE {} +FLAGS.SILENT (\\Deleted)", Spread(count, 3)));
  connection.Must("EXPUNGE");
  const auto resync = [&] {
    Connection device(options.target, 1);
    device.Must("ENABLE QRESYNC");
    return Best(1, [&] {
      const Answer answer = device.Must(command);
      if (answer.untagged < kChanged) throw Broken(fmt::format("{}: {} lines", command, answer.untagged));
    });
  };
  Report(fmt::format("{}-first", name), resync() * 1000, "ms");
  double best = resync();
  for (int i = 1; i < kDevices; ++i) best = std::min(best, resync());
  Report(name, best * 1000, "ms");
  // As many as before, for the next time.
  std::vector<std::string> messages;
  for (int i = 0; i < kChanged; ++i) messages.push_back(Message(count + i));
  connection.Append(folder, messages);
}

void Resync(const Options& options) {
  ResyncOf(options, "bench-resync", "resync", options.messages);
  ResyncOf(options, "bench-resync-large", "resync-large", options.large);
}

constexpr std::array kWorkloads = {
    Workload{"resync", "SELECT (QRESYNC) of 10,000 and of 100,000 after 100 flags and 100 expunges", Resync},
};

}  // namespace

std::span<const Workload> ResyncWorkloads() { return kWorkloads; }

}  // namespace bench
