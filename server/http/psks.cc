// Pre-shared keys of TLS: identities, and whom they prove.
#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <openssl/rand.h>

#include "server/http/account_json.h"
#include "server/http/resources.h"
#include "server/net/psk_keys.h"
#include "storage/store/psk.h"

namespace server::http {
namespace {

constexpr std::size_t kNewKey = 32;

Refusal Bad(std::string message) { return {Status::bad_request, "invalid_argument", std::move(message)}; }

std::optional<std::string> FromHex(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
  };
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit(text[i]);
    const int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string ToHex(std::string_view octets) {
  std::string out;
  for (const char c : octets) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string_view TextOf(const boost::json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::string NewKey() {
  std::string key(kNewKey, '\0');
  return RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), kNewKey) == 1 ? key : std::string();
}

}  // namespace

asio::awaitable<void> ListPsks(Call& call, Services& services) {
  struct Named {
    storage::Psk psk;
    std::string address;
  };
  auto list = [&]() -> storage::Result<std::vector<Named>> {
    auto psks = storage::PskTable(services.store).List();
    if (!psks) return tl::unexpected(std::move(psks).error());
    std::vector<Named> out;
    for (auto& psk : *psks) {
      const auto account = services.store.GetAccount(psk.account);
      out.push_back({std::move(psk), account ? account->address : std::string()});
    }
    return out;
  };
  auto psks = co_await services.storage.Run(list);
  if (!psks) {
    co_await call.Fail(std::move(psks).error());
    co_return;
  }
  boost::json::array entries;
  for (const auto& one : *psks) {
    boost::json::object entry;  // never the key: it was told when it was made
    entry["identity"] = one.psk.identity;
    entry["account"] = one.address;
    entry["created"] = one.psk.created;
    entries.push_back(std::move(entry));
  }
  boost::json::object body;
  body["psks"] = std::move(entries);
  co_await call.Reply(Status::ok, std::move(body));
}

asio::awaitable<void> AddPsk(Call& call, Services& services) {
  const auto json = co_await call.ReadJson();
  if (!json) co_return;
  const auto account = co_await AccountNamed(call, services, std::string(TextOf(*json, "account")));
  if (!account) co_return;
  const auto given = TextOf(*json, "key");
  const auto key = given.empty() ? std::optional(NewKey()) : FromHex(given);
  if (!key) {
    auto refusal = Bad("\"key\" must be hexadecimal");
    co_await call.Fail(std::move(refusal));
    co_return;
  }
  const storage::Psk psk{.identity = std::string(TextOf(*json, "identity")),
                         .account = account->id,
                         .key = *key,
                         .created = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())};
  auto add = [&] { return storage::PskTable(services.store).Add(psk); };
  auto added = co_await services.storage.Run(add);
  if (!added) {
    co_await call.Fail(std::move(added).error());
    co_return;
  }
  if (services.psk_keys != nullptr) services.psk_keys->Set(psk.identity, {psk.key, psk.account.value});
  boost::json::object body;
  body["identity"] = psk.identity;
  body["account"] = account->address;
  if (given.empty()) body["key"] = ToHex(psk.key);
  co_await call.Reply(Status::created, std::move(body));
}

asio::awaitable<void> RevokePsk(Call& call, Services& services) {
  const std::string identity = call.Parameter("identity");
  auto revoke = [&] { return storage::PskTable(services.store).Revoke(identity); };
  auto revoked = co_await services.storage.Run(revoke);
  if (!revoked) {
    co_await call.Fail(std::move(revoked).error());
    co_return;
  }
  if (!*revoked) {
    Refusal none{Status::not_found, "no_such_psk", "There is no key of this identity"};
    co_await call.Fail(std::move(none));
    co_return;
  }
  if (services.psk_keys != nullptr) services.psk_keys->Remove(identity);
  co_await call.Reply(Status::ok, boost::json::object());
}

}  // namespace server::http
