// References to stored data: issued, listed, fetched, revoked.
#include <algorithm>
#include <cstdio>
#include <limits>
#include <memory>
#include <utility>

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
acts for the owner, unless --audience says for whom. With --json there is also external_body: a part that stands for
the data in a message.

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

/// An empty shell variable is a mistake, and not "all of it".
const CLI::Validator kNotEmpty(
    [](const std::string& value) { return std::string(value.empty() ? "it is empty" : ""); }, "");

std::string TargetOf(const Asked& asked) {
  return "/v1/accounts/" + PercentEncode(asked.address) + "/references";
}
std::string OneOf(const Asked& asked) { return fmt::format("{}/{}", TargetOf(asked), asked.id); }

/// In UTC.
std::string TimeOf(const json::object& record, std::string_view key) {
  const auto seconds = Number(record, key);
  return seconds == 0 ? std::string("-")
                      : fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

/// "Trips 5 part 2 from 100, 50 octets"
std::string PlaceOf(const json::object& record) {
  auto place = fmt::format("{} {}", TextLine(record, "folder"), Number(record, "uid"));
  if (const auto part = TextLine(record, "part"); !part.empty()) place += " part " + part;
  if (record.contains("offset")) place += fmt::format(" from {}", Number(record, "offset"));
  if (record.contains("length")) place += fmt::format(", {} octets", Number(record, "length"));
  return place;
}

std::string FetchesOf(const json::object& record) {
  return fmt::format("{}{}", Number(record, "fetches"), IsTrue(record, "one_time") ? " of 1" : "");
}

/// A line "key       value", unless there is none.
void PrintField(std::string_view key, std::string_view value) {
  if (!value.empty()) fmt::print("{:<10}{}\n", key, value);
}

/// What it is and for whom.
void PrintTerms(const json::object& one) {
  PrintField("id", std::to_string(Number(one, "id")));
  PrintField("of", PlaceOf(one));
  PrintField("audience", TextLine(one, "audience") + (IsTrue(one, "one_time") ? ", one time" : ""));
}

/// A request may be for many references, and says which of them was refused; here there is one.
std::string WithoutIndex(std::string sentence) {
  for (const std::string_view index : {"references[0]: ", "references[0]."})
    if (const auto at = sentence.find(index); at != std::string::npos) sentence.erase(at, index.size());
  if (sentence.ends_with(": ")) sentence.resize(sentence.size() - 2);
  return sentence;
}

json::object Issue(Client& client, const Asked& asked, const json::object& body) {
  try {
    return client.AskJson(Verb::post, TargetOf(asked), json::serialize(body));
  } catch (const Failure& failure) {
    throw Failure(failure.exit_code, WithoutIndex(failure.what()));
  }
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
  const auto answer = Issue(client, asked, body);
  if (options.json) return PrintJson(answer.at("references"));
  bool first = true;
  for (const auto& value : answer.at("references").as_array()) {
    const auto& one = value.as_object();
    if (!std::exchange(first, false)) fmt::print("\n");
    PrintTerms(one);
    PrintField("expires", TimeOf(one, "expires") + " UTC");
    PrintField("size", std::to_string(Number(one, "size")));
    PrintField("type", TextLine(one, "content_type"));
    PrintField("name", TextLine(one, "name"));
    PrintField("sha256", TextLine(one, "sha256"));
    PrintField("url", TextLine(one, "url"));
    PrintField("imap", TextLine(one, "imap_url"));
  }
  if (first) fmt::print("The message has no attachments: nothing was issued\n");
}

void List(const Options& options, const Asked& asked) {
  Client client(SocketPath(options));
  json::array all;
  for (std::uint64_t after = 0;;) {
    auto page = client.AskJson(Verb::get, fmt::format("{}?limit=1000&after={}", TargetOf(asked), after));
    for (auto& one : page.at("references").as_array()) all.push_back(std::move(one));
    const auto* next = page.if_contains("next");
    if (next == nullptr) break;
    after = next->to_number<std::uint64_t>();
  }
  if (options.json) return PrintJson(all);
  if (all.empty()) return fmt::print("no references\n");
  constexpr std::size_t kMostAudience = 40;  // show has all of it
  std::size_t width = 8;
  for (const auto& one : all)
    width = std::clamp(Width(TextLine(one.as_object(), "audience")), width, kMostAudience);
  fmt::print("{:>6}  {:<8}  {:>7}  {:<19}  {}  {}\n", "ID", "STANDING", "FETCHES", "EXPIRES (UTC)",
             Fit("AUDIENCE", width), "FOLDER, UID, PART");
  for (const auto& value : all) {
    const auto& one = value.as_object();
    fmt::print("{:>6}  {:<8}  {:>7}  {:<19}  {}  {}\n", Number(one, "id"), TextLine(one, "standing"),
               FetchesOf(one), TimeOf(one, "expires"), Fit(TextLine(one, "audience"), width), PlaceOf(one));
  }
}

void Show(const Options& options, const Asked& asked) {
  Client client(SocketPath(options));
  const auto one = client.AskJson(Verb::get, OneOf(asked));
  if (options.json) return PrintJson(one);
  const auto issuer = TextLine(one, "issuer");
  PrintTerms(one);
  PrintField("issuer", issuer.empty() ? "the operator" : issuer);
  PrintField("created", TimeOf(one, "created") + " UTC");
  PrintField("expires", TimeOf(one, "expires") + " UTC");
  PrintField("fetches", FetchesOf(one));
  if (one.contains("last_fetch")) PrintField("last", TimeOf(one, "last_fetch") + " UTC");
  PrintField("standing", TextLine(one, "standing"));
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
  create->add_option("UID", asked->uid, "the message")
      ->required()
      ->check(CLI::Range(1U, std::numeric_limits<std::uint32_t>::max()).description(""));
  auto* part = create->add_option("--part", asked->part, "as between the brackets of BODY[]: 2, 1.3, HEADER")
                   ->check(kNotEmpty);
  create->add_flag("--attachments", asked->attachments, "one for each attachment")->excludes(part);
  create->add_option("--audience", asked->audience, "submit, anyone, or an address; default submit")
      ->check(kNotEmpty);
  create
      ->add_option("--expires", asked->expires,
                   "when: 2030-01-01T00:00:00Z, or seconds since 1970; default after [references] lifetime")
      ->type_name("TIME")
      ->check(kNotEmpty);
  create->add_flag("--one-time", asked->one_time, "for one fetch");
  create->add_flag("--hash", asked->hash, "tell the SHA-256 of the data too");
  create->footer(kCreateFooter);
  create->callback([=, &options] { Create(options, *asked); });

  auto* list =
      with_address(reference->add_subcommand("list", "what was issued, and how often it was fetched"));
  list->footer(
      "STANDING is good, expired, revoked, used (for one time, which has been) or reset (the folder's "
      "keys).\n"
      "What is no longer good is listed for a day, or until newer ones need the room.\n\nExample:\n  "
      "cms-admin reference list +15550100111");
  list->callback([=, &options] { List(options, *asked); });

  auto* show = with_id(reference->add_subcommand("show", "one of them, with its issuer and its times"));
  show->footer("Example:\n  cms-admin reference show +15550100111 4");
  show->callback([=, &options] { Show(options, *asked); });

  auto* fetch = with_id(reference->add_subcommand("fetch", "get the data; it counts as no fetch"));
  fetch
      ->add_option("-o,--output", asked->output,
                   "what is there stays until the data is whole; default standard output (-)")
      ->type_name("FILE");
  fetch->footer(
      "Also what is expired, revoked or used, as long as list shows it.\n\nExample:\n"
      "  cms-admin reference fetch +15550100111 4 -o photo.jpg");
  fetch->callback([=, &options] { Fetch(options, *asked); });

  auto* revoke = with_id(reference->add_subcommand("revoke", "end it: neither of its URLs is good any more"));
  revoke->footer("Example:\n  cms-admin reference revoke +15550100111 4");
  revoke->callback([=, &options] {
    Client client(SocketPath(options));
    client.Ask(Verb::delete_, OneOf(*asked));
  });

  auto* reset = with_address(reference->add_subcommand(
      "reset-keys", "void all references and authorised URLs of a folder, or of the account"));
  reset->add_option("FOLDER", asked->folder, "the folder's path; default all folders")->check(kNotEmpty);
  reset->footer(
      "Examples:\n  cms-admin reference reset-keys +15550100111 Trips\n"
      "  cms-admin reference reset-keys +15550100111");
  reset->callback([=, &options] {
    Client client(SocketPath(options));
    auto target = "/v1/accounts/" + PercentEncode(asked->address) + "/url-keys";
    if (!asked->folder.empty()) target += "?folder=" + PercentEncode(asked->folder);
    client.Ask(Verb::delete_, target);
  });
}

}  // namespace admin
