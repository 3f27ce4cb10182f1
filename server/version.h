#pragma once

namespace server {

/// Shown by --version, ID (RFC 2971) and the log.
inline constexpr const char* kVersion = "0.1.0";

}  // namespace server
