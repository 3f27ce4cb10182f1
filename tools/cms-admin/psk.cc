// Pre-shared keys of TLS.
#include <iostream>

#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
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

void Add(const Options& options, const std::string& identity, const std::string& address, bool from_stdin) {
  json::object body;
  body["identity"] = identity;
  body["account"] = address;
  if (from_stdin) {
    std::string key;
    std::getline(std::cin, key);
    if (key.empty()) throw Failure(kUsage, "There is no key on standard input");
    body["key"] = key;
  }
  Client client(SocketPath(options));
  const auto answer = client.AskJson(Verb::post, "/v1/psks", json::serialize(body));
  if (options.json) {
    PrintJson(answer);
  } else if (!from_stdin) {
    fmt::print("{}\n", Text(answer, "key"));
  }
}

void List(const Options& options) {
  Client client(SocketPath(options));
  const auto answer = client.AskJson(Verb::get, "/v1/psks");
  if (options.json) {
    PrintJson(answer.at("psks"));
    return;
  }
  fmt::print("{:<40}  {:<20}  {}\n", "IDENTITY", "CREATED", "ACCOUNT");
  for (const auto& entry : answer.at("psks").as_array()) {
    const auto& psk = entry.as_object();
    const auto account = TextLine(psk, "account");
    fmt::print("{:<40}  {:%Y-%m-%d %H:%M:%S}   {}\n", TextLine(psk, "identity"),
               fmt::gmtime(static_cast<std::time_t>(Number(psk, "created"))),
               account.empty() ? "(deleted)" : account);
  }
}

}  // namespace

void AddPskCommands(CLI::App& app, const Options& options) {
  auto* psk = app.add_subcommand("psk", "pre-shared keys of TLS: make, list, revoke");
  psk->require_subcommand(1)->fallthrough();
  psk->footer("Examples:\n  cms-admin psk add phone-7 +15550100111\n  cms-admin psk revoke phone-7");

  auto identity = std::make_shared<std::string>();
  auto address = std::make_shared<std::string>();
  auto from_stdin = std::make_shared<bool>(false);
  auto* add = psk->add_subcommand("add", "make a key and print it, in hexadecimal: it is not shown again");
  add->add_option("IDENTITY", *identity, "its name on the wire: printable ASCII, at most 128 octets")
      ->required();
  add->add_option("ADDRESS", *address, "the account that it proves")->required();
  add->add_flag("--key-stdin", *from_stdin,
                "read the key, 16 to 64 octets in hexadecimal, from standard input");
  add->footer("Example:\n  cms-admin psk add phone-7 tel:+15550100111");
  add->callback([=, &options] { Add(options, *identity, *address, *from_stdin); });

  auto* list = psk->add_subcommand("list", "identities and whom they prove, never a key");
  list->footer("Example:\n  cms-admin psk list");
  list->callback([&options] { List(options); });

  auto* revoke = psk->add_subcommand("revoke", "from now on this key proves nobody; connections stay");
  revoke->add_option("IDENTITY", *identity, "as it was added")->required();
  revoke->footer("Example:\n  cms-admin psk revoke phone-7");
  revoke->callback([identity, &options] {
    Client client(SocketPath(options));
    client.Ask(Verb::delete_, "/v1/psks/" + PercentEncode(*identity));
  });
}

}  // namespace admin
