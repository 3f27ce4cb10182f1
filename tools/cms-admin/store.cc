#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/http/store_totals.h"
#include "storage/check/fsck.h"
#include "storage/kv/rocksdb_engine.h"
#include "storage/store/mail_store.h"
#include "tools/cms-admin/client.h"
#include "tools/cms-admin/command.h"

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

std::unique_ptr<storage::kv::RocksEngine> OpenEngine(const server::config::Config& config) {
  BecomeOwnerOf(config.store.path);
  storage::kv::RocksEngineOptions options;
  options.path = config.store.path;
  options.block_cache_bytes = std::size_t{config.store.block_cache_mib} << 20;
  options.write_buffer_bytes = std::size_t{config.store.write_buffer_mib} << 20;
  auto engine = storage::kv::RocksEngine::Open(options);
  if (engine) return *std::move(engine);
  const bool busy = engine.error().code == storage::Errc::kUnavailable;
  throw Failure(busy ? kUnreachable : kRefused,
                fmt::format("{}: {}", config.store.path, engine.error().detail));
}

void PrintCheck(const storage::check::FsckReport& report, const std::string& files, bool as_json) {
  if (!as_json) {
    for (const auto& violation : report.violations)
      fmt::print("invariant {}: {}\n", violation.invariant, violation.text);
    if (!files.empty()) fmt::print("files: {}\n", files);
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
  fmt::print("{}\n", json::serialize(out));
}

void Check(const Options& options, bool quick) {
  const auto config = LoadConfig(options);
  if (!config.http.operator_socket.empty() && Client(config.http.operator_socket).IsThere())
    throw Failure(kUnreachable, "cmsd is running on this store: stop it first");
  const auto engine = OpenEngine(config);
  std::string files;
  if (!quick)
    if (const auto sums = engine->VerifyChecksums(); !sums) files = sums.error().detail;
  const auto report = storage::check::Fsck(*engine, {.bodies = !quick, .default_folder = true});
  if (!report) throw Failure(kRefused, "The store cannot be read: " + report.error().detail);
  PrintCheck(*report, files, options.json);
  if (!report->violations.empty() || !files.empty())
    throw Failure(
        kRefused,
        fmt::format("{} violations. Keep the store as it is and restore a backup; nothing repairs it",
                    report->violations.size() + (files.empty() ? 0 : 1)));
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
    fmt::print("{}\n", json::serialize(totals));
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
  auto* check = store->add_subcommand("check", "verify every invariant of a stopped store; changes nothing");
  check->add_flag("--quick", *quick, "do not read the bodies and the files' checksums");
  check->footer(
      "Exit status: 0 clean, 1 damaged, 3 a cmsd has it open.\n\nExample:\n  cms-admin --config "
      "var/cmsd.toml store check");
  check->callback([quick, &options] { Check(options, *quick); });

  auto* stats = store->add_subcommand("stats", "how much there is; of a running or a stopped store");
  stats->footer("Example:\n  cms-admin store stats --json");
  stats->callback([&options] { Stats(options); });
}

}  // namespace admin
