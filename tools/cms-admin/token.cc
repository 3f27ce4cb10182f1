// Tokens for development: what an authorization server would give out.
#include <chrono>
#include <fstream>
#include <sstream>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "server/auth/jwt.h"
#include "tools/cms-admin/command.h"

namespace admin {
namespace {

namespace json = boost::json;

struct TokenOptions {
  std::string key_file;
  std::string key_id;
  std::string address;
  std::int64_t minutes = 60;
  bool jwks = false;
};

std::string ReadKeyFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) throw Failure(kUsage, fmt::format("{} cannot be read", path));
  return text.str();
}

/// The claim that oauth.address ("tel:{phone_number}") makes `address` of.
std::pair<std::string, std::string> ClaimFor(const std::string& rule, const std::string& address) {
  const auto open = rule.find('{');
  const auto close = rule.find('}');
  const auto before = rule.substr(0, open);
  const auto after = rule.substr(close + 1);
  if (!address.starts_with(before) || !address.ends_with(after) ||
      address.size() <= before.size() + after.size())
    throw Failure(kUsage, fmt::format("oauth.address is \"{}\", which never makes \"{}\"", rule, address));
  return {rule.substr(open + 1, close - open - 1),
          address.substr(before.size(), address.size() - before.size() - after.size())};
}

void Token(const Options& options, const TokenOptions& wanted) {
  const auto pem = ReadKeyFile(wanted.key_file);
  const auto print = [&](const tl::expected<std::string, std::string>& made) {
    if (!made) throw Failure(kUsage, fmt::format("{}: {}", wanted.key_file, made.error()));
    fmt::print("{}\n", *made);
  };
  if (wanted.jwks) return print(server::auth::JwksOf(pem, wanted.key_id));
  if (wanted.address.empty()) throw Failure(kUsage, "ADDRESS is required, or --jwks");
  const auto oauth = LoadConfig(options).oauth;
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const auto [claim, value] = ClaimFor(oauth.address, wanted.address);
  json::object claims;
  claims["iss"] = oauth.issuer;
  claims["aud"] = oauth.audience;
  claims["iat"] = now;
  claims["exp"] = now + wanted.minutes * 60;
  claims[claim] = value;
  print(server::auth::SignJwt(json::serialize(claims), pem, wanted.key_id));
}

}  // namespace

void AddTokenCommand(CLI::App& app, const Options& options) {
  auto wanted = std::make_shared<TokenOptions>();
  auto* token = app.add_subcommand("token", "make a token for OAUTHBEARER, for development");
  token->fallthrough();
  token->add_option("KEYFILE", wanted->key_file, "private key in PEM: RSA, P-256 or Ed25519")->required();
  token->add_option("ADDRESS", wanted->address, "whom it is about, as oauth.address makes it of a claim");
  token->add_option("--minutes", wanted->minutes, "for which it is valid")->capture_default_str();
  token->add_option("--key-id", wanted->key_id, "\"kid\" of the token, or of the key in the JWKS");
  token->add_flag("--jwks", wanted->jwks, "print the JWKS with the public key instead, for oauth.jwks");
  token->footer(
      "Example:\n  openssl genpkey -algorithm ED25519 -out dev.pem\n  cms-admin token dev.pem --jwks > "
      "jwks.json\n"
      "  cms-admin token dev.pem tel:+15550100111");
  token->callback([wanted, &options] { Token(options, *wanted); });
}

}  // namespace admin
