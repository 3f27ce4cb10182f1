#pragma once

#include <chrono>
#include <cstdint>

#include "server/imap/session.h"

namespace server::imap {

/// Tells a client that waits how far its command is (RFC 9585 §4), now and then, so that it can show it and
/// knows that the connection lives.
///
/// Lifetime   one command.
class Progress {
 public:
  static constexpr std::chrono::seconds kEvery{10};

  explicit Progress(Session& session) : session_(session), told_(session.services().clock.Now()) {}

  /// True if it wrote a line, which is to be sent. `done` never goes back, and `goal` stays.
  bool Tell(std::uint64_t done, std::uint64_t goal);

 private:
  Session& session_;
  std::chrono::steady_clock::time_point told_;
};

}  // namespace server::imap
