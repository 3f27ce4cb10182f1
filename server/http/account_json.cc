#include "server/http/account_json.h"

#include <array>

#include <boost/json/array.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "protocol/cpm/address.h"
#include "server/auth/password_hash.h"
#include "server/auth/password_record.h"

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

struct QuotaKey {
  std::string_view key;
  std::optional<std::uint64_t> storage::QuotaLimits::* limit;
};
constexpr std::array<QuotaKey, 4> kQuotaKeys{{
    {"octets", &storage::QuotaLimits::octets},
    {"messages", &storage::QuotaLimits::messages},
    {"folders", &storage::QuotaLimits::folders},
    {"annotation_octets", &storage::QuotaLimits::annotation_octets},
}};

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

boost::json::value ToJson(const std::optional<std::uint64_t>& limit) {
  return limit ? boost::json::value(*limit) : boost::json::value();
}

std::optional<Refusal> ReadLimits(const boost::json::object& json, std::string_view prefix,
                                  storage::QuotaLimits& out) {
  for (const auto& [name, limit] : kQuotaKeys) {
    const std::string key = fmt::format("{}{}", prefix, name);
    const auto* value = json.if_contains(key);
    if (!value) continue;
    if (!value->is_null() && (!value->is_int64() || value->get_int64() < 0))
      return Bad(fmt::format("\"{}\" must be a whole number from 0 to {}, or null", key, storage::kMaxQuota));
    if (value->is_null())
      (out.*limit).reset();
    else
      out.*limit = static_cast<std::uint64_t>(value->get_int64());
  }
  return std::nullopt;
}

boost::json::object ToJson(const storage::AccountInfo& account) {
  boost::json::object out;
  out["id"] = account.id.value;
  out["address"] = account.address;
  out["aliases"] = boost::json::array(account.aliases.begin(), account.aliases.end());
  out["role"] = Name(account.role);
  out["status"] = Name(account.status);
  if (account.role == Role::kPf)
    out["act_for"] = boost::json::array(account.act_for.begin(), account.act_for.end());
  out["has_password"] = !account.password_hash.empty();
  out["has_scram"] = auth::ScramKeysIn(account.password_hash, protocol::sasl::ScramHash::kSha256).has_value();
  for (const auto& [name, limit] : kQuotaKeys)
    out[fmt::format("quota_{}", name)] = ToJson(account.quota.*limit);
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
    return Bad(
        "\"password_hash\" must be an Argon2id hash (v=19, p=1) of at most 19456 KiB and 38912 KiB times "
        "passes, or a SHA-512-crypt hash of at most 5000 rounds: leave a dearer one out, and set the "
        "password");
  return NewPassword{*plain, *hash};
}

std::variant<AccountRequest, Refusal> ReadAccount(const boost::json::object& json,
                                                  const config::Profile& profile) {
  AccountRequest out;
  if (auto refusal =
          UnknownKey(json, {"address", "aliases", "role", "password", "password_hash", "quota_octets",
                            "quota_messages", "quota_folders", "quota_annotation_octets", "act_for"}))
    return *std::move(refusal);
  if (auto refusal = ReadAddresses(json, out.account)) return *std::move(refusal);

  const auto role = Text(json, "role");
  const auto named = std::ranges::find_if(kRoles, [&](const auto& entry) {
    return role && (entry.first == *role || (role->empty() && entry.second == Role::kUser));
  });
  if (named == kRoles.end()) return Bad("\"role\" must be user, pf, submit or operator");
  out.account.role = named->second;

  if (auto refusal = ReadLimits(json, "quota_", out.account.quota)) return *std::move(refusal);
  for (const auto& [name, limit] : kQuotaKeys) {
    auto& value = out.account.quota.*limit;
    if (value == 0) value.reset();
  }

  if (const auto* patterns = json.if_contains("act_for")) {
    const bool texts =
        patterns->is_array() &&
        std::ranges::all_of(patterns->get_array(), [](const auto& each) { return each.is_string(); });
    if (!texts) return Bad("\"act_for\" must be a list of patterns of addresses");
    for (const auto& each : patterns->get_array()) out.account.act_for.emplace_back(each.get_string());
  }

  auto password = ReadPassword(json);
  if (auto* refusal = std::get_if<Refusal>(&password)) return std::move(*refusal);
  out.password = std::get<NewPassword>(std::move(password));

  for (const auto& folder : profile.folders) out.account.folders.push_back({folder.name, folder.use});
  return out;
}

asio::awaitable<std::optional<std::string>> HashOf(const NewPassword& password, Services& services) {
  if (password.plain.empty()) co_return password.hash;
  auto work = [&] { return auth::MakeRecord(password.plain, services.scram); };
  auto hash = co_await services.passwords.Run(work);
  if (hash.empty()) co_return std::nullopt;
  co_return hash;
}

asio::awaitable<std::optional<storage::AccountInfo>> NamedAccount(Call& call, Services& services) {
  return AccountNamed(call, services, call.Parameter("address"));
}

asio::awaitable<std::optional<storage::AccountInfo>> AccountNamed(Call& call, Services& services,
                                                                  std::string login) {
  const auto address = protocol::cpm::ParseLogin(login);
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
