#include "protocol/sasl/scram_crypto.h"

#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace protocol::sasl {
namespace {

const EVP_MD* Md(ScramHash hash) { return hash == ScramHash::kSha1 ? EVP_sha1() : EVP_sha256(); }

const unsigned char* In(std::string_view octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}
unsigned char* Out(std::string& octets) { return reinterpret_cast<unsigned char*>(octets.data()); }

/// These fail for want of memory, or when a provider forbids the hash: nothing that a caller could mend.
void Require(bool done) {
  if (!done) throw std::runtime_error("OpenSSL cannot compute a SCRAM hash");
}

}  // namespace

std::size_t SizeOf(ScramHash hash) { return hash == ScramHash::kSha1 ? 20 : 32; }

std::string Digest(ScramHash hash, std::string_view octets) {
  std::string out(SizeOf(hash), '\0');
  Require(EVP_Digest(octets.data(), octets.size(), Out(out), nullptr, Md(hash), nullptr) == 1);
  return out;
}

std::string Hmac(ScramHash hash, std::string_view key, std::string_view octets) {
  std::string out(SizeOf(hash), '\0');
  Require(HMAC(Md(hash), key.data(), static_cast<int>(key.size()), In(octets), octets.size(), Out(out),
               nullptr) != nullptr);
  return out;
}

std::string Stretch(ScramHash hash, std::string_view password, std::string_view salt,
                    std::uint32_t iterations) {
  std::string out(SizeOf(hash), '\0');
  Require(PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), In(salt),
                            static_cast<int>(salt.size()), static_cast<int>(iterations), Md(hash),
                            static_cast<int>(out.size()), Out(out)) == 1);
  return out;
}

bool SameOctets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace protocol::sasl
