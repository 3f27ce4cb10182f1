// METADATA entries of an account's folders and of its server (RFC 5464).
#include <fstream>
#include <iostream>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "protocol/text/base64.h"
#include "protocol/text/charset.h"
#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;

struct MetadataOptions {
  std::string address;
  std::string folder;
  std::vector<std::string> entries;
  std::string value;
  bool remove = false;
  bool from_stdin = false;
};

std::string TargetOf(const MetadataOptions& metadata) {
  using server::http::PercentEncode;
  std::string target = "/v1/accounts/" + PercentEncode(metadata.address) +
                       "/metadata?folder=" + PercentEncode(metadata.folder);
  return target;
}

/// For a terminal and for `get` of one entry: octets that are no text are said to be so.
std::string Shown(const json::object& entry) {
  const auto* text = entry.if_contains("value");
  if (text != nullptr && text->is_string()) return std::string(text->get_string());
  const auto* base64 = entry.if_contains("value_base64");
  if (base64 != nullptr && base64->is_string()) return "base64:" + std::string(base64->get_string());
  return "";
}

bool HasValue(const json::object& entry) {
  const auto* text = entry.if_contains("value");
  return text == nullptr || !text->is_null();
}

/// One line an entry: line ends of its value are escaped, and what could steer a terminal, so that no value
/// looks like two entries or moves the cursor.
std::string OnOneLine(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return VisibleLine(out);
}

/// As it is for a file or a pipe; a terminal gets controls written out.
std::string ForOutput(const std::string& value) {
  return ::isatty(STDOUT_FILENO) != 0 ? Visible(value) : value;
}

void List(const Options& options, const MetadataOptions& metadata) {
  Client client(SocketPath(options));
  const auto answer = client.AskJson(Verb::get, TargetOf(metadata));
  if (options.json) return PrintJson(answer.at("entries"));
  fmt::print("{:<60} {:<7} {}\n", "ENTRY", "KEPT BY", "VALUE");
  for (const auto& value : answer.at("entries").as_array()) {
    const auto& entry = value.as_object();
    const bool kept = entry.at("kept_by_server").as_bool();
    fmt::print("{:<60} {:<7} {}\n", TextLine(entry, "entry"), kept ? "server" : "user",
               OnOneLine(Shown(entry)));
  }
}

void Get(const Options& options, const MetadataOptions& metadata) {
  std::string target = TargetOf(metadata);
  for (const auto& entry : metadata.entries) target += "&entry=" + server::http::PercentEncode(entry);
  Client client(SocketPath(options));
  const auto answer = client.AskJson(Verb::get, target);
  const auto& entries = answer.at("entries").as_array();
  if (options.json) PrintJson(entries);
  bool missing = false;
  for (const auto& value : entries) {
    const auto& entry = value.as_object();
    const std::string name = TextLine(entry, "entry");
    if (!HasValue(entry)) {
      if (!options.json) fmt::print(stderr, "cms-admin: {} has no value\n", name);
      missing = true;
    } else if (!options.json) {
      if (metadata.entries.size() == 1)
        fmt::print("{}\n", ForOutput(Shown(entry)));
      else
        fmt::print("{:<60} {}\n", name, OnOneLine(Shown(entry)));
    }
  }
  if (missing) throw Failure(kRefused, "Not all of the entries have a value");
}

std::string ReadAll(std::istream& in) {
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void Set(const Options& options, const MetadataOptions& metadata) {
  json::object change;
  change["entry"] = metadata.entries.front();
  const std::string value = metadata.from_stdin ? ReadAll(std::cin) : metadata.value;
  if (metadata.remove)
    change["value"] = nullptr;
  else if (protocol::text::IsValidUtf8(value))
    change["value"] = value;
  else
    change["value_base64"] = protocol::text::EncodeBase64(value);
  json::object body;
  body["entries"] = json::array{change};
  Client client(SocketPath(options));
  client.Ask(Verb::put, TargetOf(metadata), json::serialize(body));
}

CLI::App* AddForAccount(CLI::App& metadata, const char* name, const char* what,
                        const std::shared_ptr<MetadataOptions>& chosen) {
  auto* command = metadata.add_subcommand(name, what);
  command->add_option("ADDRESS", chosen->address, "canonical address or alias")->required();
  command->add_option("--folder", chosen->folder, "of this folder; without it, of the server");
  return command;
}

}  // namespace

void AddMetadataCommands(CLI::App& app, const Options& options) {
  auto* metadata = app.add_subcommand("metadata", "METADATA entries of folders and of the server (RFC 5464)");
  metadata->require_subcommand(1)->fallthrough();
  metadata->footer(
      "Examples:\n  cms-admin metadata list +15550100111 --folder Default\n"
      "  cms-admin metadata set +15550100111 /shared/comment \"Down on Sunday\"");

  auto listed = std::make_shared<MetadataOptions>();
  auto* list = AddForAccount(*metadata, "list", "all entries, who keeps each, and its value", listed);
  list->footer("Example:\n  cms-admin metadata list +15550100111 --folder INBOX --json");
  list->callback([listed, &options] { List(options, *listed); });

  auto got = std::make_shared<MetadataOptions>();
  auto* get = AddForAccount(*metadata, "get", "values of entries; exit status 1 if one has none", got);
  get->add_option("ENTRY", got->entries, "such as /private/comment")->required();
  get->footer(
      "Example:\n  cms-admin metadata get +15550100111 /shared/vendor/vendor.oma/cpm/DefaultFolderLocation");
  get->callback([got, &options] { Get(options, *got); });

  auto made = std::make_shared<MetadataOptions>();
  auto* set = AddForAccount(*metadata, "set", "set or remove one entry, as the operator", made);
  // One string: of a list, the first argument that is not an option would take the value's place too.
  set->add_option_function<std::string>(
         "ENTRY", [made](const std::string& entry) { made->entries = {entry}; }, "such as /shared/comment")
      ->required();
  auto* value = set->add_option("VALUE", made->value, "its value");
  auto* remove = set->add_flag("--remove", made->remove, "it is to have no value");
  auto* from_stdin =
      set->add_flag("--stdin", made->from_stdin, "read the value, any octets, from standard input");
  remove->excludes(value)->excludes(from_stdin);
  from_stdin->excludes(value);
  set->footer(
      "Examples:\n  cms-admin metadata set +15550100111 /private/comment \"My note\" --folder INBOX\n"
      "  cms-admin metadata set +15550100111 /private/comment --remove --folder INBOX");
  set->callback([made, value, &options] {
    if (value->count() == 0 && !made->remove && !made->from_stdin)
      throw Failure(kUsage, "Give a VALUE, --stdin or --remove");
    Set(options, *made);
  });
}

}  // namespace admin
