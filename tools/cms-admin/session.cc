#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;
using server::http::PercentEncode;

/// "42 s", "12 min", "3 h", "8 d".
std::string Duration(std::uint64_t seconds) {
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 120 * 60) return fmt::format("{} min", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

/// "712", "34 K", "1.2 G".
std::string Size(std::uint64_t octets) {
  if (octets < 10'000) return fmt::format("{}", octets);
  double amount = static_cast<double>(octets);
  const char* unit = "";
  for (const char* next : {"K", "M", "G", "T"}) {
    if (amount < 1000) break;
    amount /= 1024;
    unit = next;
  }
  return fmt::format("{:.{}f} {}", amount, amount < 10 ? 1 : 0, unit);
}

/// What it is about, last: it may be of any width.
void PrintLine(const json::object& session) {
  const auto doing = VisibleLine(Text(session, "doing"));
  const auto account = VisibleLine(Text(session, "account"));
  const auto folder = VisibleLine(Text(session, "folder"));
  fmt::print("{:>8}  {:>9}  {:>9}  {:>8}  {:>8}  {:<12}  {:<22}  {}{}\n", Number(session, "id"),
             Duration(Number(session, "connected_seconds")), Duration(Number(session, "silent_seconds")),
             Size(Number(session, "octets_in")), Size(Number(session, "octets_out")),
             doing.empty() ? "-" : doing, VisibleLine(Text(session, "peer")),
             account.empty() ? "(not logged in)" : account, folder.empty() ? "" : "  " + folder);
}

void List(const Options& options, const std::string& address) {
  Client client(SocketPath(options));
  std::uint64_t after = 0;
  json::array all;
  if (!options.json)
    fmt::print("{:>8}  {:>9}  {:>9}  {:>8}  {:>8}  {:<12}  {:<22}  {}\n", "ID", "CONNECTED", "SILENT", "IN",
               "OUT", "DOING", "PEER", "ACCOUNT  FOLDER");
  for (;;) {
    const auto answer =
        client.AskJson(Verb::get, fmt::format("/v1/sessions?after={}{}", after,
                                              address.empty() ? "" : "&account=" + PercentEncode(address)));
    for (const auto& session : answer.at("sessions").as_array()) {
      if (options.json) {
        all.push_back(session);
      } else {
        PrintLine(session.as_object());
      }
    }
    const auto* next = answer.if_contains("next");
    if (next == nullptr) break;
    after = next->to_number<std::uint64_t>();
  }
  if (options.json) PrintJson(all);
}

void Kick(const Options& options, std::optional<std::uint64_t> id, const std::string& address) {
  if (id.has_value() == !address.empty())
    throw Failure(kUsage, "Name a session by its ID, or an account with --account");
  const auto target =
      id ? fmt::format("/v1/sessions/{}", *id) : "/v1/sessions?account=" + PercentEncode(address);
  const auto answer = Client(SocketPath(options)).AskJson(Verb::delete_, target);
  if (options.json) {
    PrintJson(answer);
  } else {
    const auto kicked = Number(answer, "kicked");
    fmt::print("{} session{} told to end\n", kicked, kicked == 1 ? "" : "s");
  }
}

}  // namespace

void AddSessionCommands(CLI::App& app, const Options& options) {
  auto* sessions = app.add_subcommand("sessions", "who is connected over IMAP: list, kick");
  sessions->require_subcommand(1)->fallthrough();
  sessions->footer(
      "Examples:\n  cms-admin sessions list\n  cms-admin sessions list +15550100111 --json\n"
      "  cms-admin sessions kick 4711\n  cms-admin sessions kick --account +15550100111");

  auto address = std::make_shared<std::string>();
  auto* list = sessions->add_subcommand("list", "all sessions, or an account's");
  list->add_option("ADDRESS", *address, "whose account");
  list->footer(
      "ID is conn= of the log. SILENT is how long the client has said nothing, IN and OUT are octets on the "
      "wire,\n"
      "DOING is the command that runs (IDLE waits for news), or - when the session waits for one.\n\n"
      "Example:\n  cms-admin sessions list +15550100111");
  list->callback([address, &options] { List(options, *address); });

  auto id = std::make_shared<std::optional<std::uint64_t>>();
  auto* kick = sessions->add_subcommand("kick", "end a session, or all of an account");
  kick->add_option("ID", *id, "which, as list prints it");
  kick->add_option("--account", *address, "all of this account's");
  kick->footer(
      "The client gets BYE: at once if it waits, else after its command. It may come back; `account disable` "
      "keeps\n"
      "it out.\n\nExample:\n  cms-admin sessions kick 4711");
  kick->callback([id, address, &options] { Kick(options, *id, *address); });
}

}  // namespace admin
