#include "server/log.h"

#include <mutex>

#include <fmt/format.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace server::log {
namespace {

// Standard error of a service goes to a journal, which has the time already; it does no harm to have it
// twice.
constexpr const char* kPattern = "%Y-%m-%dT%H:%M:%S.%e%z level=%l %v";

}  // namespace

/// spdlog's own file sink cannot open its file again.
class Log::FileSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FileSink(const std::string& path) { file_.open(path); }
  void Reopen() {
    const std::lock_guard lock(mutex_);
    file_.reopen(/*truncate=*/false);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_.write(line);
    file_.flush();
  }
  void flush_() override { file_.flush(); }

 private:
  spdlog::details::file_helper file_;
};

tl::expected<std::unique_ptr<Log>, std::string> Log::Open(const config::Log& settings) {
  std::unique_ptr<Log> log(new Log);
  spdlog::sink_ptr sink;
  try {
    if (settings.file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      log->file_ = std::make_shared<FileSink>(settings.file);
      sink = log->file_;
    }
  } catch (const spdlog::spdlog_ex& error) {
    return tl::unexpected(fmt::format("log.file: {}", error.what()));
  }
  log->logger_ = std::make_shared<spdlog::logger>("cmsd", std::move(sink));
  log->logger_->set_pattern(kPattern);
  log->logger_->set_level(spdlog::level::from_str(settings.level));
  spdlog::set_default_logger(log->logger_);
  return log;
}

Log::~Log() = default;

void Log::Reopen() {
  if (!file_) return;
  try {
    file_->Reopen();
  } catch (const spdlog::spdlog_ex& error) {
    fmt::print(stderr, "cmsd: {}\n", error.what());
  }
}

std::string Quoted(std::string_view text) {
  constexpr std::size_t kMax = 200;
  std::string out = "\"";
  for (const char c : text.substr(0, kMax)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + (text.size() > kMax ? "...\"" : "\"");
}

}  // namespace server::log
