#pragma once

#include <optional>
#include <stdexcept>
#include <string>

#include <CLI/CLI.hpp>

#include "server/config/config.h"

namespace admin {

/// Documented in --help; scripts depend on them.
enum ExitCode {
  kDone = 0,
  kRefused = 1,      ///< cmsd or the store refused, or something is wrong with the data
  kUsage = 2,        ///< the command line, the configuration, a file that cannot be read
  kUnreachable = 3,  ///< no cmsd on the socket; or the store is in use by one
};

/// Ends the program with a sentence on standard error. Thrown by any command, caught in main() alone.
struct Failure : std::runtime_error {
  Failure(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), exit_code(code) {}
  ExitCode exit_code;
};

/// The options that every command has.
struct Options {
  std::string config_path = "/etc/cmsd/cmsd.toml";
  std::string socket;  ///< empty: the configuration's
  bool json = false;
};

/// Reads --config; throws Failure.
server::config::Config LoadConfig(const Options& options);

/// --socket, or else the configuration's.
std::string SocketPath(const Options& options);

// One file each. `options` outlives the parse.
void AddAccountCommands(CLI::App& app, const Options& options);
void AddAccountLoad(CLI::App& account, const Options& options);
void AddStoreCommands(CLI::App& app, const Options& options);
void AddImportCommand(CLI::App& app, const Options& options);
void AddExportCommand(CLI::App& app, const Options& options);
void AddConversationCommands(CLI::App& app, const Options& options);
void AddFolderCommands(CLI::App& app, const Options& options);
void AddObjectCommands(CLI::App& app, const Options& options);
void AddRecordCommand(CLI::App& app, const Options& options);
void AddAclCommands(CLI::App& app, const Options& options);
void AddMetadataCommands(CLI::App& app, const Options& options);
void AddWatchCommand(CLI::App& app, const Options& options);
void AddSessionCommands(CLI::App& app, const Options& options);
void AddPskCommands(CLI::App& app, const Options& options);
void AddReferenceCommands(CLI::App& app, const Options& options);
void AddPfCommands(CLI::App& app, const Options& options);
void AddQuotaCommands(CLI::App& app, const Options& options);
void AddAuditCommands(CLI::App& app, const Options& options);
void AddTokenCommand(CLI::App& app, const Options& options);

}  // namespace admin
