// References to stored data: issued, listed, fetched, revoked.
#include <cstdio>
#include <memory>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/text_width.h"
#include "tools/cms-admin/whole_file.h"

namespace admin {
namespace {

namespace json = boost::json;
using server::http::PercentEncode;

constexpr const char* kCreateFooter =
    R"(Without --part the reference is to the whole message. It is good for an account of role submit and for a PF that
acts for the owner, unless --audience says for whom.

Examples:
  cms-admin reference create +15550100111 Default/tel:+15550100222 5 --part 2
  cms-admin reference create +15550100111 Default/tel:+15550100222 5 --attachments --audience +15550100333
  cms-admin reference create +15550100111 INBOX 1 --one-time --expires 2030-01-01T00:00:00Z --json)";

struct Asked {
  std::string address;
  std::string folder;
  std::uint32_t uid = 0;
  std::uint64_t id = 0;
  std::string part;
  std::string audience;
  std::string expires;
  std::string output;
  bool attachments = false;
  bool one_time = false;
  bool hash = false;
};

std::string TargetOf(const Asked& asked) {
  return "/v1/accounts/" + PercentEncode(asked.address) + "/references";
}
std::string OneOf(const Asked& asked) { return fmt::format("{}/{}", TargetOf(asked), asked.id); }

std::string TimeOf(const json::object& record, std::string_view key) {
  const auto seconds = Number(record, key);
  return seconds == 0 ? std::string("-")
                      : fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string PlaceOf(const json::object& record) {
  const auto part = TextLine(record, "part");
  return fmt::format("{} {}{}{}", TextLine(record, "folder"), Number(record, "uid"),
                     part.empty() ? "" : " part ", part);
}

void Create(const Options& options, const Asked& asked) {
  json::object reference;
  reference["folder"] = asked.folder;
  reference["uid"] = asked.uid;
  if (!asked.part.empty()) reference["part"] = asked.part;
  if (asked.attachments) reference["attachments"] = true;
  if (!asked.audience.empty()) reference["audience"] = asked.audience;
  if (!asked.expires.empty()) reference["expires"] = asked.expires;
  if (asked.one_time) reference["one_time"] = true;
  if (asked.hash) reference["hash"] = true;
  json::object body;
  json::array list;
  list.push_back(std::move(reference));
  body["references"] = std::move(list);
  Client client(SocketPath(options));
  const auto answer = client.AskJson(Verb::post, TargetOf(asked), json::serialize(body));
  if (options.json) return PrintJson(answer.at("references"));
  for (const auto& value : answer.at("references").as_array()) {
    const auto& one = value.as_object();
    fmt::print("id       {}\npart     {}\nsize     {}\nexpires  {}\n", Number(one, "id"),
               TextLine(one, "part"), Number(one, "size"), TimeOf(one, "expires"));
    if (one.contains("url")) fmt::print("url      {}\n", TextLine(one, "url"));
    fmt::print("imap     {}\n\n", TextLine(one, "imap_url"));
  }
}

void List(const Options& options, const Asked& asked) {
  Client client(SocketPath(options));
  json::array all;
  if (!options.json)
    fmt::print("{:>6}  {:<8}  {:>7}  {:<19}  {:<20}  {}\n", "ID", "STANDING", "FETCHES", "EXPIRES",
               "AUDIENCE", "FOLDER, UID, PART");
  for (std::uint64_t after = 0;;) {
    auto page = client.AskJson(Verb::get, fmt::format("{}?limit=1000&after={}", TargetOf(asked), after));
    for (auto& value : page.at("references").as_array()) {
      if (options.json) {
        all.push_back(std::move(value));
        continue;
      }
      const auto& one = value.as_object();
      fmt::print("{:>6}  {:<8}  {:>7}  {:<19}  {:<20}  {}\n", Number(one, "id"), Text(one, "standing"),
                 Number(one, "fetches"), TimeOf(one, "expires"), TextLine(one, "audience"), PlaceOf(one));
    }
    const auto* next = page.if_contains("next");
    if (next == nullptr) break;
    after = next->to_number<std::uint64_t>();
  }
  if (options.json) PrintJson(all);
}

void Show(const Options& options, const Asked& asked) {
  Client client(SocketPath(options));
  const auto one = client.AskJson(Verb::get, OneOf(asked));
  if (options.json) return PrintJson(one);
  const auto issuer = TextLine(one, "issuer");
  fmt::print("id        {}\nof        {}\naudience  {}{}\nissuer    {}\n", Number(one, "id"), PlaceOf(one),
             TextLine(one, "audience"), one.at("one_time").as_bool() ? ", one time" : "",
             issuer.empty() ? "the operator" : issuer);
  fmt::print("created   {}\nexpires   {}\nfetches   {}\nlast      {}\nstanding  {}\n", TimeOf(one, "created"),
             TimeOf(one, "expires"), Number(one, "fetches"), TimeOf(one, "last_fetch"),
             Text(one, "standing"));
}

void Fetch(const Options& options, const Asked& asked) {
  Client client(SocketPath(options));
  const auto target = OneOf(asked) + "/data";
  if (!asked.output.empty() && asked.output != "-") {
    WholeFile file(asked.output);
    client.Download(target, [&](std::string_view octets) { file.Write(octets); });
    return file.Finish();
  }
  if (::isatty(STDOUT_FILENO) != 0)
    throw Failure(kUsage, "The data may be anything: name a file with -o, or use a pipe");
  client.Download(target, [&](std::string_view octets) {
    if (std::fwrite(octets.data(), 1, octets.size(), stdout) != octets.size())
      throw Failure(kRefused, "The data cannot be written");
  });
  if (std::fflush(stdout) != 0) throw Failure(kRefused, "The data cannot be written");
}

}  // namespace

void AddReferenceCommands(CLI::App& app, const Options& options) {
  auto* reference = app.add_subcommand("reference", "references to stored data: issue, list, fetch, revoke");
  reference->require_subcommand(1)->fallthrough();
  reference->footer(
      "Examples:\n  cms-admin reference create +15550100111 INBOX 1 --part 2\n"
      "  cms-admin reference list +15550100111\n  cms-admin reference revoke +15550100111 4");
  auto asked = std::make_shared<Asked>();
  const auto with_address = [asked](CLI::App* command) {
    command->add_option("ADDRESS", asked->address, "the account whose data it is")->required();
    return command;
  };
  const auto with_id = [asked, with_address](CLI::App* command) {
    with_address(command)->add_option("ID", asked->id, "as list shows it")->required();
    return command;
  };

  auto* create = with_address(reference->add_subcommand("create", "issue references and print their URLs"));
  create->add_option("FOLDER", asked->folder, "the folder's path")->required();
  create->add_option("UID", asked->uid, "the message")->required();
  create->add_option("--part", asked->part, "as between the brackets of BODY[]: 2, 1.3, HEADER");
  create->add_flag("--attachments", asked->attachments, "one for each attachment");
  create->add_option("--audience", asked->audience, "submit, anyone, or an address");
  create->add_option("--expires", asked->expires, "2030-01-01T00:00:00Z");
  create->add_flag("--one-time", asked->one_time, "for one fetch");
  create->add_flag("--hash", asked->hash, "tell the SHA-256 of the data too");
  create->footer(kCreateFooter);
  create->callback([=, &options] { Create(options, *asked); });

  auto* list =
      with_address(reference->add_subcommand("list", "what was issued, and how often it was fetched"));
  list->footer("Example:\n  cms-admin reference list +15550100111");
  list->callback([=, &options] { List(options, *asked); });

  auto* show = with_id(reference->add_subcommand("show", "one of them"));
  show->footer("Example:\n  cms-admin reference show +15550100111 4");
  show->callback([=, &options] { Show(options, *asked); });

  auto* fetch = with_id(reference->add_subcommand("fetch", "the data; it is not counted"));
  fetch->add_option("-o,--output", asked->output,
                    "a file, which is there once all of it is; default standard output (-)");
  fetch->footer("Example:\n  cms-admin reference fetch +15550100111 4 -o photo.jpg");
  fetch->callback([=, &options] { Fetch(options, *asked); });

  auto* revoke = with_id(reference->add_subcommand("revoke", "neither of its URLs is good any more"));
  revoke->footer("Example:\n  cms-admin reference revoke +15550100111 4");
  revoke->callback([=, &options] {
    Client client(SocketPath(options));
    client.Ask(Verb::delete_, OneOf(*asked));
  });

  auto* reset = with_address(reference->add_subcommand(
      "reset-keys", "all references and authorised URLs are void: of a folder, or of the account"));
  reset->add_option("FOLDER", asked->folder, "the folder's path; default all");
  reset->footer("Example:\n  cms-admin reference reset-keys +15550100111 Trips");
  reset->callback([=, &options] {
    Client client(SocketPath(options));
    auto target = "/v1/accounts/" + PercentEncode(asked->address) + "/url-keys";
    if (!asked->folder.empty()) target += "?folder=" + PercentEncode(asked->folder);
    client.Ask(Verb::delete_, target);
  });
}

}  // namespace admin
