#include "storage/kv/store_files.h"

#include <algorithm>
#include <system_error>

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>

#include "storage/kv/log_check.h"

namespace storage::kv {
namespace {

/// The only manifest that can be there before CURRENT.
constexpr std::string_view kFirstManifest = "MANIFEST-000001";

/// Files that RocksDB makes before CURRENT. The folder itself may be a file system of its own.
bool IsOfABeginning(std::string_view name) {
  return name == "LOCK" || name == "IDENTITY" || name.starts_with("LOG") || name == kFirstManifest ||
         name.ends_with(".dbtmp") || name == "lost+found" || name == "." || name == "..";
}

bool IsOfAStore(std::string_view name) {
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  return ends(".sst") || ends(".ldb") || ends(".blob") || ends(".log") || name.starts_with("OPTIONS-") ||
         name.starts_with("MANIFEST-");
}

/// Empty: every block is as it was written.
std::string DamageOf(const std::filesystem::path& table_file) {
  const auto name = table_file.filename().string();
  rocksdb::Options options;
  rocksdb::SstFileReader reader(options);
  if (const auto opened = reader.Open(table_file.string()); !opened.ok())
    return fmt::format("{}: {}", name, opened.ToString());
  const auto verified = reader.VerifyChecksum();
  if (verified.ok()) return {};
  const auto properties = reader.GetTableProperties();
  if (!properties) return fmt::format("{}: {}", name, verified.ToString());
  return fmt::format("{} (table {}, {} rows): {}", name, properties->column_family_name,
                     properties->num_entries, verified.ToString());
}

}  // namespace

Remains RemainsWithoutCurrent(const std::vector<std::string>& names) {
  Remains remains;
  for (const auto& name : names) {
    if (IsOfABeginning(name)) continue;
    if (IsOfAStore(name)) return {Remains::kStore, name};
    remains = {Remains::kForeign, name};
  }
  return remains;
}

FileSurvey SurveyFiles(const std::filesystem::path& folder) {
  FileSurvey survey;
  std::vector<std::filesystem::path> table_files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto extension = entry.path().extension();
    if (extension == ".sst") table_files.push_back(entry.path());
    if (extension == ".log") ++survey.files;
  }
  if (error) survey.damaged.push_back(fmt::format("{}: {}", folder.string(), error.message()));
  std::ranges::sort(table_files);
  survey.files += table_files.size();

  std::vector<std::string> tables;
  const auto listed = rocksdb::DB::ListColumnFamilies(rocksdb::DBOptions(), folder.string(), &tables);
  if (!std::filesystem::exists(folder / "CURRENT", error)) {
    survey.damaged.emplace_back("CURRENT: missing");
  } else if (!listed.ok()) {
    survey.damaged.push_back("the manifest: " + listed.ToString());
  }
  if (const auto logs = CheckLogs(folder); !logs) survey.damaged.push_back(logs.error().detail);
  for (const auto& file : table_files)
    if (auto damage = DamageOf(file); !damage.empty()) survey.damaged.push_back(std::move(damage));
  return survey;
}

}  // namespace storage::kv
