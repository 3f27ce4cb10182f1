#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/terminal.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;
using server::http::PercentEncode;

std::string FoldersOf(const std::string& address) {
  return "/v1/accounts/" + PercentEncode(address) + "/folders";
}

std::string Named(const std::string& address, const std::string& path) {
  return FoldersOf(address) + "?path=" + PercentEncode(path);
}

/// The folder's name last: it may be of any width.
void PrintLine(const json::object& folder) {
  const auto use = Text(folder, "use");
  fmt::print("{:<12}  {:>8}  {:>6}  {:>12}  {}{}\n", Text(folder, "kind"), Number(folder, "messages"),
             Number(folder, "unseen"), Number(folder, "octets"), VisibleLine(Text(folder, "path")),
             use.empty() ? "" : "  " + VisibleLine(use));
}

void List(const Options& options, const std::string& address) {
  Client client(SocketPath(options));
  const auto answer = client.AskJson(Verb::get, FoldersOf(address));
  const auto& folders = answer.at("folders").as_array();
  if (options.json) {
    PrintJson(folders);
    return;
  }
  fmt::print("{:<12}  {:>8}  {:>6}  {:>12}  {}\n", "KIND", "MESSAGES", "UNSEEN", "OCTETS", "FOLDER");
  for (const auto& folder : folders) PrintLine(folder.as_object());
}

void Print(const Options& options, const json::object& answer) {
  if (options.json) PrintJson(answer);
}

void Move(const Options& options, const std::string& address, const std::string& from,
          const std::string& to) {
  Client client(SocketPath(options));
  const json::object body{{"from", from}, {"to", to}};
  Print(options, client.AskJson(Verb::post, FoldersOf(address) + ":move", json::serialize(body)));
}

void Delete(const Options& options, const std::string& address, const std::string& path, bool sure) {
  Client client(SocketPath(options));
  if (!sure && !Confirm(fmt::format("Delete {} with all that is in it?", VisibleLine(path))))
    throw Failure(kUsage, "Nothing is deleted: confirm, or give --yes");
  Print(options, client.AskJson(Verb::delete_, Named(address, path)));
}

}  // namespace

void AddFolderCommands(CLI::App& app, const Options& options) {
  auto* folder = app.add_subcommand("folder", "an account's folders: list, create, move, delete");
  folder->require_subcommand(1)->fallthrough();
  folder->footer(
      "What the storage model forbids is refused with the rule (exit status 1).\n\nExamples:\n  cms-admin "
      "folder list +15550100111\n  cms-admin folder move +15550100111 Default/tel:+15550100222 "
      "RCSMessageStore/Bea");

  auto address = std::make_shared<std::string>();
  auto path = std::make_shared<std::string>();
  const auto add = [&](const char* name, const char* what, const char* example) {
    auto* command = folder->add_subcommand(name, what);
    command->add_option("ADDRESS", *address, "whose account")->required();
    command->footer(fmt::format("Example:\n  cms-admin folder {} +15550100111{}", name, example));
    return command;
  };
  add("list", "all folders with their kinds and counts", "")->callback([address, &options] {
    List(options, *address);
  });

  auto* create = add("create", "make a folder, and those above it; nothing if it is there", " Archive/2026");
  create->add_option("FOLDER", *path, "its path")->required();
  create->callback([address, path, &options] {
    Print(options, Client(SocketPath(options)).AskJson(Verb::put, Named(*address, *path)));
  });

  auto to = std::make_shared<std::string>();
  auto* move = add("move", "rename a folder; what is below it follows", " Archive/2026 Old/2026");
  move->add_option("FROM", *path, "its path")->required();
  move->add_option("TO", *to, "its new path")->required();
  move->callback([address, path, to, &options] { Move(options, *address, *path, *to); });

  auto sure = std::make_shared<bool>(false);
  auto* erase = add("delete", "delete a folder; a conversation's sessions go with it", " Archive/2026 --yes");
  erase->add_option("FOLDER", *path, "its path")->required();
  erase->add_flag("--yes", *sure, "do not ask");
  erase->callback([address, path, sure, &options] { Delete(options, *address, *path, *sure); });
}

}  // namespace admin
