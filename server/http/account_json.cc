#include "server/http/account_json.h"

#include <array>

#include <boost/json/array.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "server/auth/password_hash.h"

namespace server::http {
namespace {

using storage::AccountStatus;
using storage::Role;

constexpr std::array<std::pair<std::string_view, Role>, 4> kRoles = {
    {{"user", Role::kUser}, {"pf", Role::kPf}, {"submit", Role::kSubmit}, {"operator", Role::kOperator}}};

std::string_view Name(Role role) {
  for (const auto& [name, value] : kRoles)
    if (value == role) return name;
  return "unknown";
}

std::string_view Name(AccountStatus status) {
  switch (status) {
    case AccountStatus::kActive: return "active";
    case AccountStatus::kDisabled: return "disabled";
    case AccountStatus::kDeleting: return "deleting";
  }
  return "unknown";
}

Refusal Bad(std::string message) { return {Status::bad_request, "invalid_argument", std::move(message)}; }

/// nullopt: it is there and no text.
std::optional<std::string> Text(const boost::json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  if (!value) return std::string();
  if (!value->is_string()) return std::nullopt;
  return std::string(value->get_string());
}

std::optional<std::uint64_t> Number(const boost::json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  if (!value) return 0;
  if (!value->is_int64() || value->get_int64() < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value->get_int64());
}

std::optional<Refusal> UnknownKey(const boost::json::object& json,
                                  std::initializer_list<std::string_view> known) {
  for (const auto& entry : json)
    if (std::ranges::find(known, std::string_view(entry.key())) == known.end())
      return Bad(fmt::format("There is no key \"{}\"", std::string_view(entry.key())));
  return std::nullopt;
}

std::optional<Refusal> ReadAddresses(const boost::json::object& json, storage::NewAccount& out) {
  const auto address = Text(json, "address");
  const auto canonical = address ? protocol::cpm::ParseLogin(*address) : std::nullopt;
  if (!canonical) return Bad("\"address\" must be a tel: or sip: address");
  out.address = *canonical;
  const auto* aliases = json.if_contains("aliases");
  if (!aliases) return std::nullopt;
  if (!aliases->is_array() || aliases->get_array().size() > 100)
    return Bad("\"aliases\" must be a list of at most 100 addresses");
  for (const auto& entry : aliases->get_array()) {
    const auto alias = entry.is_string() ? protocol::cpm::ParseLogin(entry.get_string()) : std::nullopt;
    if (!alias) return Bad("\"aliases\" must be tel: or sip: addresses");
    out.aliases.push_back(*alias);
  }
  return std::nullopt;
}

}  // namespace

boost::json::object ToJson(const storage::AccountInfo& account) {
  boost::json::object out;
  out["id"] = account.id.value;
  out["address"] = account.address;
  out["aliases"] = boost::json::array(account.aliases.begin(), account.aliases.end());
  out["role"] = Name(account.role);
  out["status"] = Name(account.status);
  out["has_password"] = !account.password_hash.empty();
  out["quota_octets"] = account.quota_octets;
  out["quota_messages"] = account.quota_messages;
  out["used_octets"] = account.used_octets;
  out["used_messages"] = account.used_messages;
  out["folders"] = account.folders;
  out["created"] =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(account.created)));
  return out;
}

std::variant<NewPassword, Refusal> ReadPassword(const boost::json::object& json) {
  const auto plain = Text(json, "password");
  const auto hash = Text(json, "password_hash");
  if (!plain || !hash) return Bad("\"password\" and \"password_hash\" must be texts");
  if (!plain->empty() && !hash->empty()) return Bad("Either \"password\" or \"password_hash\"");
  if (plain->size() > auth::kMaxPassword) return Bad("The password is too long");
  if (plain->find('\0') != std::string::npos) return Bad("The password holds a NUL");
  if (!hash->empty() && !auth::IsAcceptable(*hash))
    return Bad("\"password_hash\" must be an Argon2id or SHA-512-crypt hash of bounded cost");
  return NewPassword{*plain, *hash};
}

std::variant<AccountRequest, Refusal> ReadAccount(const boost::json::object& json,
                                                  const config::Profile& profile) {
  AccountRequest out;
  if (auto refusal = UnknownKey(json, {"address", "aliases", "role", "password", "password_hash",
                                       "quota_octets", "quota_messages"}))
    return *std::move(refusal);
  if (auto refusal = ReadAddresses(json, out.account)) return *std::move(refusal);

  const auto role = Text(json, "role");
  const auto named = std::ranges::find_if(kRoles, [&](const auto& entry) {
    return role && (entry.first == *role || (role->empty() && entry.second == Role::kUser));
  });
  if (named == kRoles.end()) return Bad("\"role\" must be user, pf, submit or operator");
  out.account.role = named->second;

  const auto octets = Number(json, "quota_octets");
  const auto messages = Number(json, "quota_messages");
  if (!octets || !messages) return Bad("\"quota_octets\" and \"quota_messages\" must be whole numbers");
  out.account.quota_octets = *octets;
  out.account.quota_messages = *messages;

  auto password = ReadPassword(json);
  if (auto* refusal = std::get_if<Refusal>(&password)) return std::move(*refusal);
  out.password = std::get<NewPassword>(std::move(password));

  for (const auto& folder : profile.folders) out.account.folders.push_back({folder.name, folder.use});
  return out;
}

asio::awaitable<std::optional<std::string>> HashOf(const NewPassword& password, Services& services) {
  if (password.plain.empty()) co_return password.hash;
  auto work = [&] { return auth::Hash(password.plain); };
  auto hash = co_await services.passwords.Run(work);
  if (hash.empty()) co_return std::nullopt;
  co_return hash;
}

asio::awaitable<std::optional<storage::AccountInfo>> NamedAccount(Call& call, Services& services) {
  const auto address = protocol::cpm::ParseLogin(call.Parameter("address"));
  if (!address) {
    auto refusal = Bad("The account's address must be a tel: or sip: address");
    co_await call.Fail(std::move(refusal));
    co_return std::nullopt;
  }
  auto find = [&] { return services.store.FindAccount(*address); };
  auto found = co_await services.storage.Run(find);
  if (!found) {
    co_await call.Fail(std::move(found).error());
    co_return std::nullopt;
  }
  if (!*found) {
    storage::Error none{storage::Errc::kNoSuchAccount, *address};
    co_await call.Fail(std::move(none));
  }
  co_return std::move(*found);
}

}  // namespace server::http
