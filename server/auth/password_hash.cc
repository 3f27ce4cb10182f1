#include "server/auth/password_hash.h"

#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include <crypt.h>
#include <sodium.h>

namespace server::auth {
namespace {

constexpr unsigned long long kPasses = 2;
constexpr std::size_t kMemory = 19 * 1024 * 1024;

/// How dear a hash may be.
struct Cost {
  unsigned memory_kib;
  unsigned passes;
  unsigned work_kib;  ///< memory times passes
  unsigned rounds;    ///< of SHA-512-crypt
};
/// What is imported costs no more than what is made here, for which NobodysHash() stands, and than
/// SHA-512-crypt's default, for which NobodysImportedHash() does.
constexpr Cost kImported{
    .memory_kib = kMemory / 1024, .passes = 16, .work_kib = kMemory / 1024 * kPasses, .rounds = 5000};
/// What was imported before that was asked for stays good.
constexpr Cost kStored{
    .memory_kib = 256 * 1024, .passes = 16, .work_kib = 256 * 1024 * 16, .rounds = 1'000'000};

constexpr std::string_view kArgon2id = "$argon2id$";
constexpr std::string_view kSha512 = "$6$";

/// Picks the fastest code for this processor; without it Argon2id takes twice as long.
bool SodiumIsReady() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

/// Takes "name=number" off the front of `text`.
std::optional<unsigned> TakeField(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name)) return std::nullopt;
  text.remove_prefix(name.size());
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "$argon2id$v=19$m=19456,t=2,p=1$" salt "$" hash
bool IsBoundedArgon2(std::string_view rest, const Cost& most) {
  rest.remove_prefix(kArgon2id.size());
  if (TakeField(rest, "v=") != 19U) return false;
  const auto memory = TakeField(rest, "$m=");
  const auto passes = TakeField(rest, ",t=");
  const auto lanes = TakeField(rest, ",p=");
  if (!memory || !passes || lanes != 1U) return false;  // libsodium knows one lane only
  return *memory >= 8 && *memory <= most.memory_kib && *passes >= 1 && *passes <= most.passes &&
         *memory * *passes <= most.work_kib && rest.starts_with('$') &&
         rest.find('$', 1) != std::string_view::npos;
}

// "$6$" ["rounds=" number "$"] salt "$" hash
bool IsBoundedSha512(std::string_view rest, const Cost& most) {
  rest.remove_prefix(kSha512.size());
  if (rest.starts_with("rounds=")) {
    const auto rounds = TakeField(rest, "rounds=");
    if (!rounds || *rounds > most.rounds || !rest.starts_with('$')) return false;
    rest.remove_prefix(1);
  }
  const auto dollar = rest.find('$');
  return dollar != std::string_view::npos && dollar <= 16 && rest.size() - dollar - 1 == 86;
}

bool IsPrintable(std::string_view text) {
  for (const char c : text)
    if (c < '!' || c > '~') return false;
  return true;
}

bool IsWithin(const Cost& most, const std::string& hash) {
  if (hash.size() > 200 || !IsPrintable(hash)) return false;
  if (hash.starts_with(kArgon2id)) return hash.size() < crypto_pwhash_STRBYTES && IsBoundedArgon2(hash, most);
  return hash.starts_with(kSha512) && IsBoundedSha512(hash, most);
}

bool VerifySha512(const std::string& hash, const std::string& password) {
  const auto scratch = std::make_unique<crypt_data>();  // 32 KiB: not for a small stack
  const char* computed = ::crypt_r(password.c_str(), hash.c_str(), scratch.get());
  const bool same = computed && std::strlen(computed) == hash.size() &&
                    sodium_memcmp(computed, hash.data(), hash.size()) == 0;
  sodium_memzero(scratch.get(), sizeof *scratch);
  return same;
}

}  // namespace

bool IsAcceptable(const std::string& hash) { return IsWithin(kImported, hash); }

bool Verify(const std::string& hash, std::string_view password) {
  if (password.empty() || password.size() > kMaxPassword || !IsWithin(kStored, hash) || !SodiumIsReady())
    return false;
  if (hash.starts_with(kArgon2id))
    return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
  if (password.find('\0') != std::string_view::npos) return false;  // crypt() would stop there
  std::string copy(password);
  const bool same = VerifySha512(hash, copy);
  sodium_memzero(copy.data(), copy.size());
  return same;
}

std::string Hash(std::string_view password) {
  if (!SodiumIsReady()) return {};
  char out[crypto_pwhash_STRBYTES];
  if (crypto_pwhash_str_alg(out, password.data(), password.size(), kPasses, kMemory,
                            crypto_pwhash_ALG_ARGON2ID13) != 0)
    return {};
  return out;
}

const std::string& NobodysHash() {
  static const std::string hash = [] {
    std::string secret(32, '\0');
    randombytes_buf(secret.data(), secret.size());
    return Hash(secret);
  }();
  return hash;
}

const std::string& NobodysImportedHash() {
  // The longest salt: it is hashed as well.
  static const std::string hash = "$6$nobodysnobodysno$" + std::string(86, '.');
  return hash;
}

}  // namespace server::auth
