// Quotas (RFC 9208).
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;

constexpr std::array<const char*, 4> kResources{"octets", "messages", "folders", "annotation_octets"};

std::string TargetOf(const std::string& address) {
  return "/v1/accounts/" + server::http::PercentEncode(address) + "/quota";
}

std::string Limit(const json::object& resource, std::string_view key) {
  const auto* value = resource.if_contains(key);
  return value != nullptr && value->is_number() ? std::to_string(Number(resource, key)) : "none";
}

void Print(const json::object& quota, bool as_json) {
  if (as_json) {
    PrintJson(quota);
    return;
  }
  fmt::print("{}\n{:<18}  {:>20}  {:>20}  {:>20}\n", VisibleLine(Text(quota, "account")), "RESOURCE", "USED",
             "LIMIT", "IN FORCE");
  for (const char* name : kResources) {
    const auto* resource = quota.if_contains(name);
    if (resource == nullptr || !resource->is_object()) continue;
    const auto& of = resource->get_object();
    fmt::print("{:<18}  {:>20}  {:>20}  {:>20}\n", name, Number(of, "used"), Limit(of, "limit"),
               Limit(of, "limit_in_force"));
  }
}

/// "octets=1000", "messages=none"
void Read(const std::string& assignment, json::object& out) {
  const auto equals = assignment.find('=');
  const std::string name = assignment.substr(0, equals);
  const std::string value = equals == std::string::npos ? std::string() : assignment.substr(equals + 1);
  if (std::ranges::find(kResources, name) == kResources.end())
    throw Failure(
        kUsage,
        fmt::format("\"{}\" names no resource: octets, messages, folders or annotation_octets", assignment));
  if (value == "none") {
    out[name] = nullptr;
    return;
  }
  std::uint64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, fault] = std::from_chars(value.data(), end, number);
  if (value.empty() || stop != end || fault != std::errc() || number > INT64_MAX)
    throw Failure(kUsage,
                  fmt::format("{}: a limit is a whole number from 0 to {}, or none", assignment, INT64_MAX));
  out[name] = static_cast<std::int64_t>(number);
}

}  // namespace

void AddQuotaCommands(CLI::App& app, const Options& options) {
  auto* quota = app.add_subcommand("quota", "what an account holds, and may hold at most (RFC 9208)");
  quota->require_subcommand(1)->fallthrough();

  auto* get = quota->add_subcommand("get", "show use and limits");
  get->fallthrough();
  auto address = std::make_shared<std::string>();
  get->add_option("address", *address, "any address of the account")->required();
  get->callback([&options, address] {
    Client client(SocketPath(options));
    Print(client.AskJson(Verb::get, TargetOf(*address)), options.json);
  });

  auto* set = quota->add_subcommand("set", "change limits; those not named stay");
  set->fallthrough();
  set->footer(R"(Examples:
  cms-admin quota set +15550100111 octets=1073741824 messages=100000
  cms-admin quota set +15550100111 folders=none

A limit of 0 is one: nothing more comes in. What an account holds stays, also above its limits. What is in force is
the account's limit, or that of the configuration for all accounts if it is lower ([limits] of cmsd.toml).)");
  struct Set {
    std::string address;
    std::vector<std::string> limits;
  };
  auto given = std::make_shared<Set>();
  set->add_option("address", given->address, "any address of the account")->required();
  set->add_option(
         "limits", given->limits,
         "RESOURCE=LIMIT: octets, messages, folders, annotation_octets (of METADATA); LIMIT a number or none")
      ->required();
  set->callback([&options, given] {
    json::object body;
    for (const auto& one : given->limits) Read(one, body);
    Client client(SocketPath(options));
    Print(client.AskJson(Verb::patch, TargetOf(given->address), json::serialize(body)), options.json);
  });
}

}  // namespace admin
