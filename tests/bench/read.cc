#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>
#include <unistd.h>

#include "tests/bench/workload.h"

namespace bench {
namespace {

constexpr int kRepeats = 5;
constexpr std::string_view kEnvelope = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)";

/// FETCH 1:* of `item` in the selected folder, as messages a second.
double FetchAll(Connection& connection, std::string_view item, int count, int repeats = kRepeats) {
  const std::string command = fmt::format("FETCH 1:* {}", item);
  const double seconds = Best(repeats, [&] {
    const Answer answer = connection.Must(command);
    if (answer.untagged < static_cast<std::uint64_t>(count))
      throw Broken(fmt::format("{}: {} answers for {} messages", command, answer.untagged, count));
  });
  return count / seconds;
}

void Select(const Options& options) {
  Connection connection(options.target, 1);
  Prepare(connection, "bench-large-folder", options.large);
  Connection fresh(options.target, 1);
  Report("select-large-first", Best(1, [&] { fresh.Must("SELECT bench-large-folder"); }) * 1000, "ms");
  Report("select-large", Best(20, [&] { fresh.Must("SELECT bench-large-folder"); }) * 1000, "ms");
  Report("fetch-flags-large", FetchAll(fresh, "FLAGS", options.large), "/s");
  // What a CPM client asks before each upload: mostly the message is not there.
  for (const auto& [name, id] : {std::pair("search-id-large", options.large / 2),
                                 std::pair("search-id-large-absent", options.large + 1)}) {
    const std::string command = fmt::format("UID SEARCH HEADER Contribution-ID contribution-{}", id);
    const bool there = id < options.large;
    const double seconds = Best(kRepeats, [&] {
      const bool found = fresh.Must(command).last_untagged.find_first_of("0123456789") != std::string::npos;
      if (found != there) throw Broken(command + (there ? ": not found" : ": found"));
    });
    Report(name, seconds * 1000, "ms");
  }
}

void Fetch(const Options& options) {
  Connection connection(options.target, 1);
  Prepare(connection, "bench-fetch", options.messages);
  connection.Must("SELECT bench-fetch");
  FetchAll(connection, kEnvelope, options.messages, 1);
  Report("fetch-envelope", FetchAll(connection, kEnvelope, options.messages), "/s");
  Report("fetch-flags", FetchAll(connection, "FLAGS", options.messages), "/s");
  Report("fetch-header-fields",
         FetchAll(connection, "BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE CONTRIBUTION-ID)]",
                  options.messages),
         "/s");
  Report("fetch-bodystructure", FetchAll(connection, "BODYSTRUCTURE", options.messages), "/s");
  Report("fetch-bodies", FetchAll(connection, "BODY.PEEK[]", options.messages), "/s");
}

/// The same right after the messages came, when nothing is cached from an earlier FETCH.
void FetchAfterAppend(const Options& options) {
  Connection connection(options.target, 1);
  connection.Run("DELETE bench-new");
  Prepare(connection, "bench-new", options.messages);
  Connection fresh(options.target, 1);
  fresh.Must("SELECT bench-new");
  Report("fetch-envelope-first", FetchAll(fresh, kEnvelope, options.messages, 1), "/s");
}

void FetchOne(const Options& options) {
  Connection connection(options.target, 1);
  Prepare(connection, "bench-fetch", options.messages);
  connection.Must("SELECT bench-fetch");
  std::vector<double> seconds;
  unsigned state = 1;
  const auto start = Clock::now();
  while (Since(start) < options.seconds) {
    state = state * 1664525U + 1013904223U;
    const unsigned number = (state >> 8) % static_cast<unsigned>(options.messages) + 1;
    seconds.push_back(Best(1, [&] { connection.Must(fmt::format("FETCH {} (UID BODY.PEEK[])", number)); }));
  }
  std::ranges::sort(seconds);
  Report("fetch-one", static_cast<double>(seconds.size()) / Since(start), "/s");
  Report("fetch-one-p50", seconds[seconds.size() / 2] * 1000, "ms");
}

/// The server's name in URLs is taken to be this machine's.
void UrlFetch(const Options& options) {
  constexpr std::size_t kSize = 1 << 20;
  Connection connection(options.target, 1);
  Prepare(connection, "bench-url", 1, [](int number) { return Message(number, kSize); });
  connection.Must("SELECT bench-url");
  const auto rate = [&](std::string_view name, const std::function<Answer()>& once) {
    int count = 0;
    const auto start = Clock::now();
    for (; Since(start) < options.seconds; ++count)
      if (once().octets < kSize / 2) throw Broken(fmt::format("{}: nothing came", name));
    Report(name, count / Since(start), "/s");
  };
  rate("fetch-part", [&] { return connection.Must("FETCH 1 BODY.PEEK[1]"); });

  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string user = options.target.user_format;
  if (const auto at = user.find("%d"); at != std::string::npos) user.replace(at, 2, "1");
  if (const auto at = user.find('@'); at != std::string::npos) user.replace(at, 1, "%40");
  const std::string rump =
      fmt::format("imap://{}@{}/bench-url/;uid=1/;section=1;urlauth=user+{}", user, host.data(), user);
  rate("urlfetch", [&] {
    const std::string line = connection.Must(fmt::format("GENURLAUTH \"{}\" INTERNAL", rump)).last_untagged;
    const auto begin = line.find("imap://");
    if (begin == std::string::npos) throw Broken("GENURLAUTH: " + line);
    return connection.Must(fmt::format("URLFETCH \"{}\"", line.substr(begin, line.find('"', begin) - begin)));
  });
}

void Search(const Options& options) {
  Connection connection(options.target, 1);
  Prepare(connection, "bench-fetch", options.messages);
  connection.Must("SELECT bench-fetch");
  const auto measure = [&](std::string_view name, const std::string& keys) {
    Report(name, Best(kRepeats, [&] { connection.Must("SEARCH " + keys); }) * 1000, "ms");
  };
  measure("search-id", fmt::format("HEADER Contribution-ID contribution-{}", options.messages / 2));
  measure("search-body", "BODY nowhere");
  measure("search-text", "TEXT nowhere");
  measure("search-since", "SINCE 1-Jan-2020");
  measure("search-unseen", "UNSEEN");
}

void Sort(const Options& options) {
  Connection connection(options.target, 1);
  Prepare(connection, "bench-sort", options.messages, Reply);
  connection.Must("SELECT bench-sort");
  const auto measure = [&](std::string_view name, const std::string& command) {
    Report(name, Best(kRepeats, [&] { connection.Must(command); }) * 1000, "ms");
  };
  measure("sort-date", "SORT (DATE) UTF-8 ALL");
  measure("sort-subject", "SORT (SUBJECT) UTF-8 ALL");
  measure("thread-references", "THREAD REFERENCES UTF-8 ALL");
}

void Folders(const Options& options) {
  Connection connection(options.target, 3);
  const auto start = Clock::now();
  int made = 0;
  for (int i = 0; i < options.folders; ++i) {
    const std::string name = fmt::format("bench-folders/{}/{}", i % 50, i);
    if (!connection.Run(fmt::format("STATUS {} (MESSAGES)", name)).ok) {
      connection.Must("CREATE " + name);
      ++made;
    }
    if (made > 0 && Since(start) > 4 * options.seconds)
      break;  // a slow server gets fewer; the figures are per folder
  }
  if (made > 50) Report("create", made / Since(start), "/s");
  const Answer all = connection.Must("LIST \"\" \"bench-folders/*\"");
  const double listed = static_cast<double>(all.untagged);
  const double seconds = Best(kRepeats, [&] { connection.Must("LIST \"\" \"bench-folders/*\""); });
  Report("list", listed / seconds, "/s");
  // Their INBOX and all else that an account has is told too: a few names.
  const std::string status = "LIST \"\" * RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY))";
  const double lines = static_cast<double>(connection.Must(status).untagged);
  Report("list-status", lines / 2 / Best(kRepeats, [&] { connection.Must(status); }), "/s");
}

constexpr std::array kWorkloads = {
    Workload{"select", "SELECT, FETCH FLAGS and SEARCH by id in 100,000", Select},
    Workload{"fetch", "FETCH 1:* of 10,000, five kinds of items", Fetch},
    Workload{"fetch-after-append", "FETCH 1:* ENVELOPE of 10,000 right after APPEND", FetchAfterAppend},
    Workload{"urlfetch", "FETCH of a part of 1 MiB, GENURLAUTH and URLFETCH of it", UrlFetch},
    Workload{"fetch-one", "FETCH of one body, one after the other", FetchOne},
    Workload{"search", "SEARCH in 10,000", Search},
    Workload{"sort", "SORT and THREAD in 10,000", Sort},
    Workload{"folders", "CREATE, LIST and LIST-STATUS of 5,000", Folders},
};

}  // namespace

std::span<const Workload> ReadWorkloads() { return kWorkloads; }

}  // namespace bench
