#include "server/auth/audit_log.h"

#include <cerrno>
#include <chrono>
#include <cstring>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace server::auth {

tl::expected<std::unique_ptr<AuditLog>, std::string> AuditLog::Open(std::string path) {
  std::unique_ptr<AuditLog> log(new AuditLog(std::move(path)));
  auto opened = log->Reopen();
  if (!opened) return tl::unexpected(std::move(opened).error());
  return log;
}

tl::expected<void, std::string> AuditLog::Reopen() {
  net::UniqueFd fd(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (fd.get() < 0)
    return tl::unexpected(fmt::format("the audit log {} cannot be opened: {}", path_, std::strerror(errno)));
  const std::lock_guard lock(mutex_);
  fd_ = std::move(fd);
  return {};
}

void AuditLog::Write(const Act& act) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  boost::json::object line;
  line["time"] = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  line["connection"] = act.connection;
  line["peer"] = act.peer;
  line["actor"] = act.actor;
  line["account"] = act.account;
  line["command"] = act.command;
  if (!act.folder.empty()) line["folder"] = act.folder;
  if (!act.messages.empty()) line["messages"] = act.messages;
  line["outcome"] = act.outcome;
  const std::string text = boost::json::serialize(line) + "\n";
  const std::lock_guard lock(mutex_);
  const auto written = ::write(fd_.get(), text.data(), text.size());
  if (written == static_cast<ssize_t>(text.size())) return;
  spdlog::error("event=audit_lost file={} what=\"{}\" line={}", path_,
                written < 0 ? std::strerror(errno) : "written in part", text.substr(0, text.size() - 1));
}

}  // namespace server::auth
