#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/error.h"
#include "storage/store/account.h"

namespace storage {

class MailStore;

/// A key that a client and the server share, for TLS without certificates. The identity names it on the wire.
struct Psk {
  std::string identity;
  AccountId account;  ///< whom it proves; ids are never used again, so a deleted account's keys prove nobody
  std::string key;    ///< octets
  std::int64_t created = 0;  ///< Unix seconds
  friend bool operator==(const Psk&, const Psk&) = default;
};

inline constexpr std::size_t kMaxPskIdentity = 128;  ///< octets; RFC 4279 §5.3 asks for this at least
inline constexpr std::size_t kMinPskKey = 16;        ///< octets
inline constexpr std::size_t kMaxPskKey = 64;        ///< octets; RFC 4279 §5.3
inline constexpr std::size_t kMaxPsks = 100'000;     ///< all of them are kept in memory

/// Printable ASCII, 1 to kMaxPskIdentity octets.
bool IsPskIdentity(std::string_view identity);

/// The store's table of them. Like all calls of the store these block.
///
/// Thread: any.
class PskTable {
 public:
  explicit PskTable(MailStore& store) : store_(store) {}

  /// kInvalidArgument: the identity or the key is none, or the identity is in use.
  Result<> Add(const Psk& psk);
  /// In the order of identities.
  Result<std::vector<Psk>> List();
  /// False: there is none of that name.
  Result<bool> Revoke(std::string_view identity);

 private:
  MailStore& store_;
};

}  // namespace storage
