#include "server/auth/jwt.h"

#include <algorithm>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "protocol/text/base64.h"

namespace server::auth {
namespace {

using KeyPtr = std::shared_ptr<EVP_PKEY>;

constexpr std::size_t kP256Octets = 32;
constexpr std::size_t kEd25519Octets = 32;
constexpr int kMinRsaBits = 2048;  // RFC 7518 §3.3

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using ParamsBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free>>;

const unsigned char* In(std::string_view octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}
unsigned char* Out(std::string& octets) { return reinterpret_cast<unsigned char*>(octets.data()); }

std::string TextOf(const boost::json::object& json, std::string_view key) {
  const auto* value = json.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<boost::json::object> ParseObject(std::string_view json) {
  boost::system::error_code error;
  auto value = boost::json::parse(json, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

Number ToNumber(std::string_view octets) {
  return Number(BN_bin2bn(In(octets), static_cast<int>(octets.size()), nullptr));
}

KeyPtr FromParams(const char* type, OSSL_PARAM_BLD& builder) {
  const Params params(OSSL_PARAM_BLD_to_param(&builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return {key, EVP_PKEY_free};
}

KeyPtr RsaKey(const boost::json::object& jwk) {
  const auto n = DecodeBase64Url(TextOf(jwk, "n"));
  const auto e = DecodeBase64Url(TextOf(jwk, "e"));
  if (!n || !e || n->empty() || e->empty() || n->size() > 1024 || e->size() > 8) return nullptr;
  const Number modulus = ToNumber(*n);
  const Number exponent = ToNumber(*e);
  const ParamsBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1)
    return nullptr;
  auto key = FromParams("RSA", *builder);
  return key && EVP_PKEY_get_bits(key.get()) >= kMinRsaBits ? key : nullptr;
}

KeyPtr P256Key(const boost::json::object& jwk) {
  const auto x = DecodeBase64Url(TextOf(jwk, "x"));
  const auto y = DecodeBase64Url(TextOf(jwk, "y"));
  if (TextOf(jwk, "crv") != "P-256" || !x || !y || x->size() != kP256Octets || y->size() != kP256Octets)
    return nullptr;
  const std::string point = "\x04" + *x + *y;  // uncompressed (SEC 1)
  const ParamsBuilder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1)
    return nullptr;
  return FromParams("EC", *builder);  // a point that is not on the curve makes no key
}

KeyPtr Ed25519Key(const boost::json::object& jwk) {
  const auto x = DecodeBase64Url(TextOf(jwk, "x"));
  if (TextOf(jwk, "crv") != "Ed25519" || !x || x->size() != kEd25519Octets) return nullptr;
  return {EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, In(*x), x->size()), EVP_PKEY_free};
}

std::optional<JwtKey> ReadKey(const boost::json::object& jwk) {
  if (const auto use = TextOf(jwk, "use"); !use.empty() && use != "sig") return std::nullopt;
  const auto type = TextOf(jwk, "kty");
  JwtKey key{.id = TextOf(jwk, "kid"), .alg = {}, .key = nullptr};
  if (type == "RSA") {
    key.alg = "RS256";
    key.key = RsaKey(jwk);
  } else if (type == "EC") {
    key.alg = "ES256";
    key.key = P256Key(jwk);
  } else if (type == "OKP") {
    key.alg = "EdDSA";
    key.key = Ed25519Key(jwk);
  }
  if (const auto alg = TextOf(jwk, "alg"); !alg.empty() && alg != key.alg) return std::nullopt;
  if (!key.key) return std::nullopt;
  return key;
}

/// RFC 7518 §3.4: two numbers of 32 octets -> what OpenSSL takes.
std::string ToDer(std::string_view signature) {
  if (signature.size() != 2 * kP256Octets) return {};
  const Signature pair(ECDSA_SIG_new());
  Number r = ToNumber(signature.substr(0, kP256Octets));
  Number s = ToNumber(signature.substr(kP256Octets));
  if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  static_cast<void>(r.release());  // the pair's now
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  std::string out;
  if (size > 0) out.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return out;
}

/// And back.
std::string FromDer(std::string_view der) {
  const unsigned char* at = In(der);
  const Signature pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  std::string out(2 * kP256Octets, '\0');
  if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), Out(out), kP256Octets) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), Out(out) + kP256Octets, kP256Octets) < 0)
    return {};
  return out;
}

const EVP_MD* DigestOf(std::string_view alg) { return alg == "EdDSA" ? nullptr : EVP_sha256(); }

std::string AlgOf(EVP_PKEY& key) {
  if (EVP_PKEY_is_a(&key, "RSA") == 1 && EVP_PKEY_get_bits(&key) >= kMinRsaBits) return "RS256";
  if (EVP_PKEY_is_a(&key, "EC") == 1 && EVP_PKEY_get_bits(&key) == 256) return "ES256";
  if (EVP_PKEY_is_a(&key, "ED25519") == 1) return "EdDSA";
  return {};
}

struct PrivateKey {
  KeyPtr key;
  std::string alg;
};

tl::expected<PrivateKey, std::string> ReadPrivateKey(std::string_view pem) {
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // Without a callback OpenSSL would ask the terminal for a passphrase.
  const auto no_passphrase = [](char*, int, int, void*) { return 0; };
  const KeyPtr key(memory ? PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr) : nullptr,
                   EVP_PKEY_free);
  if (!key) return tl::unexpected(std::string("it holds no private key in PEM without a passphrase"));
  auto alg = AlgOf(*key);
  if (alg.empty())
    return tl::unexpected(std::string("its key is neither RSA of 2048 bits, nor P-256, nor Ed25519"));
  return PrivateKey{key, std::move(alg)};
}

/// A number of the key, as the octets of a JWK.
std::string NumberOf(const EVP_PKEY& key, const char* name, std::size_t size = 0) {
  BIGNUM* found = nullptr;
  if (EVP_PKEY_get_bn_param(&key, name, &found) != 1) return {};
  const Number number(found);
  std::string out(size != 0 ? size : static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
  if (BN_bn2binpad(number.get(), Out(out), static_cast<int>(out.size())) < 0) return {};
  return EncodeBase64Url(out);
}

}  // namespace

std::string EncodeBase64Url(std::string_view octets) {
  std::string out = protocol::text::EncodeBase64(octets);
  while (out.ends_with('=')) out.pop_back();
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  if (text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
  std::string plain(text);
  std::ranges::replace(plain, '-', '+');
  std::ranges::replace(plain, '_', '/');
  while (plain.size() % 4 != 0) plain += '=';
  return protocol::text::DecodeBase64(plain);
}

tl::expected<std::vector<JwtKey>, std::string> ReadJwks(std::string_view json) {
  if (json.size() > kMaxJwks) return tl::unexpected(std::string("it is too long"));
  const auto set = ParseObject(json);
  const auto* keys = set ? set->if_contains("keys") : nullptr;
  if (keys == nullptr || !keys->is_array())
    return tl::unexpected(std::string("it is no JSON object with \"keys\""));
  std::vector<JwtKey> out;
  for (const auto& entry : keys->get_array()) {
    auto key = entry.is_object() ? ReadKey(entry.get_object()) : std::nullopt;
    if (key) out.push_back(*std::move(key));
    if (out.size() > kMaxJwtKeys) return tl::unexpected(std::string("it has too many keys"));
  }
  if (out.empty())
    return tl::unexpected(std::string("it has no key for RS256 (of 2048 bits), ES256 or EdDSA"));
  return out;
}

std::optional<JwtParts> ReadJwt(std::string_view token) {
  if (token.size() > kMaxToken) return std::nullopt;
  const auto first = token.find('.');
  const auto second = first == std::string_view::npos ? first : token.find('.', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto head = DecodeBase64Url(token.substr(0, first));
  auto claims = DecodeBase64Url(token.substr(first + 1, second - first - 1));
  auto signature = DecodeBase64Url(token.substr(second + 1));  // a third '.' is none of its letters
  const auto header = head ? ParseObject(*head) : std::nullopt;
  if (!header || !claims || !signature || header->contains("crit")) return std::nullopt;
  return JwtParts{TextOf(*header, "alg"), TextOf(*header, "kid"), std::string(token.substr(0, second)),
                  *std::move(claims), *std::move(signature)};
}

bool IsSignedBy(const JwtParts& token, const JwtKey& key) {
  if (token.alg != key.alg) return false;
  if (!token.key_id.empty() && !key.id.empty() && token.key_id != key.id) return false;
  const std::string signature = key.alg == "ES256" ? ToDer(token.signature) : token.signature;
  if (signature.empty()) return false;
  const DigestContext context(EVP_MD_CTX_new());
  return context &&
         EVP_DigestVerifyInit(context.get(), nullptr, DigestOf(key.alg), nullptr, key.key.get()) == 1 &&
         EVP_DigestVerify(context.get(), In(signature), signature.size(), In(token.signed_octets),
                          token.signed_octets.size()) == 1;
}

tl::expected<std::string, std::string> SignJwt(std::string_view claims, std::string_view pem,
                                               std::string_view key_id) {
  const auto read = ReadPrivateKey(pem);
  if (!read) return tl::unexpected(read.error());
  const auto& [key, alg] = *read;
  boost::json::object header;
  header["typ"] = "JWT";
  header["alg"] = alg;
  if (!key_id.empty()) header["kid"] = key_id;
  std::string token = EncodeBase64Url(boost::json::serialize(header)) + "." + EncodeBase64Url(claims);
  const DigestContext context(EVP_MD_CTX_new());
  std::string signature(1024, '\0');
  std::size_t size = signature.size();
  if (!context || EVP_DigestSignInit(context.get(), nullptr, DigestOf(alg), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), Out(signature), &size, In(token), token.size()) != 1)
    return tl::unexpected(std::string("its key cannot sign"));
  signature.resize(size);
  return token + "." + EncodeBase64Url(alg == "ES256" ? FromDer(signature) : signature);
}

tl::expected<std::string, std::string> JwksOf(std::string_view pem, std::string_view key_id) {
  const auto read = ReadPrivateKey(pem);
  if (!read) return tl::unexpected(read.error());
  const auto& [key, alg] = *read;
  boost::json::object jwk;
  if (!key_id.empty()) jwk["kid"] = key_id;
  jwk["use"] = "sig";
  jwk["alg"] = alg;
  if (alg == "RS256") {
    jwk["kty"] = "RSA";
    jwk["n"] = NumberOf(*key, OSSL_PKEY_PARAM_RSA_N);
    jwk["e"] = NumberOf(*key, OSSL_PKEY_PARAM_RSA_E);
  } else if (alg == "ES256") {
    jwk["kty"] = "EC";
    jwk["crv"] = "P-256";
    jwk["x"] = NumberOf(*key, OSSL_PKEY_PARAM_EC_PUB_X, kP256Octets);
    jwk["y"] = NumberOf(*key, OSSL_PKEY_PARAM_EC_PUB_Y, kP256Octets);
  } else {
    std::string octets(kEd25519Octets, '\0');
    std::size_t size = octets.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), Out(octets), &size) != 1)
      return tl::unexpected(std::string("its key has no public half"));
    jwk["kty"] = "OKP";
    jwk["crv"] = "Ed25519";
    jwk["x"] = EncodeBase64Url(octets);
  }
  boost::json::object set;
  set["keys"] = boost::json::array({std::move(jwk)});
  return boost::json::serialize(set);
}

}  // namespace server::auth
