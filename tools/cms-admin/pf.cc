// Participating Functions: accounts of role pf, and whom they may act for.
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

std::string TargetOf(const std::string& address) {
  return "/v1/accounts/" + server::http::PercentEncode(address) + "/pf";
}

std::string Join(const json::object& object, std::string_view key) {
  std::string out;
  if (const auto* list = object.if_contains(key); list != nullptr && list->is_array()) {
    for (const auto& each : list->get_array())
      if (each.is_string()) out += (out.empty() ? "" : ", ") + VisibleLine(std::string(each.get_string()));
  }
  return out.empty() ? "-" : out;
}

struct Pf {
  std::string address;
  std::vector<std::string> patterns;
  bool password_stdin = false;
  bool no_password = false;
};

json::object Change(const Options& options, const std::string& address, const char* what,
                    const std::vector<std::string>& patterns) {
  json::object body;
  body[what] = json::array(patterns.begin(), patterns.end());
  Client client(SocketPath(options));
  return client.AskJson(Verb::patch, TargetOf(address), json::serialize(body));
}

void Print(const json::object& pf, bool as_json) {
  if (as_json)
    PrintJson(pf);
  else
    fmt::print("{} may act for: {}\n", VisibleLine(Text(pf, "address")), Join(pf, "act_for"));
}

void Add(const Options& options, const Pf& pf) {
  json::object body;
  body["address"] = pf.address;
  body["role"] = "pf";
  body["act_for"] = json::array(pf.patterns.begin(), pf.patterns.end());
  if (!pf.no_password) body["password"] = ReadPassword(pf.password_stdin);
  Client client(SocketPath(options));
  Print(client.AskJson(Verb::post, "/v1/accounts", json::serialize(body)), options.json);
}

void List(const Options& options) {
  Client client(SocketPath(options));
  const auto answer = client.AskJson(Verb::get, "/v1/pfs");
  if (options.json) {
    PrintJson(answer);
    return;
  }
  fmt::print("{:<40} {:<9} {}\n", "PF", "STATUS", "MAY ACT FOR");
  for (const auto& entry : answer.at("pfs").as_array()) {
    const auto& pf = entry.as_object();
    fmt::print("{:<40} {:<9} {}\n", VisibleLine(Text(pf, "address")), Text(pf, "status"),
               Join(pf, "act_for"));
  }
  fmt::print("All of them, by the configuration ([pf] act_for): {}\n", Join(answer, "act_for_of_all"));
}

void Show(const Options& options, const std::string& address) {
  Client client(SocketPath(options));
  const auto pf = client.AskJson(Verb::get, TargetOf(address));
  if (options.json) {
    PrintJson(pf);
    return;
  }
  fmt::print(
      "address       {}\naliases       {}\nstatus        {}\npassword      {}\npsks          {}\n"
      "may act for   {}\nas all PFs    {}\n",
      VisibleLine(Text(pf, "address")), Join(pf, "aliases"), Text(pf, "status"),
      IsTrue(pf, "has_password") ? "set" : "none", Join(pf, "psks"), Join(pf, "act_for"),
      Join(pf, "act_for_of_all"));
}

}  // namespace

void AddPfCommands(CLI::App& app, const Options& options) {
  auto* group = app.add_subcommand("pf", "Participating Functions: make, list, and whom they may act for");
  group->require_subcommand(1)->fallthrough();
  group->footer(
      R"(A PF logs in as its account of role pf, with the user as authorization identity: by its password, by a client
certificate with its address or an alias (see [tls] client_ca of cmsd.toml), or by a pre-shared key (cms-admin psk).
It may act for users whose canonical address fits one of its patterns, or one of the configuration's [pf] act_for,
which are for all PFs. '*' is any run of characters. What is revoked ends at once, sessions for these users included.
`cms-admin account` disables and deletes PFs as it does users.

Examples:
  cms-admin pf add sip:pf@example.com --allow 'tel:+1555*' --no-password
  cms-admin pf allow sip:pf@example.com 'sip:*@example.com')");

  auto pf = std::make_shared<Pf>();
  auto* add = group->add_subcommand("add", "make an account of role pf; asks for its password");
  add->add_option("ADDRESS", pf->address, "canonical address")->required();
  add->add_option("--allow", pf->patterns,
                  "a pattern of addresses it may act for; may be given several times");
  auto* from_stdin =
      add->add_flag("--password-stdin", pf->password_stdin, "read the password from standard input");
  add->add_flag("--no-password", pf->no_password, "it proves itself by a certificate or a key")
      ->excludes(from_stdin);
  add->callback([pf, &options] { Add(options, *pf); });

  auto* list = group->add_subcommand("list", "all PFs, and whom they may act for");
  list->callback([&options] { List(options); });

  auto* show = group->add_subcommand("show", "one PF, with the keys that prove it");
  show->add_option("ADDRESS", pf->address, "canonical address or alias")->required();
  show->callback([pf, &options] { Show(options, pf->address); });

  for (const auto& [name, what] : {std::pair("allow", "let it act for more users"),
                                   std::pair("revoke", "take patterns away; as they were given")}) {
    auto* change = group->add_subcommand(name, what);
    change->add_option("ADDRESS", pf->address, "canonical address or alias")->required();
    change->add_option("PATTERN", pf->patterns, "of canonical addresses: 'tel:+1555*', 'sip:*@example.com'")
        ->required();
    change->callback(
        [pf, name, &options] { Print(Change(options, pf->address, name, pf->patterns), options.json); });
  }
}

}  // namespace admin
