#include "tools/cms-admin/folder_tree.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "server/http/url.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/mbox.h"

namespace admin {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr const char* kManifest = "manifest.jsonl";

// ---- names ----

/// A folder's component as a file's name: no leading '.', no '%', none of the names that mean something to a
/// format.
std::string EncodeComponent(std::string_view component) {
  std::string out;
  for (std::size_t i = 0; i < component.size(); ++i) {
    const char c = component[i];
    const bool encode = c == '%' || (c == '.' && i == 0) || static_cast<unsigned char>(c) < ' ';
    out += encode ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  if (out == "cur" || out == "new" || out == "tmp" || out.ends_with(".mbox") || out.ends_with(".eml"))
    out = fmt::format("%{:02X}", static_cast<unsigned char>(out[0])) + out.substr(1);
  return out;
}

fs::path EncodeFolder(std::string_view folder) {
  fs::path out;
  while (!folder.empty()) {
    const auto end = folder.find('/');
    out /= EncodeComponent(folder.substr(0, end));
    folder.remove_prefix(end == std::string_view::npos ? folder.size() : end + 1);
  }
  return out;
}

std::string DecodeFolder(const fs::path& relative) {
  std::string out;
  for (const auto& part : relative) {
    auto name = part.string();
    if (name == "." || name.empty()) continue;
    if (name.starts_with('.')) {  // Maildir++: ".Sent.2024"
      name.erase(0, 1);
      std::ranges::replace(name, '.', '/');
    }
    out += (out.empty() ? "" : "/") + server::http::PercentDecode(name).value_or(name);
  }
  return out;
}

std::string Below(const std::string& base, const std::string& folder) {
  if (folder.empty()) return base.empty() ? "INBOX" : base;
  return base.empty() ? folder : base + "/" + folder;
}

// ---- files ----

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  if (in && fs::file_size(path) > 0) out << in.rdbuf();
  if (!in) throw Failure(kUsage, path.string() + " cannot be read");
  return std::move(out).str();
}

void WriteFile(const fs::path& path, std::string_view octets) {
  std::ofstream out(path, std::ios::binary);
  out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
  out.close();
  if (!out) throw Failure(kRefused, path.string() + " cannot be written");
}

std::vector<fs::path> Sorted(const fs::path& directory) {
  std::vector<fs::path> entries;
  if (!fs::is_directory(directory)) return entries;
  for (const auto& entry : fs::directory_iterator(directory)) entries.push_back(entry.path());
  std::ranges::sort(entries);
  return entries;
}

// ---- the manifest ----

struct ManifestLine {
  std::string file;  ///< empty: the folder has none
  std::string folder;
  protocol::FlagSet flags;
  std::optional<protocol::InternalDate> date;
};

std::string Encode(const ManifestLine& line) {
  if (line.file.empty()) return json::serialize(json::object{{"folder", line.folder}}) + "\n";
  json::array flags;
  for (int i = 0; i < protocol::kSystemFlagCount; ++i) {
    const auto flag = static_cast<protocol::SystemFlag>(i);
    if (line.flags.Contains(flag)) flags.emplace_back(protocol::Name(flag));
  }
  for (const auto& keyword : line.flags.keywords()) flags.emplace_back(keyword);
  json::object out;
  out["file"] = line.file;
  out["folder"] = line.folder;
  out["flags"] = std::move(flags);
  if (line.date) out["internal_date"] = protocol::FormatDateTime(*line.date);
  return json::serialize(out) + "\n";
}

/// Empty if there is none; in the order of the file.
std::vector<ManifestLine> ReadManifest(const fs::path& root) {
  std::vector<ManifestLine> lines;
  std::ifstream in(root / kManifest);
  std::string text;
  for (std::size_t number = 1; std::getline(in, text); ++number) {
    boost::system::error_code error;
    const auto value = json::parse(text, error);
    const auto* object = error ? nullptr : value.if_object();
    const auto* file = object ? object->if_contains("file") : nullptr;
    const auto* folder = object ? object->if_contains("folder") : nullptr;
    if ((file && !file->is_string()) || !folder || !folder->is_string())
      throw Failure(kUsage, fmt::format("{}:{}: needs \"folder\", and \"file\" if there is one, as strings",
                                        (root / kManifest).string(), number));
    ManifestLine line{file ? std::string(file->get_string()) : "", std::string(folder->get_string()), {}, {}};
    if (const auto* flags = object->if_contains("flags"); flags && flags->is_array())
      for (const auto& flag : flags->get_array())
        if (flag.is_string()) line.flags.Insert(std::string_view(flag.get_string()));
    if (const auto* date = object->if_contains("internal_date"); date && date->is_string())
      line.date = protocol::ParseDateTime(date->get_string());
    lines.push_back(std::move(line));
  }
  return lines;
}

// ---- reading ----

/// A message in a file of its own.
struct MessageFile {
  fs::path path;
  protocol::FlagSet flags;
  std::optional<protocol::InternalDate> date;
  bool verbatim = false;  ///< the manifest vouches for its octets
};

/// A manifest comes from whoever made the folder; what it names must not lie elsewhere, where only the
/// operator may read.
bool IsBelow(const fs::path& root, const fs::path& path) {
  const auto relative = fs::canonical(path).lexically_relative(fs::canonical(root));
  return !relative.empty() && *relative.begin() != "..";
}

LocalFolder FolderOf(std::string name, std::vector<MessageFile> files) {
  LocalFolder folder;
  folder.name = std::move(name);
  for (const auto& file : files) folder.octets += fs::file_size(file.path);
  folder.read = [files = std::move(files)](const VisitMessage& visit) {
    for (const auto& file : files) {
      auto octets = ReadFile(file.path);
      if (!file.verbatim) octets = WithCrlf(octets);
      if (!visit({std::move(octets), file.flags, file.date})) return;
    }
  };
  return folder;
}

constexpr std::pair<char, protocol::SystemFlag> kMaildirFlags[] = {{'D', protocol::SystemFlag::kDraft},
                                                                   {'F', protocol::SystemFlag::kFlagged},
                                                                   {'R', protocol::SystemFlag::kAnswered},
                                                                   {'S', protocol::SystemFlag::kSeen},
                                                                   {'T', protocol::SystemFlag::kDeleted}};

protocol::InternalDate ModificationTime(const fs::path& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) throw Failure(kUsage, path.string() + " cannot be read");
  return {status.st_mtime, 0};
}

std::vector<LocalFolder> FindMaildirs(const fs::path& root, const std::string& base) {
  std::map<std::string, ManifestLine> manifest;
  for (auto& line : ReadManifest(root)) manifest.emplace(line.file, line);
  std::vector<fs::path> directories = {root};
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_directory()) directories.push_back(entry.path());
  std::ranges::sort(directories);

  std::vector<LocalFolder> folders;
  for (const auto& directory : directories) {
    if (!fs::is_directory(directory / "cur")) continue;
    std::vector<MessageFile> files;
    for (const auto* part : {"cur", "new"}) {
      for (const auto& path : Sorted(directory / part)) {
        if (!fs::is_regular_file(path) || !IsBelow(root, path)) continue;
        const auto name = path.filename().string();
        const auto colon = name.find(":2,");
        MessageFile file{path, {}, ModificationTime(path), false};
        const auto key = fs::relative(directory / name.substr(0, colon), root).string();
        if (const auto known = manifest.find(key); known != manifest.end()) {
          for (const auto& keyword : known->second.flags.keywords()) file.flags.Insert(keyword);
          file.date = known->second.date;
          file.verbatim = true;
        }
        if (colon != std::string::npos)
          for (const auto& [letter, flag] : kMaildirFlags)
            if (name.find(letter, colon + 3) != std::string::npos) file.flags.Insert(flag);
        files.push_back(std::move(file));
      }
    }
    folders.push_back(FolderOf(Below(base, DecodeFolder(fs::relative(directory, root))), std::move(files)));
  }
  return folders;
}

std::vector<LocalFolder> FindEml(const fs::path& root, const std::string& base) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<MessageFile>> by_folder;
  const auto files_of = [&](const std::string& folder) -> std::vector<MessageFile>& {
    const auto [at, is_new] = by_folder.try_emplace(folder);
    if (is_new) order.push_back(folder);
    return at->second;
  };
  const auto manifest = ReadManifest(root);
  for (const auto& line : manifest) {
    auto& files = files_of(Below(base, line.folder));
    if (line.file.empty()) continue;
    if (!fs::is_regular_file(root / line.file))
      throw Failure(kUsage, (root / line.file).string() + " is missing");
    if (!IsBelow(root, root / line.file))
      throw Failure(kUsage, (root / line.file).string() + " is not below the folder that is imported");
    files.push_back({root / line.file, line.flags, line.date, /*verbatim=*/true});
  }
  if (manifest.empty()) {
    std::vector<fs::path> paths;
    if (fs::is_regular_file(root)) {
      paths.push_back(root);
    } else {
      for (const auto& entry : fs::recursive_directory_iterator(root))
        if (entry.is_regular_file() && entry.path().extension() == ".eml" && IsBelow(root, entry.path()))
          paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    for (const auto& path : paths) {
      const auto folder = path == root ? std::string() : DecodeFolder(fs::relative(path.parent_path(), root));
      files_of(Below(base, folder)).push_back({path, {}, ModificationTime(path), false});
    }
  }
  std::vector<LocalFolder> folders;
  for (const auto& name : order) folders.push_back(FolderOf(name, std::move(by_folder[name])));
  return folders;
}

std::vector<LocalFolder> FindMbox(const fs::path& root, const std::string& base) {
  std::vector<fs::path> paths;
  if (fs::is_regular_file(root)) {
    paths.push_back(root);
  } else {
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file() && entry.path().extension() == ".mbox" && IsBelow(root, entry.path()))
        paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<LocalFolder> folders;
  for (const auto& path : paths) {
    auto relative = fs::relative(path, root);
    relative.replace_extension();
    const auto read = [path](const VisitMessage& visit) {
      std::ifstream in(path, std::ios::binary);
      if (!in) throw Failure(kUsage, path.string() + " cannot be read");
      ReadMbox(in, visit);
    };
    folders.push_back(
        {Below(base, path == root ? std::string() : DecodeFolder(relative)), fs::file_size(path), read});
  }
  return folders;
}

Format Guess(const fs::path& root) {
  if (fs::is_regular_file(root)) {
    std::ifstream in(root, std::ios::binary);
    std::string first(5, '\0');
    in.read(first.data(), 5);
    return first == "From " ? Format::kMbox : Format::kEml;
  }
  bool mbox = false;
  if (fs::is_directory(root / "cur")) return Format::kMaildir;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.is_directory() && entry.path().filename() == "cur") return Format::kMaildir;
    mbox = mbox || (entry.is_regular_file() && entry.path().extension() == ".mbox");
  }
  return mbox ? Format::kMbox : Format::kEml;
}

// ---- writing ----

std::string FileName(std::uint32_t uid) { return fmt::format("{:010}", uid); }

/// Files of their own, and the manifest.
class FileTreeWriter : public TreeWriter {
 public:
  FileTreeWriter(fs::path root, bool maildir)
      : root_(std::move(root)), maildir_(maildir), manifest_(root_ / kManifest) {}

  void Begin(const std::string& folder) override {
    EndFolder();
    folder_ = folder;
    empty_ = true;
    directory_ = EncodeFolder(folder);
    fs::create_directories(root_ / directory_);
    if (!maildir_) return;
    for (const auto* part : {"cur", "new", "tmp"}) fs::create_directories(root_ / directory_ / part);
  }

  void Add(std::uint32_t uid, const LocalMessage& message) override {
    const auto file = directory_ / (maildir_ ? FileName(uid) : FileName(uid) + ".eml");
    fs::path path = root_ / file;
    if (maildir_) {
      path = root_ / directory_ / "cur" / (FileName(uid) + ":2,");
      for (const auto& [letter, flag] : kMaildirFlags)
        if (message.flags.Contains(flag)) path += letter;
    }
    WriteFile(path, message.octets);
    if (message.date) SetModificationTime(path, message.date->unix_seconds);
    manifest_ << Encode(ManifestLine{file.string(), folder_, message.flags, message.date});
    empty_ = false;
  }

  void Finish() override {
    EndFolder();
    manifest_.close();
    if (!manifest_) throw Failure(kRefused, (root_ / kManifest).string() + " cannot be written");
  }

 private:
  void EndFolder() {
    if (!folder_.empty() && empty_) manifest_ << Encode(ManifestLine{{}, folder_, {}, {}});
  }

  static void SetModificationTime(const fs::path& path, std::int64_t seconds) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ::utimensat(AT_FDCWD, path.c_str(), times, 0);
  }

  const fs::path root_;
  const bool maildir_;
  std::ofstream manifest_;
  std::string folder_;  ///< the one under way
  fs::path directory_;  ///< its own, below root_
  bool empty_ = true;
};

class MboxTreeWriter : public TreeWriter {
 public:
  explicit MboxTreeWriter(fs::path root) : root_(std::move(root)) {}

  void Begin(const std::string& folder) override {
    Finish();
    path_ = root_ / EncodeFolder(folder);
    path_ += ".mbox";
    fs::create_directories(path_.parent_path());
    out_.open(path_, std::ios::binary | std::ios::trunc);
    if (!out_) throw Failure(kRefused, path_.string() + " cannot be made");
  }

  void Add(std::uint32_t /*uid*/, const LocalMessage& message) override { WriteMbox(out_, message); }

  void Finish() override {
    if (!out_.is_open()) return;
    out_.close();
    if (!out_) throw Failure(kRefused, path_.string() + " cannot be written");
  }

 private:
  const fs::path root_;
  fs::path path_;  ///< of the folder under way
  std::ofstream out_;
};

}  // namespace

std::vector<LocalFolder> FindFolders(const fs::path& root, Format format, const std::string& base) {
  if (!fs::exists(root)) throw Failure(kUsage, root.string() + " does not exist");
  if (format == Format::kAuto) format = Guess(root);
  std::vector<LocalFolder> folders;
  switch (format) {
    case Format::kMaildir: folders = FindMaildirs(root, base); break;
    case Format::kMbox: folders = FindMbox(root, base); break;
    case Format::kEml:
    case Format::kAuto: folders = FindEml(root, base); break;
  }
  if (folders.empty()) throw Failure(kUsage, root.string() + " holds no messages of this format");
  return folders;
}

std::unique_ptr<TreeWriter> TreeWriter::Open(const fs::path& root, Format format) {
  std::error_code error;
  if (fs::exists(root, error) && !fs::is_empty(root, error))
    throw Failure(kUsage, root.string() + " is not empty");
  fs::create_directories(root, error);
  if (error) throw Failure(kUsage, fmt::format("{}: {}", root.string(), error.message()));
  if (format == Format::kMbox) return std::make_unique<MboxTreeWriter>(root);
  return std::make_unique<FileTreeWriter>(root, format == Format::kMaildir);
}

}  // namespace admin
