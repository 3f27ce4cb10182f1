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
/// A number, or null: no limit.
boost::json::value ToJson(const std::optional<std::uint64_t>& limit);

/// Reads the keys `prefix` and octets, messages, folders, annotation_octets: a limit, or null for none. A key
/// that is absent leaves its limit as it was. What is wrong, if something is.
std::optional<Refusal> ReadLimits(const boost::json::object& json, std::string_view prefix,
                                  storage::QuotaLimits& out);

/// Keys: address, aliases, role, password or password_hash, quota_octets, quota_messages, quota_folders,
/// quota_annotation_octets (0 or null: no limit), act_for; others are refused, so that a typing error does
/// not make an account without a password. The profile's folders are added.
std::variant<AccountRequest, Refusal> ReadAccount(const boost::json::object& json,
                                                  const config::Profile& profile);

/// {"password": ...} or {"password_hash": ...}
std::variant<NewPassword, Refusal> ReadPassword(const boost::json::object& json);

/// Hashes on the pool for passwords, if need be. Empty: no memory for it.
asio::awaitable<std::optional<std::string>> HashOf(const NewPassword& password, Services& services);

/// The account that "{address}" names, in any form of a login; nullopt: already answered.
asio::awaitable<std::optional<storage::AccountInfo>> NamedAccount(Call& call, Services& services);
/// Likewise the one that `login` names.
asio::awaitable<std::optional<storage::AccountInfo>> AccountNamed(Call& call, Services& services,
                                                                  std::string login);

}  // namespace server::http
