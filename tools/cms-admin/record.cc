#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
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

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::size_t kMaxLine = 1 << 20;
constexpr std::size_t kPiece = 64 * 1024;

constexpr const char* kFooter =
    R"(FILE has one event a line, as POST /v1/accounts/{address}/record takes it (server/http/README.md), with "account",
whose it is; "-" is standard input:
  {"account":"+15550100111","event":"chat","direction":"received","from":"tel:+15550100222","text":"Lunch at noon?",
   "conversation_id":"6c2d1f40","contribution_id":"0b7de2c1","imdn_message_id":"Qv7x2m0aKf"}      (all on one line)
A content with "file" in place of "text" is read from there; paths are relative to FILE, with "-" to where you are:
  "contents":[{"type":"image/jpeg","name":"quay.jpg","file":"pictures/quay.jpg"}]
Refused lines are listed with their numbers on standard error, the others are recorded; then the exit status is 1. Events that
are there already are not recorded again, so a file that broke off can be sent anew. With --json: one object that sums up.

Examples:
  cms-admin record events.jsonl
  zcat events.jsonl.gz | cms-admin --json record -)";

/// What has become of a file so far.
struct Tally {
  std::size_t recorded = 0;
  std::size_t known = 0;
  std::size_t refused = 0;
};

/// Of one line: what goes to cmsd. A file is named by the line, and read when its turn comes.
struct Request {
  std::string target;
  std::string description;
  std::vector<fs::path> files;
};

[[noreturn]] void Bad(const std::string& what) { throw Failure(kRefused, what); }

std::string TakeText(json::object& line, const char* key) {
  const auto* value = line.if_contains(key);
  if (!value || !value->is_string() || value->get_string().empty())
    Bad(fmt::format("{} is missing, or no text", key));
  std::string text(value->get_string());
  line.erase(key);
  return text;
}

Request ReadLine(const std::string& text, const fs::path& base) {
  boost::system::error_code error;
  auto value = json::parse(text, error);
  if (error || !value.is_object()) Bad("is no JSON object");
  auto& line = value.get_object();
  Request out;
  out.target = "/v1/accounts/" + server::http::PercentEncode(TakeText(line, "account")) + "/record";
  if (auto* contents = line.if_contains("contents"); contents && contents->is_array()) {
    for (auto& content : contents->get_array()) {
      if (!content.is_object() || !content.get_object().contains("file")) continue;
      if (content.get_object().contains("text")) Bad("a content has both \"text\" and \"file\"");
      out.files.push_back(base / TakeText(content.get_object(), "file"));
      if (!fs::is_regular_file(out.files.back()))
        Bad(out.files.back().string() + " is no file that can be read");
    }
  }
  out.description = json::serialize(value);
  return out;
}

/// Sends a description and its files. What a file holds is anything, so the boundary is random: 128 bits.
json::object SendMultipart(Client& client, const Request& request) {
  std::random_device random;
  const auto boundary = fmt::format("{:08x}{:08x}{:08x}{:08x}", random(), random(), random(), random());
  const auto part = [&](std::string_view name) {
    return fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n", boundary, name);
  };
  return client.Upload(
      request.target,
      [&](const Client::Send& send) {
        bool taken = send(part("event") + request.description + "\r\n");
        std::vector<char> space(kPiece);
        for (const auto& path : request.files) {
          std::ifstream file(path, std::ios::binary);
          taken = taken && send(part("file"));
          while (taken && file.read(space.data(), static_cast<std::streamsize>(space.size())).gcount() > 0)
            taken = send({space.data(), static_cast<std::size_t>(file.gcount())});
          // Without its end cmsd refuses the event: better than a file that is cut.
          if (file.bad()) return;
          taken = taken && send("\r\n");
        }
        send("--" + boundary + "--\r\n");
      },
      "multipart/form-data; boundary=" + boundary);
}

/// Records one line, or says why not.
void RecordLine(Client& client, const std::string& line, const fs::path& base, Tally& tally) {
  const auto request = ReadLine(line, base);
  const auto answer = request.files.empty() ? client.AskJson(Verb::post, request.target, request.description)
                                            : SendMultipart(client, request);
  answer.at("created").as_bool() ? ++tally.recorded : ++tally.known;
}

/// True unless the input has ended. A line that is too long is read to its end, and cut.
bool NextLine(std::istream& in, std::string& line) {
  line.clear();
  bool any = false;
  for (int c = in.get(); c != std::istream::traits_type::eof(); c = in.get()) {
    any = true;
    if (c == '\n') break;
    if (line.size() <= kMaxLine) line += static_cast<char>(c);
  }
  if (line.ends_with('\r')) line.pop_back();
  return any;
}

Tally RecordStream(Client& client, std::istream& in, std::uint64_t size, const fs::path& base) {
  Tally tally;
  Progress progress("events", size);
  progress.Advance(0);
  std::string line;
  for (std::size_t number = 1; NextLine(in, line); ++number) {
    if (line.find_first_not_of(" \t") != std::string::npos) {
      try {
        if (line.size() > kMaxLine) Bad(fmt::format("has more than {} octets", kMaxLine));
        RecordLine(client, line, base, tally);
      } catch (const Failure& failure) {
        if (failure.exit_code != kRefused)
          throw Failure(failure.exit_code, fmt::format("line {}: {}", number, failure.what()));
        ++tally.refused;
        progress.Say(fmt::format("line {}: {}", number, VisibleLine(failure.what())));
      }
    }
    progress.Advance(line.size() + 1);  // a file that it names is part of it
  }
  return tally;
}

void RecordFile(const Options& options, const std::string& path) {
  Client client(SocketPath(options));
  Tally tally;
  if (path == "-") {
    tally = RecordStream(client, std::cin, 0, fs::path());
  } else {
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file || fs::is_directory(path)) throw Failure(kUsage, path + " cannot be read");
    const auto size = static_cast<std::uint64_t>(file.tellg());
    file.seekg(0);
    tally = RecordStream(client, file, size, fs::path(path).parent_path());
  }
  if (options.json) {
    PrintJson(json::object{{"recorded", tally.recorded}, {"known", tally.known}, {"refused", tally.refused}});
  } else {
    fmt::print("{} recorded, {} known before, {} refused\n", tally.recorded, tally.known, tally.refused);
  }
  if (tally.refused > 0)
    throw Failure(kRefused,
                  fmt::format("{} line{} refused", tally.refused, tally.refused == 1 ? " was" : "s were"));
}

}  // namespace

void AddRecordCommand(CLI::App& app, const Options& options) {
  auto path = std::make_shared<std::string>();
  auto* command = app.add_subcommand("record", "record events of the network from a file");
  command->add_option("FILE", *path, "JSON lines")->required();
  command->footer(kFooter);
  command->callback([path, &options] { RecordFile(options, *path); });
}

}  // namespace admin
