#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "server/config/config.h"

namespace spdlog {
class logger;
}

/// The log: one line an event, `key=value` pairs, the event first: "event=login conn=12 account=7
/// peer=192.0.2.1:5012". It never holds a message's text, an envelope, a password or a hash; values that come
/// from outside go through Quoted().
namespace server::log {

/// Where the lines go. Becomes spdlog's default logger.
///
/// Thread: any.
class Log {
 public:
  static tl::expected<std::unique_ptr<Log>, std::string> Open(const config::Log& settings);
  ~Log();

  spdlog::logger& logger() { return *logger_; }
  /// Writes into a new file of the same name; the old one may have been moved away. Nothing when logging to
  /// standard error.
  void Reopen();

 private:
  class FileSink;
  Log() = default;

  std::shared_ptr<FileSink> file_;
  std::shared_ptr<spdlog::logger> logger_;
};

/// In double quotes, with '"', '\' and control characters escaped, cut at 200 octets: one value stays one
/// value.
std::string Quoted(std::string_view text);

}  // namespace server::log
