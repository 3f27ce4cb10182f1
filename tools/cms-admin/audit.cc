// What Participating Functions did: the end of the audit log.
#include <deque>
#include <fstream>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

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

void Tail(const Options& options, const TailOptions& tail) {
  const auto path = LoadConfig(options).audit.file;
  if (path.empty()) throw Failure(kUsage, "The configuration names no audit.file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Failure(kUsage, fmt::format("{} cannot be read", path));
  std::deque<std::string> last;
  for (std::string line; std::getline(file, line);) {
    boost::system::error_code error;
    const auto act = json::parse(line, error);
    if (error || !act.is_object() || !Wanted(act.get_object(), tail)) continue;
    last.push_back(std::move(line));
    if (last.size() > tail.lines) last.pop_front();
  }
  for (const auto& line : last) {
    if (options.json) {
      fmt::print("{}\n", line);
    } else {
      PrintAct(json::parse(line).get_object());
    }
  }
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
  tail->footer(
      "Example:\n  cms-admin audit tail -n 100 --account tel:+15550100111\n--json prints the lines as they "
      "are.");
  tail->callback([chosen, &options] { Tail(options, *chosen); });
}

}  // namespace admin
