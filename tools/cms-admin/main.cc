// cms-admin, the operator's tool. Each command group is a file; this one only puts them together.
#include <cstdio>

#include <fmt/format.h>
#include <sys/stat.h>

#include "server/version.h"
#include "tools/cms-admin/command.h"
#include "tools/cms-admin/text_width.h"

namespace admin {

server::config::Config LoadConfig(const Options& options) {
  auto config = server::config::Load(options.config_path);
  if (config) return *std::move(config);
  std::string problems;
  for (const auto& problem : config.error())
    problems += (problems.empty() ? "" : "\n") + server::config::Format(problem, options.config_path);
  throw Failure(kUsage, problems);
}

std::string SocketPath(const Options& options) {
  if (!options.socket.empty()) return options.socket;
  auto path = LoadConfig(options).http.operator_socket;
  if (path.empty())
    throw Failure(kUsage, options.config_path + ": http.operator_socket is empty, so cmsd has no socket");
  return path;
}

namespace {

constexpr const char* kFooter = R"(Examples:
  cms-admin account add +15550100111 --alias user1@example.com
  cms-admin account list --json
  cms-admin conversation list +15550100111
  cms-admin import +15550100111 ~/Maildir
  cms-admin --config var/cmsd.toml store check

`cms-admin COMMAND --help` shows more. Addresses are tel: or sip: URIs, with or without the scheme.

Exit status:
  0  done
  1  refused: by cmsd, by the store, or something is wrong with the data
  2  wrong usage, configuration, or a file that cannot be read
  3  cmsd cannot be reached; or the store is in use by a running cmsd)";

int Main(int argc, char** argv) {
  ::umask(S_IRWXG | S_IRWXO);  // exported messages are nobody else's
  CLI::App app("Operates cmsd, the CPM Message Store", "cms-admin");
  Options options;
  app.fallthrough();
  app.require_subcommand(1);
  app.add_option("--config", options.config_path, "configuration file of cmsd")->capture_default_str();
  app.add_option("--socket", options.socket, "cmsd's operator socket, instead of the configuration's");
  app.add_flag("--json", options.json, "print JSON");
  app.set_version_flag("--version", std::string("cms-admin ") + server::kVersion);
  app.footer(kFooter);
  AddAccountCommands(app, options);
  AddStoreCommands(app, options);
  AddImportCommand(app, options);
  AddExportCommand(app, options);
  AddConversationCommands(app, options);
  AddFolderCommands(app, options);
  AddObjectCommands(app, options);
  AddRecordCommand(app, options);
  AddAclCommands(app, options);
  AddMetadataCommands(app, options);
  AddWatchCommand(app, options);
  AddSessionCommands(app, options);
  AddPskCommands(app, options);
  AddReferenceCommands(app, options);
  AddPfCommands(app, options);
  AddQuotaCommands(app, options);
  AddAuditCommands(app, options);
  AddTokenCommand(app, options);
  try {
    app.parse(argc, argv);
    return kDone;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  } catch (const Failure& failure) {
    fmt::print(stderr, "cms-admin: {}\n", Visible(failure.what()));  // it may quote what a peer sent
    return failure.exit_code;
  }
}

}  // namespace
}  // namespace admin

int main(int argc, char** argv) {
  try {
    return admin::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "cms-admin: %s\n", error.what());
    return admin::kRefused;
  }
}
