// cms-load: measures an IMAP server on loopback. Prints one figure a line; tools/bench makes the table.

#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "tests/bench/workload.h"

int main(int argc, char** argv) {
  bench::Options options;
  std::vector<std::string> only;
  bool list = false;
  CLI::App app("Measures an IMAP server: one figure a line (name, value, unit)");
  app.add_option("--port", options.target.port, "TCP port on 127.0.0.1");
  app.add_option("--tls-port", options.target.tls_port, "of implicit TLS");
  app.add_option("--user", options.target.user_format, "login name; %d is the account's number, from 1");
  app.add_option("--password", options.target.password, "the test accounts' password");
  app.add_option("--pid", options.server_pid, "of the server, for the memory workloads");
  app.add_option("--seconds", options.seconds, "each timed loop at most");
  app.add_option("--messages", options.messages, "in an ordinary folder");
  app.add_option("--large", options.large, "in a large folder");
  app.add_option("--idle", options.idle, "idle connections");
  app.add_option("--watchers", options.watchers, "IDLE sessions of the fan-out");
  app.add_option("--folders", options.folders, "folders to list");
  app.add_option("--only", only, "workloads to run")->delimiter(',');
  app.add_flag("--list", list, "print the workloads and end");
  CLI11_PARSE(app, argc, argv);

  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);

  int failures = 0;
  std::size_t run = 0;
  for (const auto group : {bench::AppendWorkloads(), bench::ReadWorkloads(), bench::ChangeWorkloads(),
                           bench::ResyncWorkloads(), bench::ConnectionWorkloads()}) {
    for (const bench::Workload& workload : group) {
      if (list) fmt::print("{:24} {}\n", workload.name, workload.what);
      if (list || (!only.empty() && std::ranges::find(only, workload.name) == only.end())) continue;
      ++run;
      try {
        workload.run(options);
      } catch (const std::exception& error) {
        ++failures;
        fmt::print(stderr, "{}: {}\n", workload.name, error.what());
      }
    }
  }
  if (!list && run == 0) {
    fmt::print(stderr, "no such workload; see --list\n");
    return 2;
  }
  return failures == 0 ? 0 : 1;
}
