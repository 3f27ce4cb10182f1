#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <tl/expected.hpp>

#include "server/net/unique_fd.h"

namespace server::auth {

/// One act of a Participating Function in a user's account.
struct Act {
  std::uint64_t connection = 0;  ///< "conn=" of the log
  std::string peer;
  std::string actor;     ///< the PF's address
  std::string account;   ///< the user's
  std::string command;   ///< "UID STORE"
  std::string folder;    ///< in which; empty: none
  std::string messages;  ///< which, as the client named them, or as UIDs where it did; empty: none
  std::string outcome;   ///< "OK [APPENDUID 1 5]", "NO [NOPERM]": the status and its code
};

/// What Participating Functions did in users' accounts: one JSON object a line, only ever appended to. No
/// text of a message, no flag, no search key.
///
/// Thread: any.
class AuditLog {
 public:
  /// Made with mode 0600 if it is missing; an error is a sentence.
  static tl::expected<std::unique_ptr<AuditLog>, std::string> Open(std::string path);

  /// One write(2), so that lines of several threads stay whole. What cannot be written is in the server's
  /// log.
  void Write(const Act& act);
  /// After the file has been moved away. On failure the old one stays in use.
  tl::expected<void, std::string> Reopen();

 private:
  explicit AuditLog(std::string path) : path_(std::move(path)) {}

  const std::string path_;
  std::mutex mutex_;
  net::UniqueFd fd_;
};

}  // namespace server::auth
