#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace protocol {

/// Identifiers, one type each so that they cannot be mixed. All are plain values.
///
/// Zero is never assigned: it stands for "none" where a comment says so.

/// Never reused. An account is one subscriber's whole store.
struct AccountId {
  std::uint64_t value = 0;
  friend auto operator<=>(const AccountId&, const AccountId&) = default;
};

/// Never reused within its account; with the account's id it is the MAILBOXID of RFC 8474 §4.
struct FolderId {
  std::uint64_t value = 0;
  friend auto operator<=>(const FolderId&, const FolderId&) = default;
};

/// Store-wide unique, never reused; EMAILID of RFC 8474 §5.1. Copies of a message share it.
struct ObjectId {
  std::uint64_t value = 0;
  friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
};

/// Per folder, strictly increasing, never reused (RFC 3501 §2.3.1.1). 1 is the least.
struct Uid {
  std::uint32_t value = 0;
  friend auto operator<=>(const Uid&, const Uid&) = default;
};

/// Per folder, from its account's strictly increasing counter (RFC 3501 §2.3.1.1).
struct UidValidity {
  std::uint32_t value = 0;
  friend auto operator<=>(const UidValidity&, const UidValidity&) = default;
};

/// Position in a session's view of its folder, from 1 (RFC 3501 §2.3.1.2). Never reaches the store.
struct SeqNum {
  std::uint32_t value = 0;
  friend auto operator<=>(const SeqNum&, const SeqNum&) = default;
};

/// 63 bits, one strictly increasing counter per account (RFC 7162 §3.1).
struct ModSeq {
  std::uint64_t value = 0;
  friend auto operator<=>(const ModSeq&, const ModSeq&) = default;
};

inline constexpr Uid kMaxUid{0xffffffffU};
inline constexpr ModSeq kMaxModSeq{0x7fffffffffffffffU};

}  // namespace protocol

template <>
struct std::hash<protocol::AccountId> {
  std::size_t operator()(protocol::AccountId id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
template <>
struct std::hash<protocol::FolderId> {
  std::size_t operator()(protocol::FolderId id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
template <>
struct std::hash<protocol::ObjectId> {
  std::size_t operator()(protocol::ObjectId id) const noexcept {
    return std::hash<std::uint64_t>{}(id.value);
  }
};
