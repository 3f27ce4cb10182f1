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

std::string TargetOf(const std::string& address) {
  return "/v1/accounts/" + server::http::PercentEncode(address);
}

bool IsTrue(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

std::string_view PasswordOf(const json::object& account) {
  if (!IsTrue(account, "has_password")) return "none";
  return IsTrue(account, "has_scram") ? "set" : "set, but not for SCRAM: set it again";
}

void PrintAccount(const json::object& account, bool as_json) {
  if (as_json) {
    PrintJson(account);
    return;
  }
  std::string aliases;
  if (const auto* list = account.if_contains("aliases"); list && list->is_array())
    for (const auto& alias : list->get_array())
      if (alias.is_string()) aliases += (aliases.empty() ? "" : ", ") + VisibleLine(alias.get_string());
  const auto quota = [&](std::string_view key) {
    const auto* value = account.if_contains(key);
    return value && value->is_number() ? std::to_string(Number(account, key)) : std::string("no limit");
  };
  fmt::print(
      "address   {}\naliases   {}\nrole      {}\nstatus    {}\npassword  {}\nmessages  {} ({})\noctets    {} "
      "({})\n"
      "folders   {} ({})\nmetadata  octets ({})\ncreated   {}\n",
      TextLine(account, "address"), aliases.empty() ? "-" : aliases, Text(account, "role"),
      Text(account, "status"), PasswordOf(account), Number(account, "used_messages"), quota("quota_messages"),
      Number(account, "used_octets"), quota("quota_octets"), Number(account, "folders"),
      quota("quota_folders"), quota("quota_annotation_octets"), Text(account, "created"));
}

struct AddOptions {
  std::string address;
  std::vector<std::string> aliases;
  std::string role = "user";
  std::uint64_t quota_octets = 0;
  std::uint64_t quota_messages = 0;
  std::uint64_t quota_folders = 0;
  std::uint64_t quota_annotation_octets = 0;
  bool password_stdin = false;
  bool no_password = false;
};

void Add(const Options& options, const AddOptions& add) {
  json::object body;
  body["address"] = add.address;
  body["aliases"] = json::array(add.aliases.begin(), add.aliases.end());
  body["role"] = add.role;
  body["quota_octets"] = add.quota_octets;
  body["quota_messages"] = add.quota_messages;
  body["quota_folders"] = add.quota_folders;
  body["quota_annotation_octets"] = add.quota_annotation_octets;
  if (!add.no_password) body["password"] = ReadPassword(add.password_stdin);
  Client client(SocketPath(options));
  PrintAccount(client.AskJson(Verb::post, "/v1/accounts", json::serialize(body)), options.json);
}

void List(const Options& options) {
  Client client(SocketPath(options));
  json::array all;
  for (std::uint64_t after = 0;;) {
    auto page = client.AskJson(Verb::get, fmt::format("/v1/accounts?limit=1000&after={}", after));
    for (auto& account : page["accounts"].as_array()) {
      if (options.json) {
        all.push_back(std::move(account));
        continue;
      }
      const auto& entry = account.as_object();
      fmt::print("{:<40} {:<9} {:<9} {:>9} messages {:>14} octets\n", TextLine(entry, "address"),
                 Text(entry, "role"), Text(entry, "status"), Number(entry, "used_messages"),
                 Number(entry, "used_octets"));
    }
    if (!page.contains("next")) break;
    after = Number(page, "next");
  }
  if (options.json) PrintJson(all);
}

void SetStatus(const Options& options, const std::string& address, const char* status) {
  Client client(SocketPath(options));
  client.Ask(Verb::put, TargetOf(address) + "/status", fmt::format(R"({{"status":"{}"}})", status));
}

void SetPassword(const Options& options, const std::string& address, bool from_stdin) {
  Client client(SocketPath(options));
  client.AskJson(Verb::get, TargetOf(address));  // a wrong address is told before a password is asked for
  json::object body;
  body["password"] = ReadPassword(from_stdin);
  client.Ask(Verb::put, TargetOf(address) + "/password", json::serialize(body));
}

void Delete(const Options& options, const std::string& address, bool sure) {
  Client client(SocketPath(options));
  const auto account = client.AskJson(Verb::get, TargetOf(address));
  if (!sure && !Confirm(fmt::format("Delete {} with {} messages?", TextLine(account, "address"),
                                    Number(account, "used_messages"))))
    throw Failure(kUsage, "Nothing is deleted: confirm, or give --yes");
  client.Ask(Verb::delete_, TargetOf(address));
}

void AddAdd(CLI::App& account, const Options& options) {
  auto add = std::make_shared<AddOptions>();
  auto* command = account.add_subcommand("add", "make an account; asks for its password");
  command->add_option("ADDRESS", add->address, "canonical address")->required();
  command->add_option("--alias", add->aliases, "another address to log in with; may be given several times");
  command->add_option("--role", add->role, "user, pf, submit or operator")->capture_default_str();
  command->add_option("--quota-octets", add->quota_octets, "0: no limit")->capture_default_str();
  command->add_option("--quota-messages", add->quota_messages, "0: no limit")->capture_default_str();
  command->add_option("--quota-folders", add->quota_folders, "0: no limit")->capture_default_str();
  command->add_option("--quota-annotation-octets", add->quota_annotation_octets, "0: no limit")
      ->capture_default_str();
  auto* from_stdin =
      command->add_flag("--password-stdin", add->password_stdin, "read the password from standard input");
  command->add_flag("--no-password", add->no_password, "nobody can log in until `account passwd`")
      ->excludes(from_stdin);
  command->footer(
      "Example:\n  cms-admin account add tel:+15550100111 --alias user1@example.com --password-stdin < "
      "secret");
  command->callback([add, &options] { Add(options, *add); });
}

/// A command whose only argument is an address.
CLI::App* AddForAddress(CLI::App& account, const char* name, const char* what,
                        std::shared_ptr<std::string> address) {
  auto* command = account.add_subcommand(name, what);
  command->add_option("ADDRESS", *address, "canonical address or alias")->required();
  command->footer(fmt::format("Example:\n  cms-admin account {} +15550100111", name));
  return command;
}

}  // namespace

void AddAccountCommands(CLI::App& app, const Options& options) {
  auto* account = app.add_subcommand("account", "accounts: make, show, change, delete, load many");
  account->require_subcommand(1)->fallthrough();
  account->footer("Examples:\n  cms-admin account add +15550100111\n  cms-admin account load accounts.jsonl");
  AddAdd(*account, options);
  AddAccountLoad(*account, options);

  auto* list = account->add_subcommand("list", "all accounts");
  list->footer("Example:\n  cms-admin account list --json");
  list->callback([&options] { List(options); });

  auto address = std::make_shared<std::string>();
  AddForAddress(*account, "show", "one account", address)->callback([address, &options] {
    Client client(SocketPath(options));
    PrintAccount(client.AskJson(Verb::get, TargetOf(*address)), options.json);
  });
  AddForAddress(*account, "disable", "keep the account, but let nobody log in", address)
      ->callback([address, &options] { SetStatus(options, *address, "disabled"); });
  AddForAddress(*account, "enable", "undo `disable`", address)->callback([address, &options] {
    SetStatus(options, *address, "active");
  });

  auto from_stdin = std::make_shared<bool>(false);
  auto* passwd = AddForAddress(*account, "passwd", "set the password; asks for it", address);
  passwd->add_flag("--password-stdin", *from_stdin, "read the password from standard input");
  passwd->callback([address, from_stdin, &options] { SetPassword(options, *address, *from_stdin); });

  auto sure = std::make_shared<bool>(false);
  auto* erase = AddForAddress(*account, "delete", "delete the account and all its messages", address);
  erase->add_flag("--yes", *sure, "do not ask");
  erase->callback([address, sure, &options] { Delete(options, *address, *sure); });
}

}  // namespace admin
