#include "server/auth/token_verifier.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace server::auth {
namespace {

using Refused = tl::unexpected<std::string>;

std::optional<std::string_view> TextOf(const boost::json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

/// RFC 7519 §2: NumericDate, seconds, perhaps with a fraction. nullopt: none, or out of all bounds.
std::optional<std::int64_t> DateOf(const boost::json::object& claims, std::string_view name) {
  const auto* value = claims.if_contains(name);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const double seconds = value->to_number<double>();
  if (!(seconds >= 0 && seconds < 1e12)) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

/// RFC 7519 §4.1.3: a text, or a list of them.
bool IsFor(const boost::json::object& claims, const std::string& audience) {
  const auto* value = claims.if_contains("aud");
  if (value == nullptr) return false;
  const auto is = [&](const boost::json::value& one) {
    return one.is_string() && one.get_string() == audience;
  };
  return value->is_array() ? std::ranges::any_of(value->get_array(), is) : is(*value);
}

/// "tel:{phone_number}" with the claim in its place.
std::optional<std::string> AddressBy(const std::string& rule, const boost::json::object& claims) {
  const auto open = rule.find('{');
  const auto close = rule.find('}');
  const auto value = TextOf(claims, rule.substr(open + 1, close - open - 1));
  if (!value || value->empty()) return std::nullopt;
  return rule.substr(0, open) + std::string(*value) + rule.substr(close + 1);
}

}  // namespace

tl::expected<std::unique_ptr<TokenVerifier>, std::string> TokenVerifier::Open(config::Oauth settings) {
  std::unique_ptr<TokenVerifier> verifier(new TokenVerifier(std::move(settings)));
  auto read = verifier->Read();
  if (!read) return tl::unexpected(std::move(read).error());
  return verifier;
}

tl::expected<void, std::string> TokenVerifier::Read() {
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(settings_.jwks, error);
  std::ifstream file(settings_.jwks, std::ios::binary);
  std::ostringstream text;
  if (!error && file) text << file.rdbuf();
  if (error || !file) return Refused(fmt::format("oauth.jwks {}: it cannot be read", settings_.jwks));
  read_ = changed;  // also of a bad one, which need not be read again before it changes
  auto keys = ReadJwks(text.str());
  if (!keys) return Refused(fmt::format("oauth.jwks {}: {}", settings_.jwks, keys.error()));
  keys_ = std::make_shared<const std::vector<JwtKey>>(*std::move(keys));
  return {};
}

std::shared_ptr<const std::vector<JwtKey>> TokenVerifier::Keys() {
  const std::lock_guard lock(mutex_);
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(settings_.jwks, error);
  if (!error && changed != read_) {
    const auto read = Read();
    if (read) {
      spdlog::info("event=jwks_read keys={}", keys_->size());
    } else {
      spdlog::error("event=jwks_kept error=\"{}\"", read.error());
    }
  }
  return keys_;
}

tl::expected<std::string, std::string> TokenVerifier::Verify(std::string_view token,
                                                             std::chrono::system_clock::time_point now) {
  if (token.size() > kMaxToken) return Refused("too long");
  const auto parts = ReadJwt(token);
  if (!parts) return Refused("no JWT");
  const auto keys = Keys();
  if (std::ranges::none_of(*keys, [&](const JwtKey& key) { return IsSignedBy(*parts, key); }))
    return Refused("not signed by a known key");
  return CheckClaims(parts->claims, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}

tl::expected<std::string, std::string> TokenVerifier::CheckClaims(std::string_view json,
                                                                  std::int64_t now) const {
  boost::system::error_code error;
  const auto value = boost::json::parse(json, error);
  if (error || !value.is_object()) return Refused("claims are no JSON object");
  const auto& claims = value.get_object();
  const std::int64_t skew = settings_.skew.count();
  if (TextOf(claims, "iss") != settings_.issuer) return Refused("another issuer");
  if (!IsFor(claims, settings_.audience)) return Refused("for another audience");
  const auto expires = DateOf(claims, "exp");
  if (!expires) return Refused("without an expiry");
  if (*expires + skew <= now) return Refused("expired");
  if (*expires - now > settings_.max_lifetime.count() + skew) return Refused("valid for too long");
  for (const auto* name : {"nbf", "iat"}) {
    if (!claims.contains(name)) continue;
    const auto from = DateOf(claims, name);
    if (!from || *from - skew > now) return Refused("not yet valid");
  }
  auto address = AddressBy(settings_.address, claims);
  if (!address) return Refused("without the claim that oauth.address names");
  return *std::move(address);
}

}  // namespace server::auth
