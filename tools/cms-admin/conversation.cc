#include <filesystem>
#include <fstream>
#include <set>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>

#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/conversation_html.h"
#include "tools/cms-admin/conversation_model.h"
#include "tools/cms-admin/conversation_text.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/terminal.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using server::http::PercentEncode;

constexpr const char* kListFooter =
    R"(The latest first. A group has its folder below its subject; a 1-1 conversation is called by its peer.

Examples:
  cms-admin conversation list +15550100111
  cms-admin conversation list +15550100111 --json | jq '.[] | select(.unread > 0)')";

constexpr const char* kShowFooter =
    R"(CONVERSATION is a folder, its last part, a peer's address, or a group's subject. Replies stand below what they reply
to; who received and read a message comes from the notifications that are stored. Times are in the zone of TZ.

Examples:
  cms-admin conversation show +15550100111 +15550100222
  TZ=Europe/Berlin cms-admin conversation show +15550100111 Default/tel:+15550100222 | less
  cms-admin conversation show +15550100111 'Saturday trip, again' --json

Exit status: 0 shown, 1 no such account or conversation, 2 wrong usage, 3 cmsd cannot be reached.)";

constexpr const char* kExportFooter =
    R"(A file a conversation, DIR/<folder>.html or .json. DIR is made; it must be empty or missing. A page is complete in
itself: images are inside, nothing is loaded from elsewhere, no script, no link out of it.

Examples:
  cms-admin conversation export +15550100111 --html -o chats
  cms-admin conversation export +15550100111 --folder +15550100222 --json -o backup

Exit status: 0 written, 1 no such account or conversation, or DIR cannot be written, 2 wrong usage, 3 cmsd cannot
be reached.)";

std::string TargetOf(const std::string& address) { return "/v1/accounts/" + PercentEncode(address); }

/// All conversations of an account, as cmsd tells them.
json::array AllConversations(Client& client, const std::string& account) {
  json::array all;
  for (std::string after;;) {
    auto page =
        client.AskJson(Verb::get, account + "/conversations?limit=1000&after=" + PercentEncode(after));
    for (auto& one : page.at("conversations").as_array()) all.push_back(std::move(one));
    const auto* next = page.if_contains("next");
    if (!next || !next->is_string()) return all;
    after = next->get_string();
  }
}

/// The folder that a person means: its path, its last part, the peer, the subject.
std::string FolderOf(Client& client, const std::string& account, const std::string& wanted) {
  std::vector<std::string> found;
  for (const auto& entry : AllConversations(client, account)) {
    const auto head = ReadConversationHead(entry.as_object());
    if (head.folder == wanted) return wanted;
    const auto last = head.folder.substr(head.folder.rfind('/') + 1);
    const bool peer = !head.peer.empty() &&
                      (head.peer == wanted || head.peer == "tel:" + wanted || head.peer == "sip:" + wanted);
    if (last == wanted || peer || (!head.subject.empty() && head.subject == wanted))
      found.push_back(head.folder);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return wanted;  // perhaps a folder of another kind; cmsd knows
  std::string which;
  for (const auto& folder : found) which += "\n  " + VisibleLine(folder);
  throw Failure(kUsage, fmt::format("There is more than one \"{}\":{}", VisibleLine(wanted), which));
}

json::object FetchConversation(Client& client, const std::string& account, const std::string& folder) {
  json::stream_parser parser;
  boost::system::error_code error;
  client.Download(account + "/conversation?folder=" + PercentEncode(folder), [&](std::string_view octets) {
    if (!error) parser.write(octets.data(), octets.size(), error);
  });
  if (!error) parser.finish(error);
  auto value = error ? json::value() : parser.release();
  if (!value.is_object()) throw Failure(kUnreachable, "cmsd broke off in " + folder);
  return std::move(value.get_object());
}

void List(const Options& options, const std::string& address) {
  Client client(SocketPath(options));
  const auto all = AllConversations(client, TargetOf(address));
  if (options.json) {
    PrintJson(all);
    return;
  }
  std::vector<ConversationHead> heads;
  for (const auto& one : all) heads.push_back(ReadConversationHead(one.as_object()));
  if (heads.empty()) {
    fmt::print("no conversations\n");
    return;
  }
  fmt::print("{}", ConversationTable(std::move(heads), StyleOfOutput()));
}

void Show(const Options& options, const std::string& address, const std::string& wanted) {
  Client client(SocketPath(options));
  const auto account = TargetOf(address);
  auto answer = FetchConversation(client, account, FolderOf(client, account, wanted));
  const auto conversation = ReadConversation(answer);
  if (options.json) {
    PrintJson(Explained(std::move(answer), conversation));
    return;
  }
  fmt::print("{}", ConversationText(conversation, StyleOfOutput()));
}

struct ExportOptions {
  std::string address;
  std::string folder;
  std::string directory;
  bool html = false;
};

void MakeEmptyDirectory(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) throw Failure(kRefused, fmt::format("{}: {}", path.string(), error.message()));
  if (!fs::is_empty(path, error) || error) throw Failure(kUsage, path.string() + " is not empty");
}

/// A file name that every system takes, and that still tells the folder: "Default.tel.+15550100222".
std::string FileNameOf(const std::string& folder, std::set<std::string>& taken) {
  constexpr std::size_t kMost = 120;
  std::string name;
  for (const char c : folder) {
    const auto octet = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       std::string_view("+-_@").find(c) != std::string_view::npos;
    name += plain ? c : c == '/' || c == ':' || c == '.' ? '.' : '_';
    if (octet < 0x20 || name.size() >= kMost) break;
  }
  if (name.starts_with('.')) name.insert(0, "_");
  auto unique = name;
  for (int i = 2; !taken.insert(unique).second; ++i) unique = fmt::format("{}-{}", name, i);
  return unique;
}

void WriteOne(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  std::ofstream out(path, std::ios::binary);
  write(out);
  out.close();
  if (!out) throw Failure(kRefused, path.string() + " cannot be written");
}

void Export(const Options& options, const ExportOptions& to) {
  if (to.html == options.json) throw Failure(kUsage, "Give --html or --json, one of them");
  Client client(SocketPath(options));
  const auto account = TargetOf(to.address);
  std::vector<std::string> folders;
  if (to.folder.empty()) {
    for (const auto& one : AllConversations(client, account))
      folders.push_back(ReadConversationHead(one.as_object()).folder);
  } else {
    folders.push_back(FolderOf(client, account, to.folder));
  }
  // A wrong folder is told before DIR is made.
  auto first = folders.empty() ? json::object() : FetchConversation(client, account, folders.front());
  MakeEmptyDirectory(to.directory);

  std::set<std::string> taken;
  std::size_t objects = 0;
  Progress progress("conversations", folders.size());
  for (const auto& folder : folders) {
    auto answer = first.empty() ? FetchConversation(client, account, folder) : std::exchange(first, {});
    const auto conversation = ReadConversation(answer);
    objects += conversation.objects.size();
    const auto path = fs::path(to.directory) / (FileNameOf(folder, taken) + (to.html ? ".html" : ".json"));
    const auto fetch = [&](const ConversationObject& object, std::size_t file) {
      return client.Ask(Verb::get, fmt::format("{}/objects?folder={}&uid={}&file={}", account,
                                               PercentEncode(object.folder), object.uid, file));
    };
    WriteOne(path, [&](std::ostream& out) {
      if (to.html) {
        WriteConversationHtml(conversation, fetch, out);
      } else {
        out << json::serialize(Explained(std::move(answer), conversation)) << '\n';
      }
    });
    progress.Advance(1);
  }
  fmt::print("{} conversations with {} objects in {}\n", folders.size(), objects, to.directory);
}

}  // namespace

void AddConversationCommands(CLI::App& app, const Options& options) {
  auto* conversation = app.add_subcommand("conversation", "conversations: list, show, export");
  conversation->require_subcommand(1)->fallthrough();
  conversation->footer(
      "Examples:\n  cms-admin conversation list +15550100111\n  cms-admin conversation show +15550100111 "
      "+15550100222");

  auto address = std::make_shared<std::string>();
  auto* list = conversation->add_subcommand("list", "all conversations, the latest first");
  list->add_option("ADDRESS", *address, "whose account")->required();
  list->footer(kListFooter);
  list->callback([address, &options] { List(options, *address); });

  auto wanted = std::make_shared<std::string>();
  auto* show = conversation->add_subcommand("show", "one conversation with its sessions, by thread");
  show->add_option("ADDRESS", *address, "whose account")->required();
  show->add_option("CONVERSATION", *wanted, "which one")->required();
  show->footer(kShowFooter);
  show->callback([address, wanted, &options] { Show(options, *address, *wanted); });

  auto to = std::make_shared<ExportOptions>();
  auto* exported = conversation->add_subcommand("export", "write conversations as HTML pages or JSON");
  exported->add_option("ADDRESS", to->address, "whose account")->required();
  exported->add_option("--folder", to->folder, "only this conversation, named as for `show`");
  exported->add_flag("--html", to->html, "pages of HTML; or else --json");
  exported->add_option("-o,--output", to->directory, "where to")->required()->type_name("DIR");
  exported->footer(kExportFooter);
  exported->callback([to, &options] { Export(options, *to); });
}

}  // namespace admin
