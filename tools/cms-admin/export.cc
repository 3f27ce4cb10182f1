#include <boost/json/array.hpp>
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
    R"(DIR is made; it must be empty or missing. `import` reads what this writes and gives back folders, octets, flags and
dates (with --format maildir and eml with the help of manifest.jsonl, which this writes too).

Examples:
  cms-admin export +15550100111 backup/user1
  cms-admin export +15550100111 chats --folder Default --format mbox)";

struct ExportOptions {
  std::string address;
  std::string directory;
  std::string folder;
  Format format = Format::kMaildir;
};

/// Takes the stream of frames and octets apart.
class FrameParser {
 public:
  using Visit = std::function<void(const server::http::MessageFrame&, std::string octets)>;
  explicit FrameParser(Visit visit) : visit_(std::move(visit)) {}

  void Feed(std::string_view octets) {
    held_ += octets;
    while (Step()) {
    }
  }
  bool at_end() const { return !frame_ && held_.empty(); }

 private:
  bool Step() {
    if (!frame_) {
      const auto end = held_.find('\n');
      if (end == std::string::npos) return false;
      frame_ = server::http::DecodeFrame(std::string_view(held_).substr(0, end));
      if (!frame_) throw Failure(kRefused, "cmsd sent something that is no message");
      held_.erase(0, end + 1);
    }
    if (held_.size() < frame_->size) return false;
    visit_(*frame_, held_.substr(0, frame_->size));
    held_.erase(0, frame_->size);
    frame_.reset();
    return true;
  }

  Visit visit_;
  std::string held_;
  std::optional<server::http::MessageFrame> frame_;
};

struct Chosen {
  std::string path;
  std::uint64_t octets;
};

/// All, or one and what is below it.
std::vector<Chosen> Choose(Client& client, const std::string& account, const std::string& wanted) {
  std::vector<Chosen> chosen;
  const auto answer = client.AskJson(Verb::get, account + "/folders");
  for (const auto& entry : answer.at("folders").as_array()) {
    const std::string path(entry.at("path").as_string());
    if (!wanted.empty() && path != wanted && !path.starts_with(wanted + "/")) continue;
    chosen.push_back({path, entry.at("octets").to_number<std::uint64_t>()});
  }
  if (chosen.empty()) throw Failure(kRefused, "There is no folder " + wanted);
  return chosen;
}

void Export(const Options& options, const ExportOptions& to) {
  Client client(SocketPath(options));
  const auto account = "/v1/accounts/" + server::http::PercentEncode(to.address);
  const auto folders = Choose(client, account, to.folder);
  std::uint64_t total = 0;
  for (const auto& folder : folders) total += folder.octets;

  const auto writer = TreeWriter::Open(to.directory, to.format);
  std::uint64_t messages = 0;
  {
    Progress progress("export", total);
    for (const auto& folder : folders) {
      writer->Begin(folder.path);
      FrameParser parser([&](const server::http::MessageFrame& frame, std::string octets) {
        ++messages;
        progress.Advance(octets.size());
        writer->Add(frame.uid.value_or(protocol::Uid{}).value, {std::move(octets), frame.flags, frame.date});
      });
      client.Download(account + "/messages?folder=" + server::http::PercentEncode(folder.path),
                      [&](std::string_view octets) { parser.Feed(octets); });
      if (!parser.at_end()) throw Failure(kUnreachable, "cmsd broke off in " + folder.path);
    }
    writer->Finish();
  }
  if (options.json) {
    PrintJson(boost::json::object{{"folders", folders.size()}, {"messages", messages}});
  } else {
    fmt::print("{} messages of {} folders\n", messages, folders.size());
  }
}

}  // namespace

void AddExportCommand(CLI::App& app, const Options& options) {
  auto to = std::make_shared<ExportOptions>();
  auto* command = app.add_subcommand("export", "write an account's messages to files");
  command->add_option("ADDRESS", to->address, "whose account")->required();
  command->add_option("DIR", to->directory, "where to")->required();
  command->add_option("--folder", to->folder, "only this folder and what is below it");
  const std::map<std::string, Format> formats = {
      {"maildir", Format::kMaildir}, {"mbox", Format::kMbox}, {"eml", Format::kEml}};
  command->add_option("--format", to->format, "maildir, mbox or eml; default maildir")
      ->transform(CLI::CheckedTransformer(formats).description(""))
      ->type_name("FORMAT");
  command->footer(kFooter);
  command->callback([to, &options] { Export(options, *to); });
}

}  // namespace admin
