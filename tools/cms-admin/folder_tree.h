#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/model/flags.h"
#include "protocol/model/internal_date.h"

/// Mail in files, both ways: a tree of Maildirs, of mbox files, or of .eml files. Folder names become paths,
/// component by component; what the file system or a format could take amiss is percent-encoded. Beside
/// Maildirs and .eml files lies `manifest.jsonl` at the top, with what a file cannot say:
///
///   {"file":"INBOX/0000000001.eml","folder":"INBOX","flags":["\\Seen"],"internal_date":"14-Jun-2014 17:42:10
///   +0200"}
///   {"folder":"Sent"}
///
/// The second is a folder without messages; of those that have some it is not said.
namespace admin {

enum class Format { kAuto, kMaildir, kMbox, kEml };

struct LocalMessage {
  std::string octets;
  protocol::FlagSet flags;
  std::optional<protocol::InternalDate> date;
};

/// False ends the visit.
using VisitMessage = std::function<bool(const LocalMessage&)>;

/// One folder found in files; nothing is read yet.
struct LocalFolder {
  std::string name;
  std::uint64_t octets = 0;  ///< of its files, for the progress bar
  std::function<void(const VisitMessage&)> read;
};

/// What there is at `root`. `base`: what the messages at the top belong to, and what folders below are below
/// of; empty: INBOX, and the top. Throws Failure when there is nothing of the format.
std::vector<LocalFolder> FindFolders(const std::filesystem::path& root, Format format,
                                     const std::string& base);

/// Writes a tree of one format; kAuto is not one.
class TreeWriter {
 public:
  virtual ~TreeWriter() = default;
  /// What is added from now on belongs to this folder; it is there even if nothing is added.
  virtual void Begin(const std::string& folder) = 0;
  virtual void Add(std::uint32_t uid, const LocalMessage& message) = 0;
  /// After the last one; throws Failure if anything could not be written.
  virtual void Finish() = 0;

  /// `root` is made; it must be empty or missing.
  static std::unique_ptr<TreeWriter> Open(const std::filesystem::path& root, Format format);
};

}  // namespace admin
