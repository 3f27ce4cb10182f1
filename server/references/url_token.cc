#include "server/references/url_token.h"

#include <array>
#include <cstdlib>
#include <memory>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

namespace server::references {
namespace {

constexpr std::size_t kKeyOctets = 32;
constexpr std::size_t kMacOctets = 32;
constexpr unsigned char kHmacSha256 = 1;
constexpr unsigned char kRecorded = 2;
constexpr unsigned char kWeb = 3;
constexpr std::size_t kIdDigits = 16;
constexpr std::size_t kMacDigits = 2 * kMacOctets;
constexpr std::size_t kKeyCheckOctets = 8;

void AppendHex(std::string& out, unsigned char octet) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out += kDigits[octet >> 4];
  out += kDigits[octet & 15];
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

/// HMAC-SHA-256 without a key. To look up the algorithm takes longer than to use it.
EVP_MAC_CTX& HmacSha256() {
  thread_local const std::unique_ptr<EVP_MAC_CTX, FreeMac> context = [] {
    EVP_MAC* hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    std::unique_ptr<EVP_MAC_CTX, FreeMac> made(EVP_MAC_CTX_new(hmac));
    EVP_MAC_free(hmac);  // the context has its own
    std::string digest = OSSL_DIGEST_NAME_SHA2_256;
    const std::array<OSSL_PARAM, 2> with{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    if (!made || EVP_MAC_CTX_set_params(made.get(), with.data()) != 1) std::abort();
    return made;
  }();
  return *context;
}

/// Never null, which EVP_MAC_init() takes for the key of the last time.
const unsigned char* OctetsOf(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.empty() ? "" : text.data());
}

void AppendMac(std::string& out, std::string_view key, std::string_view octets) {
  std::array<unsigned char, kMacOctets> mac{};
  std::size_t size = 0;
  auto& context = HmacSha256();
  if (EVP_MAC_init(&context, OctetsOf(key), key.size(), nullptr) != 1 ||
      EVP_MAC_update(&context, OctetsOf(octets), octets.size()) != 1 ||
      EVP_MAC_final(&context, mac.data(), &size, mac.size()) != 1 || size != mac.size())
    std::abort();
  for (const unsigned char octet : mac) AppendHex(out, octet);
}

void AppendId(std::string& out, std::uint64_t id) {
  for (int shift = 56; shift >= 0; shift -= 8) AppendHex(out, static_cast<unsigned char>(id >> shift));
}

std::optional<std::uint64_t> IdIn(std::string_view digits) {
  std::uint64_t id = 0;
  for (const char c : digits) {
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
    id = id << 4 | static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return id;
}

bool Same(std::string_view token, std::string_view right) {
  return token.size() == right.size() && CRYPTO_memcmp(token.data(), right.data(), right.size()) == 0;
}

}  // namespace

std::string NewUrlKey() {
  std::array<unsigned char, kKeyOctets> octets{};
  // Without randomness there is no key, and no safe way to go on.
  if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) std::abort();
  return {octets.begin(), octets.end()};
}

storage::Result<std::string> UrlKeyOf(storage::MailStore& store, storage::FolderRef folder) {
  ASSIGN_OR_RETURN(auto known, store.KnownUrlKey(folder));  // randomness is dear, and mostly there is one
  if (known) return *std::move(known);
  return store.UrlKey(folder, NewUrlKey());
}

std::string UrlToken(std::string_view key, std::string_view rump) {
  std::string token;
  token.reserve(2 + kMacDigits);
  AppendHex(token, kHmacSha256);
  AppendMac(token, key, rump);
  return token;
}

bool IsUrlToken(std::string_view token, std::string_view key, std::string_view rump) {
  return Same(token, UrlToken(key, rump));
}

std::string RecordedUrlToken(std::string_view key, std::uint64_t id, std::string_view rump) {
  std::string token;
  AppendHex(token, kRecorded);
  AppendId(token, id);
  // What is signed begins as no URL does, so that no token of one kind is one of another.
  AppendMac(token, key, token + std::string(rump));
  return token;
}

std::optional<std::uint64_t> RecordedIn(std::string_view token) {
  if (token.size() != 2 + kIdDigits + kMacDigits || !token.starts_with("02")) return std::nullopt;
  return IdIn(token.substr(2, kIdDigits));
}

bool IsRecordedUrlToken(std::string_view token, std::string_view key, std::uint64_t id,
                        std::string_view rump) {
  return Same(token, RecordedUrlToken(key, id, rump));
}

std::string WriteWebToken(std::string_view key, const WebToken& names) {
  std::string token;
  AppendHex(token, kWeb);
  AppendId(token, names.account.value);
  AppendId(token, names.id);
  AppendMac(token, key, token);
  return token;
}

std::optional<WebToken> ReadWebToken(std::string_view token) {
  if (token.size() != 2 + 2 * kIdDigits + kMacDigits || !token.starts_with("03")) return std::nullopt;
  const auto account = IdIn(token.substr(2, kIdDigits));
  const auto id = IdIn(token.substr(2 + kIdDigits, kIdDigits));
  if (!account || !id) return std::nullopt;
  return WebToken{{*account}, *id};
}

bool IsWebToken(std::string_view token, std::string_view key, const WebToken& names) {
  return Same(token, WriteWebToken(key, names));
}

std::string KeyCheck(std::string_view key) {
  std::array<unsigned char, kMacOctets> digest{};
  unsigned int size = 0;
  if (EVP_Digest(key.data(), key.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) std::abort();
  return {digest.begin(), digest.begin() + kKeyCheckOctets};
}

}  // namespace server::references
