#include <fstream>
#include <iostream>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/terminal.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;

constexpr std::size_t kBatchLines = 200;
constexpr std::size_t kBatchOctets = 1 << 20;

constexpr const char* kFooter = R"(FILE has one JSON object a line; "-" is standard input:
  {"address":"tel:+15550100111","aliases":["sip:user1@example.com"],"password":"secret"}
  {"address":"tel:+15550100112","password_hash":"$argon2id$v=19$m=19456,t=2,p=1$...","quota_octets":1000000}
Keys: address, aliases, role, password or password_hash (Argon2id, SHA-512-crypt), quota_octets, quota_messages,
quota_folders, quota_annotation_octets (0: no limit).
Refused lines are listed with their numbers on standard error, the others are loaded; then the exit status is 1.

Example:
  cms-admin account load accounts.jsonl)";

/// What has become of a file so far.
struct Load {
  std::size_t loaded = 0;
  std::size_t refused = 0;
};

/// Sends one batch whose first line is line `first` of the file.
void SendBatch(Client& client, const std::string& batch, std::size_t first, bool as_json, Load& load,
               Progress& progress) {
  const auto answer = client.Ask(Verb::post, "/v1/accounts:load", batch);
  std::string_view rest = answer;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    auto line = json::parse(rest.substr(0, end)).as_object();
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const auto number = line["line"].to_number<std::size_t>() + first - 1;
    line["line"] = number;
    const auto* error = line.if_contains("error");
    error ? ++load.refused : ++load.loaded;
    if (as_json) PrintJson(line);
    if (error && !as_json)
      progress.Say(fmt::format("line {}: {}", number, VisibleLine(error->at("message").as_string())));
  }
}

Load LoadStream(Client& client, std::istream& in, std::uint64_t size, bool as_json) {
  Load load;
  Progress progress("accounts", size);
  progress.Advance(0);
  std::string batch;
  std::string line;
  std::size_t number = 0;
  std::size_t first = 1;
  const auto flush = [&] {
    if (batch.empty()) return;
    SendBatch(client, batch, first, as_json, load, progress);
    progress.Advance(batch.size());
    batch.clear();
    first = number + 1;
  };
  while (std::getline(in, line)) {
    ++number;
    batch += line + "\n";
    if (number - first + 1 >= kBatchLines || batch.size() >= kBatchOctets) flush();
  }
  flush();
  return load;
}

void LoadFile(const Options& options, const std::string& path) {
  Client client(SocketPath(options));
  Load load;
  if (path == "-") {
    load = LoadStream(client, std::cin, 0, options.json);
  } else {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file) throw Failure(kUsage, path + " cannot be read");
    const auto size = static_cast<std::uint64_t>(file.tellg());
    file.seekg(0);
    load = LoadStream(client, file, size, options.json);
  }
  if (!options.json) fmt::print("{} loaded, {} refused\n", load.loaded, load.refused);
  if (load.refused > 0)
    throw Failure(kRefused,
                  fmt::format("{} line{} refused", load.refused, load.refused == 1 ? " was" : "s were"));
}

}  // namespace

void AddAccountLoad(CLI::App& account, const Options& options) {
  auto path = std::make_shared<std::string>();
  auto* command = account.add_subcommand("load", "make many accounts from a file");
  command->add_option("FILE", *path, "JSON lines")->required();
  command->footer(kFooter);
  command->callback([path, &options] { LoadFile(options, *path); });
}

}  // namespace admin
