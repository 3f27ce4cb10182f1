#include <array>

#include <fmt/format.h>

#include "tests/bench/workload.h"

namespace bench {
namespace {

void Store(const Options& options) {
  Connection connection(options.target, 2);
  Prepare(connection, "bench-store", options.messages);
  connection.Must("SELECT bench-store");
  bool add = false;
  const double seconds = Best(6, [&] {
    add = !add;
    connection.Must(fmt::format("STORE 1:* {}FLAGS.SILENT (\\Flagged)", add ? '+' : '-'));
  });
  Report("store-all", options.messages / seconds, "/s");
  int number = 0;
  const auto start = Clock::now();
  while (Since(start) < options.seconds) {
    const int message = number % options.messages + 1;
    const char sign = number / options.messages % 2 == 0 ? '+' : '-';
    connection.Must(fmt::format("STORE {} {}FLAGS.SILENT ($One)", message, sign));
    ++number;
  }
  Report("store-one", number / Since(start), "/s");
  connection.Must("STORE 1:* -FLAGS.SILENT ($One)");
}

void CopyMoveExpunge(const Options& options) {
  Connection connection(options.target, 2);
  Prepare(connection, "bench-store", options.messages);
  for (const char* folder : {"bench-copy", "bench-move"}) {
    connection.Run(fmt::format("DELETE {}", folder));
    connection.Must(fmt::format("CREATE {}", folder));
  }
  connection.Must("SELECT bench-store");
  Report("copy", options.messages / Best(1, [&] { connection.Must("COPY 1:* bench-copy"); }), "/s");
  connection.Must("SELECT bench-copy");
  Report("move", options.messages / Best(1, [&] { connection.Must("MOVE 1:* bench-move"); }), "/s");
  connection.Must("SELECT bench-move");
  connection.Must("STORE 1:* +FLAGS.SILENT (\\Deleted)");
  Report("expunge", options.messages / Best(1, [&] { connection.Must("EXPUNGE"); }), "/s");
}

constexpr std::array kWorkloads = {
    Workload{"store", "STORE of 10,000, and of one, durable", Store},
    Workload{"copy-move-expunge", "COPY, MOVE and EXPUNGE of 10,000", CopyMoveExpunge},
};

}  // namespace

std::span<const Workload> ChangeWorkloads() { return kWorkloads; }

}  // namespace bench
