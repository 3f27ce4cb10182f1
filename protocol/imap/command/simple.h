#pragma once

/// Commands without arguments that matter.
namespace protocol::command {

/// RFC 3501 §6.1.1.
struct Capability {
  friend bool operator==(const Capability&, const Capability&) = default;
};
/// RFC 3501 §6.1.2.
struct Noop {
  friend bool operator==(const Noop&, const Noop&) = default;
};
/// RFC 3501 §6.1.3.
struct Logout {
  friend bool operator==(const Logout&, const Logout&) = default;
};
/// RFC 3501 §6.2.1. After OK the caller must call CommandReader::DropInput before the handshake.
struct StartTls {
  friend bool operator==(const StartTls&, const StartTls&) = default;
};
/// RFC 8437 §3. After OK the caller must call CommandReader::SetNotAuthenticated.
struct Unauthenticate {
  friend bool operator==(const Unauthenticate&, const Unauthenticate&) = default;
};
/// RFC 4978 §3; DEFLATE is the only algorithm there is. After OK both directions are compressed.
struct Compress {
  friend bool operator==(const Compress&, const Compress&) = default;
};
/// RFC 2342 §5.
struct Namespace {
  friend bool operator==(const Namespace&, const Namespace&) = default;
};
/// RFC 2177 §3. The caller sends "+ ..." and calls CommandReader::ExpectLine; the line must be DONE.
struct Idle {
  friend bool operator==(const Idle&, const Idle&) = default;
};
/// RFC 3501 §6.4.1.
struct Check {
  friend bool operator==(const Check&, const Check&) = default;
};
/// RFC 3501 §6.4.2.
struct Close {
  friend bool operator==(const Close&, const Close&) = default;
};
/// RFC 3691 §2.
struct Unselect {
  friend bool operator==(const Unselect&, const Unselect&) = default;
};

}  // namespace protocol::command
