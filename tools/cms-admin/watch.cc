#include <charconv>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "protocol/model/uid_set.h"
#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;

/// "1:3,7" as cmsd writes it.
protocol::UidSet ReadUids(std::string_view text) {
  std::vector<protocol::UidRange> ranges;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    protocol::UidRange range;
    at = std::from_chars(at, end, range.first.value).ptr;
    range.last = range.first;
    if (at != end && *at == ':') at = std::from_chars(at + 1, end, range.last.value).ptr;
    if (at != end && *at++ != ',') throw Failure(kUnreachable, "The answer of cmsd is not understood");
    ranges.push_back(range);
  }
  return protocol::UidSet::Of(std::move(ranges));
}

/// What was known of a folder when it was last looked at.
struct Known {
  std::string path;
  std::uint64_t uid_next = 1;
};

/// Turns cmsd's answers into lines for people. What is new is what lies beyond the UIDNEXT seen before.
class Watcher {
 public:
  Watcher(Client& client, const std::string& account) : client_(client), account_(account) {
    folders_ = List();
  }

  void Tell(const json::object& told) {
    if (IsTrue(told, "names")) TellNames();
    for (const auto& folder : told.at("folders").as_array()) TellFolder(folder.as_object());
    if (IsTrue(told, "annotations")) Line("METADATA entries changed");
    std::fflush(stdout);
  }

 private:
  std::map<std::string, Known> List() {
    std::map<std::string, Known> folders;
    const auto answer = client_.AskJson(Verb::get, account_ + "/folders");
    for (const auto& value : answer.at("folders").as_array()) {
      const auto& folder = value.as_object();
      folders[Text(folder, "mailboxid")] = {Text(folder, "path"), Number(folder, "uidnext")};
    }
    return folders;
  }

  void Line(const std::string& text) {
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    fmt::print("{:02}:{:02}:{:02}  {}\n", local.tm_hour, local.tm_min, local.tm_sec, text);
  }

  void TellNames() {
    auto now = List();
    bool told = false;
    const auto tell = [&](const std::string& text) {
      Line(text);
      told = true;
    };
    for (const auto& [id, before] : folders_) {
      const auto there = now.find(id);
      if (there == now.end()) {
        tell(fmt::format("{}: deleted", VisibleLine(before.path)));
        continue;
      }
      if (there->second.path != before.path)
        tell(fmt::format("{}: is now {}", VisibleLine(before.path), VisibleLine(there->second.path)));
      there->second.uid_next = before.uid_next;
    }
    for (auto& [id, folder] : now) {
      if (folders_.contains(id)) continue;
      tell(fmt::format("{}: made", VisibleLine(folder.path)));
      folder.uid_next = 1;
    }
    if (!told) Line("subscriptions changed");
    folders_ = std::move(now);
  }

  void TellFolder(const json::object& folder) {
    Known& known = folders_[Text(folder, "mailboxid")];
    const auto changed = ReadUids(Text(folder, "changed"));
    const auto fresh =
        known.uid_next <= protocol::kMaxUid.value
            ? changed.Intersect({{static_cast<std::uint32_t>(known.uid_next)}, protocol::kMaxUid})
            : protocol::UidSet();
    std::string what;
    const auto add = [&](const std::string& uids, std::string_view words) {
      if (!uids.empty()) what += fmt::format("{}{} {}", what.empty() ? "" : ", ", words, uids);
    };
    add(fresh.ToString(), "new");
    add(changed.Minus(fresh).ToString(), "changed");
    const auto& vanished = folder.at("vanished");
    if (vanished.is_string()) {
      add(std::string(vanished.as_string()), "gone");
    } else {
      add(Text(folder, "present"), "gone all but");
    }
    known = {Text(folder, "folder"), Number(folder, "uidnext")};
    if (what.empty()) return;
    Line(fmt::format("{}: {} ({} messages, {} unseen)", VisibleLine(known.path), what,
                     Number(folder, "messages"), Number(folder, "unseen")));
  }

  Client& client_;
  const std::string account_;             ///< "/v1/accounts/..."
  std::map<std::string, Known> folders_;  ///< by MAILBOXID
};

void Watch(const Options& options, const std::string& address, std::optional<std::uint64_t> since) {
  const auto account = "/v1/accounts/" + server::http::PercentEncode(address);
  Client asking(SocketPath(options));
  if (!since) since = asking.AskJson(Verb::get, account + "/changes").at("modseq").to_number<std::uint64_t>();
  std::optional<Watcher> watcher;
  if (!options.json) {
    watcher.emplace(asking, account);
    if (::isatty(STDERR_FILENO) != 0)
      fmt::print(stderr, "Watching {}; Ctrl-C ends it.\n", VisibleLine(address));
  }
  Client(SocketPath(options))
      .Listen(fmt::format("{}/changes?since={}", account, *since), [&](std::string_view told) {
        if (!watcher) {
          fmt::print("{}", VisibleJson(told));
          std::fflush(stdout);
          return;
        }
        watcher->Tell(json::parse(told).as_object());
      });
}

}  // namespace

void AddWatchCommand(CLI::App& app, const Options& options) {
  auto* watch = app.add_subcommand("watch", "print what changes in an account, as it happens");
  auto address = std::make_shared<std::string>();
  auto since = std::make_shared<std::optional<std::uint64_t>>();
  watch->add_option("ADDRESS", *address, "whose account")->required();
  watch->add_option("--since", *since, "begin with what changed after this mod-sequence");
  watch->footer(
      "A line a folder: the UIDs that are new, whose flags changed, that are gone. With --json a line a "
      "change as\n"
      "GET /v1/accounts/{address}/changes describes it; its \"modseq\" is the next --since. Runs until "
      "Ctrl-C, until\n"
      "the account is deleted (exit status 1) or cmsd stops (3).\n\nExamples:\n  cms-admin watch "
      "+15550100111\n"
      "  cms-admin watch +15550100111 --since 1200 --json");
  watch->callback([address, since, &options] { Watch(options, *address, *since); });
}

}  // namespace admin
