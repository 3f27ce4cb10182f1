#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "server/http/message_frame.h"
#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/conversation_model.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/terminal.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;
using server::http::PercentEncode;

constexpr const char* kListFooter =
    R"(Dates are in the zone of TZ. --kind finds by an index, so it costs what it finds, however much there is.

Examples:
  cms-admin object list +15550100111 INBOX --json
  cms-admin object list +15550100111 --kind file-transfer)";

constexpr const char* kShowFooter =
    R"(The octets as they are stored. A terminal gets them with all controls written out; a file or a pipe gets them
untouched. --json tells what was understood of the object instead.

Examples:
  cms-admin object show +15550100111 Default/tel:+15550100222 5
  cms-admin object show +15550100111 Default/tel:+15550100222 9 --file 0 > harbour.jpg)";

constexpr const char* kPutFooter =
    R"(FILE is one object, header and body; "-" is standard input. The folder is made if it is missing.

Example:
  cms-admin object put +15550100111 INBOX letter.eml --flag '\Seen')";

struct Which {
  std::string address;
  std::string folder;
  std::string kind;
  std::uint32_t uid = 0;
};

std::string ObjectsOf(const Which& which) {
  return "/v1/accounts/" + PercentEncode(which.address) + "/objects?folder=" + PercentEncode(which.folder);
}

void PrintLine(const json::object& object, std::size_t columns) {
  auto about = Text(object, "subject");
  if (about.empty()) about = Text(object, "text");
  const auto* time = object.if_contains("time");
  const auto line = fmt::format(
      "{:>6}  {:<13}  {:>9}  {:<16}  {}", object.at("uid").to_number<std::uint32_t>(), Text(object, "kind"),
      object.at("size").to_number<std::uint64_t>(), time ? MinuteOf(time->to_number<std::int64_t>()) : "",
      object.contains("malformed") ? "malformed " : "");
  fmt::print("{}{}\n", line,
             Shorten(VisibleLine(about), columns > line.size() + 8 ? columns - line.size() : 8));
}

/// All pages of a list; `from` is the query's word for where the next one begins.
void EachPage(Client& client, const std::string& target, std::string_view from,
              const std::function<void(json::object)>& take) {
  std::string more;
  for (;;) {
    auto page = client.AskJson(Verb::get, target + more);
    for (auto& object : page.at("objects").as_array()) take(std::move(object.as_object()));
    const auto* next = page.if_contains("next");
    if (!next) return;
    more = fmt::format("&{}={}", from,
                       next->is_string() ? std::string(next->as_string()) : json::serialize(*next));
  }
}

/// Of one kind, folder by folder.
void ListKind(const Options& options, const Which& which) {
  Client client(SocketPath(options));
  const auto columns = StyleOfOutput().columns;
  auto target = "/v1/accounts/" + PercentEncode(which.address) +
                "/objects?limit=1000&kind=" + PercentEncode(which.kind);
  if (!which.folder.empty()) target += "&folder=" + PercentEncode(which.folder);
  json::array all;
  std::string folder;
  EachPage(client, target, "from", [&](json::object object) {
    if (options.json) {
      all.push_back(std::move(object));
      return;
    }
    if (Text(object, "folder") != folder) {
      fmt::print("{}{}\n", folder.empty() ? "" : "\n", VisibleLine(Text(object, "folder")));
      folder = Text(object, "folder");
    }
    PrintLine(object, columns);
  });
  if (options.json) PrintJson(all);
}

void List(const Options& options, const Which& which) {
  if (!which.kind.empty()) return ListKind(options, which);
  if (which.folder.empty()) throw Failure(kUsage, "FOLDER is missing; only --kind lists all folders");

  Client client(SocketPath(options));
  const auto columns = StyleOfOutput().columns;
  if (!options.json)
    fmt::print("{:>6}  {:<13}  {:>9}  {:<16}  {}\n", "UID", "KIND", "OCTETS", "DATE", "SUBJECT OR TEXT");
  json::array all;
  EachPage(client, ObjectsOf(which) + "&limit=1000", "after", [&](json::object object) {
    if (options.json)
      all.push_back(std::move(object));
    else
      PrintLine(object, columns);
  });
  if (options.json) PrintJson(all);
}

void ShowJson(Client& client, const Which& which) {
  const auto page =
      client.AskJson(Verb::get, fmt::format("{}&limit=1&after={}", ObjectsOf(which), which.uid - 1));
  const auto& objects = page.at("objects").as_array();
  if (objects.empty() || objects[0].at("uid").to_number<std::uint32_t>() != which.uid)
    throw Failure(kRefused, fmt::format("No such message: {}", which.uid));
  PrintJson(objects[0]);
}

void Show(const Options& options, const Which& which, const std::optional<std::uint32_t>& file) {
  Client client(SocketPath(options));
  if (which.uid == 0) throw Failure(kUsage, "UID must be 1 or more");
  if (options.json) return ShowJson(client, which);
  auto target = fmt::format("{}&uid={}", ObjectsOf(which), which.uid);
  if (file) target += fmt::format("&file={}", *file);
  const bool harmless = ::isatty(STDOUT_FILENO) != 0;
  std::string held;  // a terminal gets whole lines, so that no character is cut
  const auto print = [&](std::string_view octets) {
    if (std::fwrite(octets.data(), 1, octets.size(), stdout) != octets.size())
      throw Failure(kRefused, "Standard output cannot be written");
  };
  client.Download(target, [&](std::string_view octets) {
    if (!harmless) return print(octets);
    held += octets;
    const auto end = held.rfind('\n') + 1;
    std::string lines = held.substr(0, end);
    std::erase(lines, '\r');
    print(Visible(lines));
    held.erase(0, end);
  });
  if (!held.empty()) print(Visible(held) + "\n");
}

std::string ReadAll(const std::string& path) {
  if (path == "-") return {std::istreambuf_iterator<char>(std::cin), {}};
  std::ifstream file(path, std::ios::binary);
  std::string octets{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw Failure(kUsage, path + " cannot be read");
  return octets;
}

void Put(const Options& options, const Which& which, const std::string& path,
         const std::vector<std::string>& flags) {
  const auto octets = ReadAll(path);
  Client client(SocketPath(options));
  const auto account = "/v1/accounts/" + PercentEncode(which.address);
  client.Ask(Verb::put, account + "/folders?path=" + PercentEncode(which.folder));
  server::http::MessageFrame frame{.size = octets.size()};
  for (const auto& flag : flags) frame.flags.Insert(flag);
  const auto answer = client.Upload(account + "/messages?folder=" + PercentEncode(which.folder),
                                    [&](const Client::Send& send) {
                                      if (send(server::http::Encode(frame))) send(octets);
                                    });
  if (options.json) PrintJson(answer);
}

void Delete(const Options& options, const Which& which, bool sure) {
  Client client(SocketPath(options));
  if (!sure && !Confirm(fmt::format("Delete object {} of {}?", which.uid, VisibleLine(which.folder))))
    throw Failure(kUsage, "Nothing is deleted: confirm, or give --yes");
  const auto answer = client.AskJson(Verb::delete_, fmt::format("{}&uid={}", ObjectsOf(which), which.uid));
  if (options.json) PrintJson(answer);
}

}  // namespace

void AddObjectCommands(CLI::App& app, const Options& options) {
  auto* object = app.add_subcommand("object", "the objects of a folder: list, show, put, delete");
  object->require_subcommand(1)->fallthrough();
  object->footer(
      "Examples:\n  cms-admin object list +15550100111 Default/tel:+15550100222\n  cms-admin object show "
      "+15550100111 Default/tel:+15550100222 5");
  auto which = std::make_shared<Which>();
  const auto add = [&](const char* name, const char* what) {
    auto* command = object->add_subcommand(name, what);
    command->add_option("ADDRESS", which->address, "whose account")->required();
    return command;
  };
  const auto add_in_folder = [&](const char* name, const char* what) {
    auto* command = add(name, what);
    command->add_option("FOLDER", which->folder, "its path")->required();
    return command;
  };

  auto* list = add("list", "what there is, with kinds");
  list->add_option("FOLDER", which->folder, "its path; may be left out with --kind");
  list->add_option("--kind", which->kind,
                   "only these: chat, standalone, imdn, sms, mms, file-link, file-transfer, session-info, "
                   "group-state or media");
  list->footer(kListFooter);
  list->callback([which, &options] { List(options, *which); });

  auto file = std::make_shared<std::optional<std::uint32_t>>();
  auto* show = add_in_folder("show", "one object, or a file of it");
  show->add_option("UID", which->uid, "its UID")->required();
  show->add_option("--file", *file, "only this file's octets, counted from 0 as in --json");
  show->footer(kShowFooter);
  show->callback([which, file, &options] { Show(options, *which, *file); });

  auto path = std::make_shared<std::string>();
  auto flags = std::make_shared<std::vector<std::string>>();
  auto* put = add_in_folder("put", "store an object from a file");
  put->add_option("FILE", *path, "header and body")->required();
  put->add_option("--flag", *flags, "a flag or keyword; may be given several times");
  put->footer(kPutFooter);
  put->callback([which, path, flags, &options] { Put(options, *which, *path, *flags); });

  auto sure = std::make_shared<bool>(false);
  auto* erase = add_in_folder("delete", "delete one object");
  erase->add_option("UID", which->uid, "its UID")->required();
  erase->add_flag("--yes", *sure, "do not ask");
  erase->footer("Example:\n  cms-admin object delete +15550100111 INBOX 3 --yes");
  erase->callback([which, sure, &options] { Delete(options, *which, *sure); });
}

}  // namespace admin
