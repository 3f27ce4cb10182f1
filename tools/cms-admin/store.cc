#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/http/store_totals.h"
#include "storage/check/fsck.h"
#include "storage/kv/rocksdb_engine.h"
#include "storage/kv/store_files.h"
#include "storage/store/mail_store.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/json_fields.h"
#include "tools/cms-admin/text_width.h"

namespace admin {
namespace {

namespace json = boost::json;

/// Opening a store makes files; files of root's would lock out a cmsd that runs as the store's owner.
void BecomeOwnerOf(const std::string& path) {
  struct stat store{};
  if (geteuid() != 0 || ::stat(path.c_str(), &store) != 0 || store.st_uid == 0) return;
  if (setegid(store.st_gid) != 0 || seteuid(store.st_uid) != 0)
    throw Failure(kRefused, fmt::format("{}: cannot act as the store's owner (user {})", path, store.st_uid));
}

storage::Result<std::unique_ptr<storage::kv::RocksEngine>> TryToOpen(const server::config::Config& config) {
  BecomeOwnerOf(config.store.path);
  storage::kv::RocksEngineOptions options;
  options.path = config.store.path;
  options.block_cache_bytes = std::size_t{config.store.block_cache_mib} << 20;
  options.write_buffer_bytes = std::size_t{config.store.write_buffer_mib} << 20;
  return storage::kv::RocksEngine::Open(options);
}

[[noreturn]] void RefuseToOpen(const server::config::Config& config, const storage::Error& error) {
  const bool busy = error.code == storage::Errc::kUnavailable;
  throw Failure(busy ? kUnreachable : kRefused, fmt::format("{}: {}", config.store.path, error.detail));
}

std::unique_ptr<storage::kv::RocksEngine> OpenEngine(const server::config::Config& config) {
  auto engine = TryToOpen(config);
  if (!engine) RefuseToOpen(config, engine.error());
  return *std::move(engine);
}

constexpr const char* kWhatToDo =
    "Keep the store as it is, copy it before you try anything, and restore a backup; nothing repairs it";

/// Of a store that does not open: why, and what its files say by themselves.
[[noreturn]] void CheckFilesAlone(const server::config::Config& config, const storage::Error& error,
                                  bool as_json) {
  const auto survey = storage::kv::SurveyFiles(config.store.path);
  if (as_json) {
    json::object out;
    out["opens"] = false;
    out["error"] = error.detail;
    out["files_read"] = survey.files;
    out["damaged_files"] = json::array(survey.damaged.begin(), survey.damaged.end());
    PrintJson(out);
  } else {
    fmt::print("does not open: {}\n", VisibleLine(error.detail));
    for (const auto& line : survey.damaged) fmt::print("damaged: {}\n", VisibleLine(line));
    fmt::print("{} files read, {} damaged; the rows cannot be checked\n", survey.files,
               survey.damaged.size());
  }
  throw Failure(kRefused, kWhatToDo);
}

void PrintCheck(const storage::check::FsckReport& report, const std::string& files, bool as_json) {
  if (!as_json) {
    for (const auto& violation : report.violations)
      fmt::print("invariant {}: {}\n", violation.invariant, VisibleLine(violation.text));  // names folders
    if (!files.empty()) fmt::print("files: {}\n", VisibleLine(files));
    fmt::print("{} accounts, {} folders, {} messages: {}\n", report.accounts, report.folders, report.messages,
               report.violations.empty() && files.empty() ? "clean" : "DAMAGED");
    return;
  }
  json::array violations;
  for (const auto& violation : report.violations)
    violations.push_back(json::object{{"invariant", violation.invariant}, {"text", violation.text}});
  json::object out;
  out["accounts"] = report.accounts;
  out["folders"] = report.folders;
  out["messages"] = report.messages;
  out["unfinished_steps"] = report.intents;
  out["violations"] = std::move(violations);
  if (!files.empty()) out["files"] = files;
  PrintJson(out);
}

void Check(const Options& options, bool quick) {
  const auto config = LoadConfig(options);
  if (!config.http.operator_socket.empty() && Client(config.http.operator_socket).IsThere())
    throw Failure(kUnreachable, "cmsd is running on this store: stop it first");
  const auto opened = TryToOpen(config);
  if (!opened && opened.error().code == storage::Errc::kCorruption)
    CheckFilesAlone(config, opened.error(), options.json);
  if (!opened) RefuseToOpen(config, opened.error());
  const auto& engine = *opened;
  std::string files;
  if (!quick)
    if (const auto sums = engine->VerifyChecksums(); !sums) files = sums.error().detail;
  const auto report = storage::check::Fsck(*engine, {.bodies = !quick, .default_folder = true});
  if (!report)
    throw Failure(kRefused, fmt::format("{}{}The store's rows cannot be read: {}. {}", files,
                                        files.empty() ? "" : "\n", report.error().detail, kWhatToDo));
  PrintCheck(*report, files, options.json);
  if (!report->violations.empty() || !files.empty())
    throw Failure(kRefused, fmt::format("{} violations. {}",
                                        report->violations.size() + (files.empty() ? 0 : 1), kWhatToDo));
}

json::object Totals(const Options& options) {
  if (!options.socket.empty()) return Client(options.socket).AskJson(Verb::get, "/v1/store/stats");
  const auto config = LoadConfig(options);
  if (Client running(config.http.operator_socket); !config.http.operator_socket.empty() && running.IsThere())
    return running.AskJson(Verb::get, "/v1/store/stats");
  const auto engine = OpenEngine(config);
  auto store = storage::MailStore::Open(*engine, {});
  if (!store) throw Failure(kRefused, store.error().detail);
  auto totals = server::http::CountStore(**store);
  if (!totals) throw Failure(kRefused, totals.error().detail);
  return *std::move(totals);
}

void Stats(const Options& options) {
  const auto totals = Totals(options);
  if (options.json) {
    PrintJson(totals);
    return;
  }
  for (const auto& entry : totals)
    if (!entry.value().is_object())
      fmt::print("{:<40} {:>16}\n", std::string_view(entry.key()), json::serialize(entry.value()));
  if (const auto* engine = totals.if_contains("engine"); engine && engine->is_object())
    for (const auto& entry : engine->get_object())
      fmt::print("engine.{:<33} {:>16}\n", std::string_view(entry.key()), json::serialize(entry.value()));
}

}  // namespace

void AddStoreCommands(CLI::App& app, const Options& options) {
  auto* store = app.add_subcommand("store", "the store as a whole");
  store->require_subcommand(1)->fallthrough();
  store->footer("Examples:\n  cms-admin store check\n  cms-admin store stats --json");

  auto quick = std::make_shared<bool>(false);
  auto* check = store->add_subcommand("check", "verify every invariant of a stopped store; repairs nothing");
  check->add_flag("--quick", *quick, "do not read the bodies and the files' checksums");
  check->footer(
      "The store is opened as cmsd opens it, which may write its log into table files: copy what is damaged\n"
      "first.\n\nExit status: 0 clean, 1 damaged, 3 a cmsd has it open.\n\nExample:\n  cms-admin --config "
      "var/cmsd.toml store check");
  check->callback([quick, &options] { Check(options, *quick); });

  auto* stats = store->add_subcommand("stats", "how much there is; of a running or a stopped store");
  stats->footer("Example:\n  cms-admin store stats --json");
  stats->callback([&options] { Stats(options); });
}

}  // namespace admin
