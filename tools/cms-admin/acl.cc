// Access control lists of an account's folders (RFC 4314).
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"

namespace admin {
namespace {

namespace json = boost::json;

struct AclOptions {
  std::string address;
  std::string folder;
  std::string identifier;
  std::string rights;
};

std::string TargetOf(const AclOptions& acl, const char* what) {
  using server::http::PercentEncode;
  return "/v1/accounts/" + PercentEncode(acl.address) + "/" + what + "?folder=" + PercentEncode(acl.folder);
}

void Show(const Options& options, const json::object& answer) {
  if (options.json) return PrintJson(answer.at("entries"));
  fmt::print("{:<40} {}\n", "IDENTIFIER", "RIGHTS");
  for (const auto& value : answer.at("entries").as_array()) {
    const auto& entry = value.as_object();
    fmt::print("{:<40} {}\n", TextLine(entry, "identifier"), TextLine(entry, "rights"));
  }
}

void Get(const Options& options, const AclOptions& acl) {
  Client client(SocketPath(options));
  Show(options, client.AskJson(Verb::get, TargetOf(acl, "acl")));
}

void Set(const Options& options, const AclOptions& acl) {
  json::object body;
  body["identifier"] = acl.identifier;
  body["rights"] = acl.rights;
  Client client(SocketPath(options));
  Show(options, client.AskJson(Verb::put, TargetOf(acl, "acl"), json::serialize(body)));
}

void Delete(const Options& options, const AclOptions& acl) {
  Client client(SocketPath(options));
  const std::string target =
      TargetOf(acl, "acl") + "&identifier=" + server::http::PercentEncode(acl.identifier);
  Show(options, client.AskJson(Verb::delete_, target));
}

void ShowRights(const Options& options, const AclOptions& acl) {
  Client client(SocketPath(options));
  const std::string user = acl.identifier.empty() ? acl.address : acl.identifier;
  const std::string canonical = protocol::cpm::ParseLogin(user).value_or(user);
  const auto answer =
      client.AskJson(Verb::get, TargetOf(acl, "rights") + "&user=" + server::http::PercentEncode(canonical));
  if (options.json) return PrintJson(answer);
  fmt::print("{}\n", std::string(answer.at("rights").as_string()));
}

CLI::App* AddForFolder(CLI::App& acl, const char* name, const char* what,
                       const std::shared_ptr<AclOptions>& chosen) {
  auto* command = acl.add_subcommand(name, what);
  command->add_option("ADDRESS", chosen->address, "whose folder it is: canonical address or alias")
      ->required();
  command->add_option("FOLDER", chosen->folder, "its path")->required();
  return command;
}

}  // namespace

void AddAclCommands(CLI::App& app, const Options& options) {
  auto* acl = app.add_subcommand("acl", "who else may do what with a folder (RFC 4314)");
  acl->require_subcommand(1)->fallthrough();
  acl->footer(
      "Rights: l see it, r read, s \\Seen, w other flags, i put messages into it, k make folders below it,\n"
      "x delete or rename it, t \\Deleted, e expunge, a change this list, n set entries that others see.\n"
      "Examples:\n  cms-admin acl get +15550100111 Trips\n"
      "  cms-admin acl set +15550100111 Trips +15550100222 lrs");

  auto got = std::make_shared<AclOptions>();
  auto* get = AddForFolder(*acl, "get", "the list, the owner first", got);
  get->footer("Example:\n  cms-admin acl get +15550100111 Trips --json");
  get->callback([got, &options] { Get(options, *got); });

  auto made = std::make_shared<AclOptions>();
  auto* set = AddForFolder(*acl, "set", "give rights to somebody, or take them away", made);
  set->add_option("IDENTIFIER", made->identifier,
                  "address, anyone or authenticated; with - before it: denied")
      ->required();
  set->add_option("RIGHTS", made->rights, "letters; with + or - before them: added or taken away")
      ->required();
  set->footer(
      "Examples:\n  cms-admin acl set +15550100111 Trips bea@example.com +wi\n"
      "  cms-admin acl set +15550100111 Trips -- bea@example.com -wi");
  set->callback([made, &options] { Set(options, *made); });

  auto gone = std::make_shared<AclOptions>();
  auto* remove = AddForFolder(*acl, "delete", "take somebody off the list", gone);
  remove->add_option("IDENTIFIER", gone->identifier, "as `acl get` shows it")->required();
  remove->footer("Example:\n  cms-admin acl delete +15550100111 Trips bea@example.com");
  remove->callback([gone, &options] { Delete(options, *gone); });

  auto asked = std::make_shared<AclOptions>();
  auto* rights = AddForFolder(*acl, "rights", "what somebody may do with the folder", asked);
  rights->add_option("--user", asked->identifier, "of this user; without it, of the owner");
  rights->footer("Example:\n  cms-admin acl rights +15550100111 Trips --user +15550100222");
  rights->callback([asked, &options] { ShowRights(options, *asked); });
}

}  // namespace admin
