#pragma once

#include <string>
#include <string_view>

#include "storage/error.h"
#include "storage/schema/keys.h"

namespace storage::schema {

/// Prefix of the keys in `meta` of pre-shared keys for TLS; the identity follows.
inline constexpr std::string_view kPskPrefix = "psk/";

/// Value of them:  version | account_id | created signed | key str
struct PskRow {
  AccountId account;
  std::int64_t created = 0;  ///< Unix seconds
  std::string key;
  std::string Encode() const;
  static Result<PskRow> Decode(std::string_view value);
  friend bool operator==(const PskRow&, const PskRow&) = default;
};

}  // namespace storage::schema
