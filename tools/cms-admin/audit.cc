// What Participating Functions did: the end of the audit log.
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;

struct TailOptions {
  std::size_t lines = 20;
  std::string actor;
  std::string account;
  bool follow = false;
};

bool Wanted(const json::object& act, const TailOptions& tail) {
  return (tail.actor.empty() || Text(act, "actor") == tail.actor) &&
         (tail.account.empty() || Text(act, "account") == tail.account);
}

void PrintAct(const json::object& act) {
  const auto field = [&](std::string_view key) { return VisibleLine(Text(act, key)); };
  const auto messages = field("messages");
  fmt::print("{}  {}  for {}  {}  {}{}{}\n", field("time"), field("actor"), field("account"),
             field("outcome"), field("command"), field("folder").empty() ? "" : "  " + field("folder"),
             messages.empty() ? "" : "  " + messages);
}

/// A file of lines that grows.
class GrowingFile {
 public:
  explicit GrowingFile(const std::string& path) {
    do {  // until the name stood for one file all the time
      id_ = IdOf(path);
      file_ = std::ifstream(path, std::ios::binary);
    } while (!IsStill(path));
  }

  bool is_open() const { return file_.is_open(); }
  /// Whether `path` names this file yet.
  bool IsStill(const std::string& path) const { return IdOf(path) == id_; }

  /// The next whole line; nullopt: none yet.
  std::optional<std::string> Next() {
    file_.clear();
    std::string more;
    std::getline(file_, more);
    begun_ += more;
    if (file_.eof()) return std::nullopt;
    return std::exchange(begun_, {});
  }

 private:
  using Id = std::pair<dev_t, ino_t>;

  static std::optional<Id> IdOf(const std::string& path) {
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return Id(status.st_dev, status.st_ino);
  }

  std::ifstream file_;
  std::optional<Id> id_;
  std::string begun_;  ///< of a line whose end has not come
};

/// Tells when something happens to the files of a folder.
class FolderWatch {
 public:
  explicit FolderWatch(const std::filesystem::path& folder) : fd_(::inotify_init1(IN_CLOEXEC)) {
    const std::string name = folder.empty() ? "." : folder.string();
    if (fd_ < 0 || ::inotify_add_watch(fd_, name.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO) < 0)
      throw Failure(kRefused, fmt::format("{} cannot be watched: {}", name, std::strerror(errno)));
  }
  ~FolderWatch() { ::close(fd_); }
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  void Wait() {
    alignas(inotify_event) std::array<char, 4096> events;
    if (::read(fd_, events.data(), events.size()) < 0 && errno != EINTR)
      throw Failure(kRefused, fmt::format("The audit log cannot be watched: {}", std::strerror(errno)));
  }

 private:
  int fd_;
};

class Tail {
 public:
  Tail(const Options& options, const TailOptions& tail) : options_(options), tail_(tail) {}

  void PrintLast(GrowingFile& file) {
    std::deque<std::string> last;
    while (auto line = file.Next()) {
      if (!ActOf(*line)) continue;
      last.push_back(*std::move(line));
      if (last.size() > tail_.lines) last.pop_front();
    }
    for (const auto& line : last) Print(line);
  }

  /// Until somebody ends the program.
  [[noreturn]] void Follow(const std::string& path, GrowingFile file, FolderWatch& watch) {
    // cmsd goes on with the file that was renamed until it is told to open the new one.
    std::optional<GrowingFile> renamed;
    for (;;) {
      if (renamed) PrintNew(*renamed);
      PrintNew(file);
      std::fflush(stdout);
      if (GrowingFile next(path); next.is_open() && !file.IsStill(path)) {
        renamed = std::exchange(file, std::move(next));
      } else {
        watch.Wait();
      }
    }
  }

 private:
  std::optional<json::object> ActOf(const std::string& line) const {
    boost::system::error_code error;
    const auto act = json::parse(line, error);
    if (error || !act.is_object() || !Wanted(act.get_object(), tail_)) return std::nullopt;
    return act.get_object();
  }

  void Print(const std::string& line) const {
    const auto act = ActOf(line);
    if (!act) return;
    if (options_.json) {
      fmt::print("{}\n", VisibleJson(line));
    } else {
      PrintAct(*act);
    }
  }

  void PrintNew(GrowingFile& file) const {
    while (const auto line = file.Next()) Print(*line);
  }

  const Options& options_;
  const TailOptions& tail_;
};

void RunTail(const Options& options, const TailOptions& chosen) {
  const auto path = LoadConfig(options).audit.file;
  if (path.empty()) throw Failure(kUsage, "The configuration names no audit.file");
  std::optional<FolderWatch> watch;
  if (chosen.follow) watch.emplace(std::filesystem::path(path).parent_path());
  GrowingFile file(path);
  if (!file.is_open()) throw Failure(kUsage, fmt::format("{} cannot be read", path));
  Tail tail(options, chosen);
  tail.PrintLast(file);
  if (watch) tail.Follow(path, std::move(file), *watch);
}

}  // namespace

void AddAuditCommands(CLI::App& app, const Options& options) {
  auto* audit = app.add_subcommand("audit", "what Participating Functions did in users' accounts");
  audit->require_subcommand(1)->fallthrough();
  auto chosen = std::make_shared<TailOptions>();
  auto* tail = audit->add_subcommand("tail", "the last acts, from the configuration's audit.file");
  tail->add_option("-n,--lines", chosen->lines, "how many")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  tail->add_option("--actor", chosen->actor, "of this PF alone, by its canonical address");
  tail->add_option("--account", chosen->account, "in this user's account alone, by its canonical address");
  tail->add_flag("-f,--follow", chosen->follow, "go on with what comes, also when the log is rotated");
  tail->footer(
      "Examples:\n  cms-admin audit tail -n 100 --account tel:+15550100111\n  cms-admin audit tail --follow\n"
      "--json prints the lines as they are.");
  tail->callback([chosen, &options] { RunTail(options, *chosen); });
}

}  // namespace admin
