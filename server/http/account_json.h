#pragma once

#include <optional>
#include <string>
#include <variant>

#include <boost/json/object.hpp>

#include "server/http/call.h"
#include "server/http/services.h"
#include "storage/store/account.h"

namespace server::http {

/// A password as it came: one of the two is not empty, or both are (no login by password).
struct NewPassword {
  std::string plain;
  std::string hash;
};

struct AccountRequest {
  storage::NewAccount account;  ///< without its password_hash
  NewPassword password;
};

boost::json::object ToJson(const storage::AccountInfo& account);

/// Keys: address, aliases, role, password or password_hash, quota_octets, quota_messages; others are refused,
/// so that a typing error does not make an account without a password. The profile's folders are added.
std::variant<AccountRequest, Refusal> ReadAccount(const boost::json::object& json,
                                                  const config::Profile& profile);

/// {"password": ...} or {"password_hash": ...}
std::variant<NewPassword, Refusal> ReadPassword(const boost::json::object& json);

/// Hashes on the pool for passwords, if need be. Empty: no memory for it.
asio::awaitable<std::optional<std::string>> HashOf(const NewPassword& password, Services& services);

/// The account that "{address}" names, in any form of a login; nullopt: already answered.
asio::awaitable<std::optional<storage::AccountInfo>> NamedAccount(Call& call, Services& services);

}  // namespace server::http
