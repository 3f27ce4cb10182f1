#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "server/http/message_frame.h"
#include "server/http/url.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/folder_tree.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/terminal.h"

namespace admin {
namespace {

constexpr const char* kFooter =
    R"(PATH is a Maildir or a tree of them, an mbox file or a tree of *.mbox, an .eml file or a tree of *.eml.
Folders that are missing are made. Messages at the top go to INBOX, or to what --folder says. Flags and dates
come from the files' names and times, and from manifest.jsonl where `export` has left one.

Examples:
  cms-admin import +15550100111 ~/Maildir
  cms-admin import +15550100111 old.mbox --folder Archive/2019
  cms-admin import +15550100111 etc/demo)";

struct ImportOptions {
  std::string address;
  std::string path;
  std::string folder;
  Format format = Format::kAuto;
};

void Import(const Options& options, const ImportOptions& import) {
  const auto folders = FindFolders(import.path, import.format, import.folder);
  std::uint64_t total = 0;
  for (const auto& folder : folders) total += folder.octets;

  Client client(SocketPath(options));
  const auto account = "/v1/accounts/" + server::http::PercentEncode(import.address);
  std::uint64_t messages = 0;
  {
    Progress progress("import", total);
    for (const auto& folder : folders) {
      const auto name = server::http::PercentEncode(folder.name);
      client.Ask(Verb::put, account + "/folders?path=" + name);
      const auto answer = client.Upload(account + "/messages?folder=" + name, [&](const Client::Send& send) {
        folder.read([&](const LocalMessage& message) {
          const server::http::MessageFrame frame{message.octets.size(), std::nullopt, message.date,
                                                 message.flags};
          progress.Advance(message.octets.size());
          return send(server::http::Encode(frame)) && send(message.octets);
        });
      });
      messages += answer.at("imported").to_number<std::uint64_t>();
    }
  }
  if (options.json) {
    PrintJson(boost::json::object{{"folders", folders.size()}, {"messages", messages}});
  } else {
    fmt::print("{} messages into {} folders\n", messages, folders.size());
  }
}

}  // namespace

void AddImportCommand(CLI::App& app, const Options& options) {
  auto import = std::make_shared<ImportOptions>();
  auto* command = app.add_subcommand("import", "load messages from files into an account");
  command->add_option("ADDRESS", import->address, "whose account")->required();
  command->add_option("PATH", import->path, "file or directory")->required();
  command->add_option("--folder", import->folder, "where to put it; what is in subdirectories goes below");
  const std::map<std::string, Format> formats = {
      {"auto", Format::kAuto}, {"maildir", Format::kMaildir}, {"mbox", Format::kMbox}, {"eml", Format::kEml}};
  command->add_option("--format", import->format, "auto, maildir, mbox or eml")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name("FORMAT");
  command->footer(kFooter);
  command->callback([import, &options] { Import(options, *import); });
}

}  // namespace admin
