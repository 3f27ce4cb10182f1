#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "server/auth/jwt.h"
#include "server/config/config.h"

namespace server::auth {

/// Takes tokens of one authorization server for what they say. Its keys are read again when their file has
/// changed; a file that cannot be read any more leaves the old ones in use.
///
/// Thread: any.
class TokenVerifier {
 public:
  /// An error is a sentence.
  static tl::expected<std::unique_ptr<TokenVerifier>, std::string> Open(config::Oauth settings);

  /// The address that the token is about, as the rule of the configuration makes it; or why the token is
  /// refused, for the log: the client learns no more than "invalid_token".
  tl::expected<std::string, std::string> Verify(std::string_view token,
                                                std::chrono::system_clock::time_point now);

 private:
  explicit TokenVerifier(config::Oauth settings) : settings_(std::move(settings)) {}
  tl::expected<void, std::string> Read();
  std::shared_ptr<const std::vector<JwtKey>> Keys();
  tl::expected<std::string, std::string> CheckClaims(std::string_view claims, std::int64_t now) const;

  const config::Oauth settings_;
  std::mutex mutex_;
  std::filesystem::file_time_type read_;  ///< the file's own time, as it was read
  std::shared_ptr<const std::vector<JwtKey>> keys_;
};

}  // namespace server::auth
