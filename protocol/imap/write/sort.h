#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace protocol::write {

/// One message of a forest that is listed parents first, each followed by all below it.
struct ThreadMember {
  static constexpr std::uint32_t kNoParent = 0xffffffff;
  std::uint32_t number = 0;          ///< message number or UID; 0: a message that is not there
  std::uint32_t parent = kNoParent;  ///< its place in the list
  friend bool operator==(const ThreadMember&, const ThreadMember&) = default;
};

/// "* THREAD (2)(3 6 (4 23)(44 7 96))" (RFC 5256 §4). Lists are nested limits::kThreadNesting deep at most:
/// what would go deeper stands beside its ancestors at that depth, so that no client has to recurse as far as
/// a sender of messages likes. A member without a number has two children or more.
void ThreadLine(std::string& out, std::span<const ThreadMember> members);

}  // namespace protocol::write
