#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

// OpenSSL's key, without its headers.
struct evp_pkey_st;

namespace server::auth {

/// A key of a JWKS (RFC 7517) that signatures are checked with.
struct JwtKey {
  std::string id;   ///< "kid"; may be empty
  std::string alg;  ///< the one algorithm that it is for: "RS256", "ES256", "EdDSA"
  std::shared_ptr<evp_pkey_st> key;
};

/// What of a token was signed: the octets of its claims, JSON, and by which key.
struct JwtParts {
  std::string alg;
  std::string key_id;  ///< empty: not said
  std::string signed_octets;
  std::string claims;
  std::string signature;
};

inline constexpr std::size_t kMaxToken = 8 * 1024;    ///< octets; so much fits a line before login
inline constexpr std::size_t kMaxJwks = 1024 * 1024;  ///< octets of the file
inline constexpr std::size_t kMaxJwtKeys = 100;

/// The usable keys of a JWKS; others in it are passed over. An error is a sentence.
tl::expected<std::vector<JwtKey>, std::string> ReadJwks(std::string_view json);

/// Compact serialization (RFC 7515 §7.1). nullopt: it is none, or has critical extensions.
std::optional<JwtParts> ReadJwt(std::string_view token);

/// The algorithm is the key's, never the token's alone: "none" is no key's.
bool IsSignedBy(const JwtParts& token, const JwtKey& key);

/// RFC 4648 §5, without padding.
std::string EncodeBase64Url(std::string_view octets);
std::optional<std::string> DecodeBase64Url(std::string_view text);

/// A token with these claims (JSON), signed with a private key in PEM: RSA, P-256 or Ed25519. For
/// development.
tl::expected<std::string, std::string> SignJwt(std::string_view claims, std::string_view pem,
                                               std::string_view key_id);

/// The JWKS of that key's public half.
tl::expected<std::string, std::string> JwksOf(std::string_view pem, std::string_view key_id);

}  // namespace server::auth
